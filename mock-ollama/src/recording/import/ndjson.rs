//! A body kept elsewhere: a file of JSON lines. A chunk is a line with its newline.

use std::ops::Range;

use bytes::Bytes;
use serde_json::Value;

use super::convert::{ImportOptions, Imported, Input};
use super::error::ImportError;
use crate::recording::answer::Answer;
use crate::recording::wire::message_of;
use crate::recording::{Chunk, End, Exchange, Method, Origin, Request, RequestBody, Response};

/// One object of the body, and where it stands.
struct Line {
    /// Its number, counted from 1.
    number: usize,
    /// Its bytes: the line, its newline, and the blank lines that belong to it.
    range: Range<usize>,
    answer: Answer,
}

/// Imports a native NDJSON body, or the single object of an answer that was not streamed.
pub(super) fn import(input: &Input<'_>, options: &ImportOptions) -> Result<Imported, ImportError> {
    let lines = lines(input)?;
    let offsets = match options.gap {
        Some(gap) => {
            let gap_us = u64::try_from(gap.as_micros()).unwrap_or(u64::MAX);
            (0..lines.len() as u64).map(|index| index.saturating_mul(gap_us)).collect()
        }
        None => offsets(input, &lines)?,
    };
    let path = options.path.clone().or_else(|| lines.iter().find_map(|line| line.answer.path()).map(str::to_owned));
    let path = path.ok_or_else(|| ImportError::NoPath { label: input.label.to_owned() })?;
    let body = Bytes::copy_from_slice(input.bytes);
    let chunks =
        offsets.into_iter().zip(&lines).map(|(at_us, line)| Chunk { at_us, bytes: body.slice(line.range.clone()) });
    let not_streamed = options.request.as_ref().and_then(|body| body.get("stream")) == Some(&Value::Bool(false));
    let content_type = if not_streamed { "application/json; charset=utf-8" } else { "application/x-ndjson" };
    Ok(Imported {
        model: lines.iter().find_map(|line| line.answer.model.clone()),
        exchange: Exchange {
            request: Some(Request { method: Method::Post, path, body: options.request.clone().map(RequestBody::Json) }),
            sent_us: None,
            response: Response { status: 200, headers: vec![("Content-Type".to_owned(), content_type.to_owned())] },
            chunks: chunks.collect(),
            end: End::Clean,
        },
        origin: Origin::Imported,
        server: None,
    })
}

/// The objects of the body. Blank lines are kept: each belongs to the object before it, leading ones to the first.
fn lines(input: &Input<'_>) -> Result<Vec<Line>, ImportError> {
    let mut lines: Vec<Line> = Vec::new();
    let mut start = 0;
    let mut end = 0;
    for (index, text) in input.bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
        end += text.len();
        if text.trim_ascii().is_empty() {
            if let Some(last) = lines.last_mut() {
                last.range.end = end;
                start = end;
            }
            continue;
        }
        let number = index + 1;
        let answer = serde_json::from_slice(text).map_err(|error| ImportError::NotAnswer {
            label: input.label.to_owned(),
            line: number,
            message: message_of(&error),
        })?;
        lines.push(Line { number, range: start..end, answer });
        start = end;
    }
    Ok(lines)
}

/// The chunks' offsets in microseconds, by their own timestamps.
///
/// The first object is placed so that the last one is `total_duration` after the request, where that is stated.
fn offsets(input: &Input<'_>, lines: &[Line]) -> Result<Vec<u64>, ImportError> {
    let mut since_first_ns: Vec<u64> = Vec::with_capacity(lines.len());
    let mut first = None;
    for Line { number, answer, .. } in lines {
        let (label, line) = (|| input.label.to_owned(), *number);
        let text = answer.created_at.as_ref().ok_or_else(|| ImportError::NoTime { label: label(), line })?;
        let found = || text.clone();
        let bad = || ImportError::BadTime { label: label(), line, found: found() };
        let at_ns = text.parse::<jiff::Timestamp>().map_err(|_| bad())?.as_nanosecond();
        let decreases = |_| ImportError::TimeDecreases { label: label(), line, found: found() };
        let since = u64::try_from(at_ns - *first.get_or_insert(at_ns)).map_err(decreases)?;
        if since_first_ns.last().is_some_and(|before| since < *before) {
            return Err(ImportError::TimeDecreases { label: label(), line, found: found() });
        }
        since_first_ns.push(since);
    }
    let total_ns = lines.last().and_then(|line| line.answer.total_duration).unwrap_or(0);
    let first_ns = total_ns.saturating_sub(since_first_ns.last().copied().unwrap_or(0));
    Ok(since_first_ns.into_iter().map(|since| first_ns.saturating_add(since) / 1000).collect())
}
