//! When the segments of a body came, by their own timestamps or a given gap.

use std::time::Duration;

use serde_json::Value;

use super::error::{InputProblem, Located};
use super::object;
use super::segment::Segment;
use crate::recording::Form;

const NO_TIME: &str = "the object has no created_at, so its time is not known; state the time between chunks with --gap \
                       (--gap 0: all at once)";

/// Returns the offsets of `segments` in microseconds.
///
/// Events carry no times: all come at once. So does what stands alone and states none.
pub(super) fn offsets(segments: &[Segment], form: Form, gap: Option<Duration>) -> Result<Vec<u64>, Located> {
    if let Some(gap) = gap {
        let gap_us = u64::try_from(gap.as_micros()).unwrap_or(u64::MAX);
        return Ok((0..segments.len() as u64).map(|index| index.saturating_mul(gap_us)).collect());
    }
    let states_none = |segment: &Segment| segment.object().is_none_or(|value| !value["created_at"].is_string());
    match segments {
        [only] if states_none(only) => Ok(vec![0]),
        _ if form == Form::Events => Ok(vec![0; segments.len()]),
        _ => by_created_at(segments),
    }
}

/// Offsets by `created_at`. What never has one, such as an error or half an object, comes with the object before it.
///
/// The first object is placed so that the one which states `total_duration` comes that long after the request.
fn by_created_at(segments: &[Segment]) -> Result<Vec<u64>, Located> {
    let mut since_first_ns: Vec<u64> = Vec::with_capacity(segments.len());
    let mut first = None;
    let mut first_ns = 0;
    for segment in segments {
        let before = since_first_ns.last().copied().unwrap_or(0);
        let Some(value) = segment.object().filter(|value| !is_without_time(value)) else {
            since_first_ns.push(before);
            continue;
        };
        let missing = || InputProblem::Time(NO_TIME.to_owned()).at_line(segment.line);
        let text = value["created_at"].as_str().ok_or_else(missing)?;
        let bad = |what| {
            let message = format!("created_at {text:?} is {what}; give --gap to set times yourself");
            InputProblem::Time(message).at_line(segment.line)
        };
        let at_ns = text.parse::<jiff::Timestamp>().map_err(|_| bad("not an RFC 3339 time"))?.as_nanosecond();
        let since = u64::try_from(at_ns - *first.get_or_insert(at_ns)).ok().filter(|since| *since >= before);
        let since = since.ok_or_else(|| bad("before that of the previous object"))?;
        if let Some(total_ns) = value["total_duration"].as_u64() {
            first_ns = total_ns.saturating_sub(since);
        }
        since_first_ns.push(since);
    }
    Ok(since_first_ns.into_iter().map(|since| first_ns.saturating_add(since) / 1000).collect())
}

fn is_without_time(value: &Value) -> bool {
    object::is_error(value) || object::is_progress(value)
}
