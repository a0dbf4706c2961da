//! A body and what is known beside it, made an exchange.

use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

use super::convert::{ImportOptions, Imported, Input};
use super::error::ImportError;
use super::form::Form;
use super::{events, object, objects, times};
use crate::recording::{Chunk, End, Exchange, Method, Origin, Request, RequestBody, Response};

/// Some bytes of a body that the server sends at once.
pub(super) struct Piece {
    pub(super) bytes: Bytes,
    pub(super) content: Content,
    /// The line in which it begins, counted from 1.
    pub(super) line: usize,
}

/// What a piece says.
pub(super) enum Content {
    /// Nothing that is looked at.
    Nothing,
    /// A JSON value.
    Object(Value),
    /// That a stream of events is over: `[DONE]`.
    Done,
    /// Something that breaks off, or is no JSON.
    Broken,
}

impl Piece {
    pub(super) fn object(&self) -> Option<&Value> {
        match &self.content {
            Content::Object(value) => Some(value),
            _ => None,
        }
    }
}

/// How a body is framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// JSON lines.
    Lines,
    /// Server-sent events.
    Events,
    /// One text.
    Whole,
}

/// What is known of an exchange beside the body of its response. What is absent follows from the body.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    pub(super) method: Option<Method>,
    pub(super) path: Option<String>,
    pub(super) request: Option<RequestBody>,
    pub(super) status: Option<u16>,
    /// The header fields of the response.
    pub(super) fields: Vec<(String, String)>,
}

impl Known {
    /// What `options` say of a body.
    pub(super) fn of(options: &ImportOptions) -> Self {
        Self {
            method: None,
            path: options.path.clone(),
            request: options.request.clone().map(RequestBody::Json),
            status: options.status,
            fields: Vec::new(),
        }
    }

    fn asks_for_no_stream(&self) -> bool {
        matches!(&self.request, Some(RequestBody::Json(body)) if body["stream"] == false)
    }

    fn model(&self) -> Option<&str> {
        match &self.request {
            Some(RequestBody::Json(body)) => object::model_of(body),
            _ => None,
        }
    }
}

/// Makes an exchange of a body, cut into lines or events; one of another form is taken whole.
pub(super) fn import(input: &Input<'_>, known: Known, gap: Option<Duration>) -> Result<Imported, ImportError> {
    let Input { label, bytes } = *input;
    let form = Form::of(bytes);
    let pieces = match form {
        Form::Events => events::cut(bytes),
        Form::Objects => objects::cut(label, bytes)?,
        _ => whole(bytes),
    };
    let told = pieces.iter().filter_map(Piece::object).find_map(object::path_of);
    // The native routes send no events.
    let told = told.filter(|path| form != Form::Events || path.starts_with("/v1/"));
    let path = known.path.clone().or_else(|| told.map(Into::into));
    let is_spread = bytes.len() != pieces.iter().map(|piece| piece.bytes.len()).sum::<usize>();
    let framing = framing(label, form, &pieces, path.as_deref(), &known)?;
    let status = status(label, &pieces, framing, &known)?;
    let path = path.ok_or_else(|| ImportError::NoPath { label: label.to_owned() })?;
    let missing = missing(&pieces, framing);
    let offsets = times::offsets(label, &pieces, framing, gap)?;
    let model = pieces.iter().filter_map(Piece::object).find_map(object::model_of).or(known.model()).map(str::to_owned);
    let method = known.method.unwrap_or_else(|| object::method_of(&path));
    let mut notes = Vec::new();
    if is_spread {
        notes.push("objects that span several lines were put on one line each, as the server writes them".to_owned());
    }
    notes.extend(missing.map(|what| format!("{what}, so that the recording ends with `eof`")));
    if method == Method::Post && known.request.is_none() && !object::is_of_model(&path) {
        notes.push(
            "the request is not known, and only one without a body gets this answer; state it with --request"
                .to_owned(),
        );
    }
    let mut headers = known.fields;
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
        let kind = content_type(&pieces, framing, &path, status);
        headers.extend(kind.map(|kind| ("Content-Type".to_owned(), kind.to_owned())));
    }
    let chunks = offsets.into_iter().zip(pieces).map(|(at_us, piece)| Chunk { at_us, bytes: piece.bytes });
    let exchange = Exchange {
        request: Some(Request { method, path, body: known.request }),
        sent_us: None,
        response: Response { status, headers },
        chunks: chunks.collect(),
        end: if missing.is_some() { End::Eof } else { End::Clean },
    };
    Ok(Imported { exchange, origin: Origin::Imported, server: None, model, notes })
}

/// A body that is not looked at.
fn whole(bytes: &[u8]) -> Vec<Piece> {
    let piece = |bytes| Piece { bytes: Bytes::copy_from_slice(bytes), content: Content::Nothing, line: 1 };
    Some(bytes).filter(|bytes| !bytes.is_empty()).map(piece).into_iter().collect()
}

/// How the body is framed; an error when its objects stand in no body like that.
fn framing(
    label: &str,
    form: Form,
    pieces: &[Piece],
    path: Option<&str>,
    known: &Known,
) -> Result<Framing, ImportError> {
    let foreign = |what, advice| Err(ImportError::Foreign { label: label.to_owned(), what, advice });
    match (form, pieces) {
        (Form::Events, _) => Ok(Framing::Events),
        (Form::Objects, [first, ..]) if first.object().is_some_and(object::is_event) => foreign(
            "server-sent events without their `data:`",
            "put `data: ` before each object and a blank line behind it",
        ),
        // A lone object over several lines was asked for without a stream: streams have one line an object.
        (Form::Objects, [only]) => {
            let is_line = !only.bytes.trim_ascii().contains(&b'\n') && !known.asks_for_no_stream();
            let is_lone_error = only.object().is_some_and(object::is_error);
            let is_stream = is_line && !is_lone_error && path.is_some_and(object::streams_lines);
            Ok(if is_stream { Framing::Lines } else { Framing::Whole })
        }
        (Form::Objects, _) if path.is_some_and(|path| !object::streams_lines(path)) => {
            foreign("several answers one after the other", "put each into a file of its own")
        }
        (Form::Objects, _) => Ok(Framing::Lines),
        _ => Ok(Framing::Whole),
    }
}

/// The status. An error that stands alone had another one than 200, which its body does not tell.
fn status(label: &str, pieces: &[Piece], framing: Framing, known: &Known) -> Result<u16, ImportError> {
    let is_lone_error = framing == Framing::Whole && pieces.iter().filter_map(Piece::object).any(object::is_error);
    match known.status {
        Some(status) => Ok(status),
        None if is_lone_error => Err(ImportError::NoStatus { label: label.to_owned() }),
        None => Ok(200),
    }
}

/// What is missing at the end of a body that breaks off.
fn missing(pieces: &[Piece], framing: Framing) -> Option<&'static str> {
    let last = pieces.iter().rev().map(|piece| &piece.content).find(|content| !matches!(content, Content::Nothing));
    match (framing, last) {
        (_, Some(Content::Broken)) => Some("the body breaks off within its last object"),
        (_, Some(Content::Done)) | (Framing::Whole, None) => None,
        (Framing::Whole, Some(Content::Object(value))) if value["done"] != false => None,
        (_, Some(Content::Object(value))) if object::is_last(value) => None,
        (Framing::Events, _) => {
            Some("the body breaks off before its last event, such as `data: [DONE]` or `message_stop`")
        }
        _ => Some("the body breaks off before its last object, which says `\"done\":true`"),
    }
}

/// The content type that Ollama sends with such a body; `None` where the body is none of its own.
fn content_type(pieces: &[Piece], framing: Framing, path: &str, status: u16) -> Option<&'static str> {
    match framing {
        Framing::Lines => Some("application/x-ndjson"),
        Framing::Events => Some("text/event-stream"),
        Framing::Whole if pieces.iter().all(|piece| matches!(piece.content, Content::Nothing)) => None,
        // The wrappers below /v1 write by themselves (`middleware/openai.go`).
        Framing::Whole if path.starts_with("/v1/") && status == 200 => Some("application/json"),
        Framing::Whole => Some("application/json; charset=utf-8"),
    }
}

#[cfg(test)]
#[path = "body_tests.rs"]
mod tests;
