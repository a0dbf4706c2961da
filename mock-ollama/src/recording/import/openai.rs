//! A body of the routes below `/v1`: server-sent events, or one JSON object. A chunk is an event with its blank line.

use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

use super::convert::{ImportOptions, Imported, Input};
use super::error::ImportError;
use crate::recording::{Chunk, End, Exchange, Method, Origin, Request, RequestBody, Response};

/// Whether this looks like such a body: events, or an object that says which of theirs it is.
pub(super) fn is_one(input: &Input<'_>) -> bool {
    is_sse(input.bytes) || serde_json::from_slice(input.bytes).is_ok_and(|value: Value| path_of(&value).is_some())
}

fn is_sse(bytes: &[u8]) -> bool {
    let first = bytes.trim_ascii_start();
    first.starts_with(b"data:") || first.starts_with(b"event:")
}

/// The route whose answers hold such an object.
fn path_of(value: &Value) -> Option<&'static str> {
    let kind = value["type"].as_str().unwrap_or_default();
    match value["object"].as_str().unwrap_or_default() {
        "chat.completion" | "chat.completion.chunk" => Some("/v1/chat/completions"),
        "text_completion" => Some("/v1/completions"),
        "response" => Some("/v1/responses"),
        "list" if value["data"][0]["object"] == "embedding" => Some("/v1/embeddings"),
        _ if kind.starts_with("response.") => Some("/v1/responses"),
        _ if kind == "message" || kind == "message_start" => Some("/v1/messages"),
        _ => None,
    }
}

/// Imports such a body. Its objects carry no times, so that all of it comes at once unless a gap is given.
pub(super) fn import(input: &Input<'_>, options: &ImportOptions) -> Result<Imported, ImportError> {
    let sse = is_sse(input.bytes);
    let pieces = if sse { events(input.bytes) } else { vec![input.bytes] };
    let values: Vec<Value> = pieces.iter().filter_map(|piece| data(piece, sse)).collect();
    let path = options.path.clone().or_else(|| values.iter().find_map(path_of).map(str::to_owned));
    let path = path.ok_or_else(|| ImportError::NoPath { label: input.label.to_owned() })?;
    let gap = options.gap.unwrap_or(Duration::ZERO);
    let gap_us = u64::try_from(gap.as_micros()).unwrap_or(u64::MAX);
    let chunks = pieces
        .iter()
        .zip(0_u64..)
        .map(|(piece, index)| Chunk { at_us: index.saturating_mul(gap_us), bytes: Bytes::copy_from_slice(piece) });
    let kind = if sse { "text/event-stream" } else { "application/json" };
    let model = |value: &Value| {
        let places = [&value["model"], &value["message"]["model"], &value["response"]["model"]];
        places.into_iter().find_map(Value::as_str).filter(|name| !name.is_empty()).map(str::to_owned)
    };
    Ok(Imported {
        model: values.iter().find_map(model),
        exchange: Exchange {
            request: Some(Request { method: Method::Post, path, body: options.request.clone().map(RequestBody::Json) }),
            sent_us: None,
            response: Response { status: 200, headers: vec![("Content-Type".to_owned(), kind.to_owned())] },
            chunks: chunks.collect(),
            end: End::Clean,
        },
        origin: Origin::Imported,
        server: None,
    })
}

/// The events of a body, each with the blank lines after it.
fn events(bytes: &[u8]) -> Vec<&[u8]> {
    let (mut out, mut start, mut at) = (Vec::new(), 0, 0);
    let mut blank = false;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let is_blank = line.trim_ascii().is_empty();
        if blank && !is_blank {
            out.push(&bytes[start..at]);
            start = at;
        }
        blank = is_blank;
        at += line.len();
    }
    if start < bytes.len() {
        out.push(&bytes[start..]);
    }
    out
}

fn data(piece: &[u8], sse: bool) -> Option<Value> {
    if !sse {
        return serde_json::from_slice(piece).ok();
    }
    let text = std::str::from_utf8(piece).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("data:"))?;
    serde_json::from_str(line.trim()).ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::recording::import::{ImportError, ImportOptions, Input, import};

    fn options() -> ImportOptions {
        ImportOptions { name: "x".to_owned(), ..ImportOptions::default() }
    }

    const EVENTS: &str = "data: {\"object\":\"chat.completion.chunk\",\"model\":\"m\",\"choices\":[]}\n\n\
                          data: {\"object\":\"chat.completion.chunk\",\"model\":\"m\",\"choices\":[1]}\n\ndata: [DONE]\n\n";

    #[test]
    fn each_event_is_a_chunk_and_the_first_object_tells_route_and_model() {
        let input = Input { label: "a.sse", bytes: EVENTS.as_bytes() };
        let options = ImportOptions { gap: Some(Duration::from_millis(5)), ..options() };
        let recording = import(&[input], &options).unwrap();
        let exchange = &recording.exchanges[0];
        assert_eq!(exchange.request.as_ref().unwrap().path, "/v1/chat/completions");
        assert_eq!((recording.model.name.as_str(), exchange.chunks.len()), ("m:latest", 3));
        assert_eq!(exchange.chunks[2].at_us, 10_000);
        assert_eq!(exchange.body(), EVENTS.as_bytes());
    }

    #[test]
    fn events_with_names_and_whole_objects_are_told_by_what_they_are() {
        for (body, path) in [
            (
                "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"model\":\"m\"}}\n\n",
                "/v1/messages",
            ),
            (
                "event: response.created\ndata: {\"type\":\"response.created\",\"response\":{\"model\":\"m\"}}\n\n",
                "/v1/responses",
            ),
            ("{\"object\":\"text_completion\",\"model\":\"m\"}\n", "/v1/completions"),
        ] {
            let recording = import(&[Input { label: "b", bytes: body.as_bytes() }], &options()).unwrap();
            assert_eq!(recording.exchanges[0].request.as_ref().unwrap().path, path);
        }
    }

    #[test]
    fn events_that_do_not_tell_their_route_are_refused() {
        let input = Input { label: "c.sse", bytes: b"data: {\"x\":1}\n\n" };
        assert!(matches!(import(&[input], &options()), Err(ImportError::NoPath { .. })));
    }
}
