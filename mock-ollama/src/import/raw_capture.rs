//! `raw-capture/1`: request, response head, chunks and their arrival times, as JSON lines.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;

use super::error::{InputProblem, Located};
use super::imported::ImportedExchange;
use crate::recording::limits::FRAMING_HEADERS;
use crate::recording::wire::{EventLine, message_of};
use crate::recording::{Chunk, End, Exchange, Method, Origin, Request, RequestBody, Response};

/// The `format` that the first line states.
pub(super) const FORMAT: &str = "raw-capture/1";

#[derive(Deserialize)]
struct Header {
    server: Option<String>,
    model: Option<String>,
    request: CapturedRequest,
    response: Option<CapturedResponse>,
    sent_us: Option<u64>,
}

#[derive(Deserialize)]
struct CapturedRequest {
    method: Method,
    path: String,
    body: Option<Value>,
}

#[derive(Deserialize)]
struct CapturedResponse {
    status: Option<u16>,
    #[serde(default)]
    headers: Vec<(String, String)>,
}

#[derive(Deserialize)]
struct EndLine {
    end: CapturedEnd,
}

#[derive(Deserialize)]
struct CapturedEnd {
    how: End,
    chunks: usize,
    bytes: u64,
}

/// Imports one capture. Its offsets are kept; the framing headers are dropped.
pub(super) fn import(bytes: &[u8]) -> Result<ImportedExchange, Located> {
    let mut lines = bytes.split(|byte| *byte == b'\n').zip(1..).filter(|(text, _)| !text.trim_ascii().is_empty());
    let (first, number) = lines.next().ok_or(InputProblem::Empty)?;
    let header: Header = parse(first, number)?;
    let mut chunks = Vec::new();
    let mut end: Option<CapturedEnd> = None;
    let mut last = number;
    for (text, number) in lines {
        last = number;
        if end.is_some() {
            return Err(malformed(number, "expected nothing after the end line"));
        }
        if text.starts_with(b"[") {
            let EventLine(at_us, payload) = parse(text, number)?;
            let bytes = payload.decode().map_err(|error| malformed(number, error.to_string()))?;
            chunks.push(Chunk { at_us, bytes: Bytes::from(bytes) });
        } else {
            let EndLine { end: found } = parse(text, number)?;
            end = Some(found);
        }
    }
    let end = end.ok_or_else(|| malformed(last, "the end line is missing; the capture was cut off"))?;
    let response = header.response.and_then(|response| {
        let headers = response.headers.into_iter().filter(|(name, _)| !is_framing(name)).collect();
        Some(Response { status: response.status?, headers })
    });
    let response = response.ok_or(InputProblem::NoResponse)?;
    let CapturedRequest { method, path, body } = header.request;
    let body = body.map(|body| match body {
        Value::String(text) => RequestBody::Text(text),
        value => RequestBody::Json(value),
    });
    let request = Some(Request { method, path, body });
    let exchange = Exchange { request, sent_us: header.sent_us, response, chunks, end: end.how };
    let found = (exchange.chunks.len(), exchange.body_len());
    if found != (end.chunks, end.bytes) {
        let stated = format!("the end line states {} chunks and {} bytes", end.chunks, end.bytes);
        return Err(malformed(last, format!("{stated}, found {} and {}", found.0, found.1)));
    }
    // "ollama 0.33.0, CPU": what follows the comma is of the host.
    let server = header.server.map(|text| text.split(',').next().unwrap_or_default().trim().to_owned());
    Ok(ImportedExchange { exchange, origin: Origin::Recorded, server, model: header.model, notes: Vec::new() })
}

fn is_framing(name: &str) -> bool {
    FRAMING_HEADERS.iter().any(|framing| framing.eq_ignore_ascii_case(name))
}

fn parse<'a, T: Deserialize<'a>>(text: &'a [u8], line: usize) -> Result<T, Located> {
    serde_json::from_slice(text).map_err(|error| malformed(line, message_of(&error)))
}

fn malformed(line: usize, message: impl Into<String>) -> Located {
    InputProblem::NotCapture(message.into()).at_line(line)
}
