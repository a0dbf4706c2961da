//! What every value of a recording must satisfy. The reader and the writer ask the same rules,
//! so that what one writes the other reads.

use serde_json::Value;

use super::error::RecordingProblem;
use super::limits::{FRAMING_HEADERS, MAX_BODY_NESTING};
use super::model::{Model, Request, Response};
use super::request_body::RequestBody;

/// The rules of the header line.
pub(super) fn header(name: &str, model: &Model) -> Result<(), RecordingProblem> {
    if !is_label(name) {
        return Err(RecordingProblem::Name(name.to_owned()));
    }
    if !is_label(&model.name) {
        return Err(RecordingProblem::ModelName(model.name.clone()));
    }
    if let Some(digest) = &model.digest
        && !(digest.len() == 64 && digest.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')))
    {
        return Err(RecordingProblem::ModelDigest(digest.clone()));
    }
    if let Some(time) = &model.modified_at
        && time.parse::<jiff::Timestamp>().is_err()
    {
        return Err(RecordingProblem::ModelModifiedAt(time.clone()));
    }
    Ok(())
}

/// The rules of a request line.
pub(super) fn request(request: &Request) -> Result<(), RecordingProblem> {
    let path = &request.path;
    if !(path.starts_with('/') && path.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'?' | b'#'))) {
        return Err(RecordingProblem::RequestPath(path.clone()));
    }
    match &request.body {
        Some(RequestBody::Json(value)) if is_deeper(value, MAX_BODY_NESTING) => Err(RecordingProblem::BodyNesting),
        _ => Ok(()),
    }
}

/// The rules of a response line.
pub(super) fn response(response: &Response) -> Result<(), RecordingProblem> {
    if !(200..=599).contains(&response.status) {
        return Err(RecordingProblem::Status(response.status));
    }
    for (name, value) in &response.headers {
        if FRAMING_HEADERS.iter().any(|framing| framing.eq_ignore_ascii_case(name)) {
            return Err(RecordingProblem::FramingHeader(name.clone()));
        }
        if name.is_empty() || !name.bytes().all(is_token_byte) {
            return Err(RecordingProblem::HeaderName(name.clone()));
        }
        let sendable = value.bytes().all(|b| b.is_ascii_graphic() || matches!(b, b' ' | b'\t'));
        if !sendable || value.trim() != value {
            return Err(RecordingProblem::HeaderValue { name: name.clone(), value: value.clone() });
        }
    }
    Ok(())
}

/// The rules of a chunk at `at_us` with `length` bytes, which follows a chunk at `before_us` in a response of this status.
pub(super) fn chunk(status: u16, before_us: Option<u64>, at_us: u64, length: usize) -> Result<(), RecordingProblem> {
    match before_us {
        _ if is_bodiless(status) => Err(RecordingProblem::BodyNotAllowed(status)),
        Some(before) if at_us < before => Err(RecordingProblem::OffsetDecreases { before, found: at_us }),
        _ if length == 0 => Err(RecordingProblem::EmptyChunk),
        _ => Ok(()),
    }
}

/// Returns whether a response of this status ends with its head, whatever its fields say (RFC 9112 §6.3).
pub(crate) fn is_bodiless(status: u16) -> bool {
    matches!(status, 100..=199 | 204 | 304)
}

/// Returns whether a text can name something in one line.
fn is_label(text: &str) -> bool {
    !text.trim().is_empty() && !text.chars().any(char::is_control)
}

/// RFC 9110 §5.6.2, `tchar`.
fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// Returns whether arrays and objects are nested more than `levels` deep.
fn is_deeper(value: &Value, levels: usize) -> bool {
    let mut children: Box<dyn Iterator<Item = &Value>> = match value {
        Value::Array(items) => Box::new(items.iter()),
        Value::Object(members) => Box::new(members.values()),
        _ => return false,
    };
    levels == 0 || children.any(|child| is_deeper(child, levels - 1))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::is_deeper;

    #[test]
    fn nesting_counts_arrays_and_objects_but_not_what_they_hold() {
        assert!(!is_deeper(&json!(1), 0));
        assert!(is_deeper(&json!([]), 0));
        assert!(!is_deeper(&json!({"a": 1}), 1));
        assert!(is_deeper(&json!({"a": 1, "b": [2]}), 1));
    }
}
