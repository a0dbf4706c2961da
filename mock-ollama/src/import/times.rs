//! When the pieces of a body came, by their own timestamps or a given gap.

use std::time::Duration;

use serde_json::Value;

use super::body::{Framing, Piece};
use super::error::ImportError;
use super::object;

/// The offsets of `pieces` in microseconds.
///
/// Events carry no times: all come at once. So does what stands alone and states none.
pub(super) fn offsets(
    label: &str,
    pieces: &[Piece],
    framing: Framing,
    gap: Option<Duration>,
) -> Result<Vec<u64>, ImportError> {
    if let Some(gap) = gap {
        let gap_us = u64::try_from(gap.as_micros()).unwrap_or(u64::MAX);
        return Ok((0..pieces.len() as u64).map(|index| index.saturating_mul(gap_us)).collect());
    }
    let states_none = |piece: &Piece| piece.object().is_none_or(|value| !value["created_at"].is_string());
    match pieces {
        [only] if states_none(only) => Ok(vec![0]),
        _ if framing == Framing::Events => Ok(vec![0; pieces.len()]),
        _ => by_created_at(label, pieces),
    }
}

/// Offsets by `created_at`. What never has one, such as an error or half an object, comes with the object before it.
///
/// The first object is placed so that the one which states `total_duration` comes so long after the request.
fn by_created_at(label: &str, pieces: &[Piece]) -> Result<Vec<u64>, ImportError> {
    let mut since_first_ns: Vec<u64> = Vec::with_capacity(pieces.len());
    let mut first = None;
    let mut first_ns = 0;
    for piece in pieces {
        let (label, line) = (|| label.to_owned(), piece.line);
        let before = since_first_ns.last().copied().unwrap_or(0);
        let Some(value) = piece.object().filter(|value| !is_without_time(value)) else {
            since_first_ns.push(before);
            continue;
        };
        let text = value["created_at"].as_str().ok_or_else(|| ImportError::NoTime { label: label(), line })?;
        let found = || text.to_owned();
        let bad = |_| ImportError::BadTime { label: label(), line, found: found() };
        let at_ns = text.parse::<jiff::Timestamp>().map_err(bad)?.as_nanosecond();
        let since = u64::try_from(at_ns - *first.get_or_insert(at_ns)).ok().filter(|since| *since >= before);
        let since = since.ok_or_else(|| ImportError::TimeDecreases { label: label(), line, found: found() })?;
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
