//! What every value of a recording must satisfy. The reader and the writer ask the same rules,
//! so that what one writes the other reads.

use super::error::RecordingProblem;
use super::limits::FRAMING_HEADERS;
use super::model::{Model, Response};

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

/// The rule of a request's path.
pub(super) fn path(path: &str) -> Result<(), RecordingProblem> {
    if path.starts_with('/') && path.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'?' | b'#')) {
        Ok(())
    } else {
        Err(RecordingProblem::RequestPath(path.to_owned()))
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
