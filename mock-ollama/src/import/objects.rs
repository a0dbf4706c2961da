//! A body of JSON objects, cut behind each of them.

use std::ops::Range;

use bytes::Bytes;
use serde_json::Value;

use super::error::{InputProblem, Located};
use super::segment::{Segment, SegmentContent};
use crate::recording::wire::message_of;

/// Cuts a body behind each of its objects. Blank lines belong to the object before them, leading ones to the first.
///
/// An object that spans several lines is put on one, as the server writes it, unless it is the only one.
///
/// # Errors
///
/// What is no object, with its line.
pub(super) fn cut(bytes: &[u8]) -> Result<Vec<Segment>, Located> {
    let (found, tail) = objects(bytes)?;
    let is_alone = found.len() == 1 && tail.is_none();
    let body = Bytes::copy_from_slice(bytes);
    let mut segments: Vec<Segment> = Vec::with_capacity(found.len() + 1);
    for ObjectSpan { object, range, value, line } in found {
        let text = &bytes[object];
        let is_spread = text.contains(&b'\n');
        let bytes = if is_spread && !is_alone { Bytes::from(on_one_line(text)) } else { body.slice(range) };
        segments.push(Segment { bytes, content: SegmentContent::Object(value), line });
    }
    segments.extend(tail.map(|(range, line)| Segment {
        bytes: body.slice(range),
        content: SegmentContent::Broken,
        line,
    }));
    Ok(segments)
}

/// An object, and where it stands.
struct ObjectSpan {
    object: Range<usize>,
    /// With the white space that belongs to it.
    range: Range<usize>,
    value: Value,
    /// The line in which it begins, counted from 1.
    line: usize,
}

/// Where a body breaks off within an object: the place of that, and its line.
type Tail = (Range<usize>, usize);

/// Returns the objects of a body, and what is left where it breaks off within one.
fn objects(bytes: &[u8]) -> Result<(Vec<ObjectSpan>, Option<Tail>), Located> {
    let mut found: Vec<ObjectSpan> = Vec::new();
    let (mut begin, mut start, mut line) = (0, 0, 1);
    loop {
        let rest = &bytes[begin..];
        let blank = rest.len() - rest.trim_ascii_start().len();
        if blank == rest.len() {
            return Ok((found, None));
        }
        line += newlines(&bytes[start..begin + blank]);
        start = begin + blank;
        let rest = &bytes[start..];
        let bad = |line, message: &str| InputProblem::NotAnswer(message.to_owned()).at_line(line);
        if !rest.starts_with(b"{") {
            return Err(bad(line, "an object begins with {"));
        }
        let mut values = serde_json::Deserializer::from_slice(rest).into_iter::<Value>();
        let value = match values.next() {
            Some(Ok(value)) => value,
            Some(Err(error)) if !is_cut(rest, &error) => {
                return Err(bad(line + error.line().saturating_sub(1), &message_of(&error)));
            }
            _ => return Ok((found, Some((begin..bytes.len(), line)))),
        };
        let end = start + values.byte_offset();
        let next = end + trailing_blanks(&bytes[end..]);
        found.push(ObjectSpan { object: start..end, range: begin..next, value, line });
        begin = next;
    }
}

/// Returns how much of the white space at the begin of `bytes` belongs to the object before it: all up to the last newline.
/// At the end of the body it is all of it.
fn trailing_blanks(bytes: &[u8]) -> usize {
    let blank = bytes.len() - bytes.trim_ascii_start().len();
    if blank == bytes.len() {
        return blank;
    }
    bytes[..blank].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1)
}

/// Returns whether an object that cannot be read just breaks off, also where a newline was put behind it.
fn is_cut(object: &[u8], error: &serde_json::Error) -> bool {
    let text = object.trim_ascii_end();
    let is_last_line = !text.contains(&b'\n');
    error.is_eof()
        || is_last_line && serde_json::from_slice::<serde::de::IgnoredAny>(text).is_err_and(|error| error.is_eof())
}

fn newlines(bytes: &[u8]) -> usize {
    bytes.split(|byte| *byte == b'\n').count() - 1
}

/// Returns a JSON text without the white space between its tokens, and a newline.
fn on_one_line(text: &[u8]) -> Vec<u8> {
    let (mut is_string, mut is_escaped) = (false, false);
    let mut out: Vec<u8> = text
        .iter()
        .copied()
        .filter(|&byte| {
            let is_kept = is_string || !byte.is_ascii_whitespace();
            is_string ^= byte == b'"' && !is_escaped;
            is_escaped = is_string && byte == b'\\' && !is_escaped;
            is_kept
        })
        .collect();
    out.push(b'\n');
    out
}
