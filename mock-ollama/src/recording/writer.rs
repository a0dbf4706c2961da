//! The canonical writer: one text for one recording.

use std::borrow::Cow;
use std::io::{self, Write};

use serde::Serialize;
use serde_json::value::to_raw_value;
use sha2::{Digest as _, Sha256};

use super::error::{RecordingProblem, WriteError};
use super::limits::{MAX_BODY_NESTING, MAX_CHUNKS, MAX_FILE_BYTES};
use super::model::{Exchange, Recording, Request};
use super::request_body::{RequestBody, is_nested_deeper};
use super::rules;
use super::wire::{
    EndLine, EndObject, EventLine, HeaderLine, Payload, RequestLine, RequestObject, ResponseLine, VERSION,
};

/// Writes `recording` in its canonical form, which [`read`](super::read) reads back to an equal recording.
///
/// # Errors
///
/// [`WriteError::Invalid`] when the recording breaks a rule or a limit of the format; some lines may have
/// been written by then. [`WriteError::Io`] when `writer` fails.
pub fn write(recording: &Recording, writer: impl Write) -> Result<(), WriteError> {
    let mut sink = Sink { writer, line: Vec::new(), bytes: 0 };
    let mut chunks = 0;
    header(recording, &mut sink).map_err(|fault| fault.within(recording, None))?;
    for (index, exchange) in recording.exchanges.iter().enumerate() {
        chunks += exchange.chunks.len();
        let written = if chunks > MAX_CHUNKS {
            Err(Fault::Invalid(RecordingProblem::TooManyChunks))
        } else {
            self::exchange(exchange, &mut sink)
        };
        written.map_err(|fault| fault.within(recording, Some(index + 1)))?;
    }
    if recording.exchanges.is_empty() {
        return Err(Fault::Invalid(RecordingProblem::NoExchanges).within(recording, None));
    }
    sink.writer.flush()?;
    Ok(())
}

/// Returns the canonical text of `recording`.
///
/// # Errors
///
/// [`WriteError::Invalid`] when the recording breaks a rule or a limit of the format.
pub fn to_string(recording: &Recording) -> Result<String, WriteError> {
    let mut text = Vec::new();
    write(recording, &mut text)?;
    String::from_utf8(text).map_err(|error| io::Error::other(error).into())
}

/// Whether `recording` could be written.
///
/// # Errors
///
/// [`WriteError::Invalid`] when the recording breaks a rule or a limit of the format.
pub fn check(recording: &Recording) -> Result<(), WriteError> {
    write(recording, io::sink())
}

/// Returns lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut digits, byte| {
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}

enum Fault {
    Io(io::Error),
    Invalid(RecordingProblem),
}

impl From<RecordingProblem> for Fault {
    fn from(problem: RecordingProblem) -> Self {
        Self::Invalid(problem)
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Fault {
    fn within(self, recording: &Recording, exchange: Option<usize>) -> WriteError {
        match self {
            Self::Io(error) => WriteError::Io(error),
            Self::Invalid(problem) => {
                WriteError::Invalid { name: recording.name.clone(), exchange, problem: Box::new(problem) }
            }
        }
    }
}

/// Lines on their way out, measured against the limits.
struct Sink<W> {
    writer: W,
    line: Vec<u8>,
    bytes: u64,
}

impl<W: Write> Sink<W> {
    fn put(&mut self, line: &impl Serialize) -> Result<(), Fault> {
        self.line.clear();
        serde_json::to_writer(&mut self.line, line).map_err(io::Error::from)?;
        self.line.push(b'\n');
        self.bytes += self.line.len() as u64;
        if self.bytes > MAX_FILE_BYTES {
            return Err(RecordingProblem::FileTooLarge.into());
        }
        Ok(self.writer.write_all(&self.line)?)
    }
}

fn header(recording: &Recording, sink: &mut Sink<impl Write>) -> Result<(), Fault> {
    rules::header(&recording.name, &recording.model)?;
    sink.put(&HeaderLine {
        recording: VERSION,
        name: Cow::Borrowed(&recording.name),
        origin: recording.origin,
        server: recording.server.as_deref().map(Cow::Borrowed),
        model: Cow::Borrowed(&recording.model),
        licence: recording.licence.as_deref().map(Cow::Borrowed),
        description: recording.description.as_deref().map(Cow::Borrowed),
        source: recording.source.as_deref().map(Cow::Borrowed),
        scrub: Cow::Borrowed(&recording.scrub),
    })
}

fn exchange(exchange: &Exchange, sink: &mut Sink<impl Write>) -> Result<(), Fault> {
    if exchange.request.is_some() || exchange.sent_us.is_some() {
        let request = exchange.request.as_ref().map(request).transpose()?;
        sink.put(&RequestLine { request, sent_us: exchange.sent_us })?;
    }
    rules::response(&exchange.response)?;
    sink.put(&ResponseLine { response: &exchange.response })?;
    let mut hash = Sha256::new();
    let mut before = None;
    for chunk in &exchange.chunks {
        rules::chunk(exchange.response.status, before, chunk.at_us, chunk.bytes.len())?;
        before = Some(chunk.at_us);
        hash.update(&chunk.bytes);
        sink.put(&EventLine(chunk.at_us, Payload::of(&chunk.bytes)))?;
    }
    let end = EndObject {
        how: exchange.end,
        chunks: exchange.chunks.len() as u64,
        bytes: exchange.body_len(),
        sha256: Cow::Owned(hex(&hash.finalize())),
    };
    sink.put(&EndLine { end })
}

fn request(request: &Request) -> Result<RequestObject<'_>, Fault> {
    rules::path(&request.path)?;
    let (body, body_text) = match &request.body {
        None => (None, None),
        Some(RequestBody::Json(value)) => {
            let json = to_raw_value(value).map_err(io::Error::from)?;
            if is_nested_deeper(json.get(), MAX_BODY_NESTING) {
                return Err(RecordingProblem::BodyNesting.into());
            }
            (Some(Cow::Owned(json)), None)
        }
        Some(RequestBody::Exact(json)) => (Some(Cow::Borrowed(json.raw())), None),
        Some(RequestBody::Text(text)) => (None, Some(Cow::Borrowed(text.as_str()))),
    };
    Ok(RequestObject { method: request.method, path: Cow::Borrowed(&request.path), body, body_text })
}

#[cfg(test)]
#[path = "writer_tests.rs"]
mod tests;
