//! A body and what is known beside it, made an exchange.

use std::time::Duration;

use super::error::{InputProblem, Located};
use super::format::InputFormat;
use super::imported::{ImportedExchange, KnownFacts};
use super::segment::{Segment, SegmentContent};
use super::{events, object, objects, times};
use crate::recording::{Chunk, End, Exchange, Form, Method, Origin, Request, RequestBody, Response};

/// Makes an exchange of a body in this format, cut into lines or events. One in another format is taken whole.
pub(super) fn import(
    bytes: &[u8],
    format: InputFormat,
    known: KnownFacts,
    gap: Option<Duration>,
) -> Result<ImportedExchange, Located> {
    let segments = match format {
        InputFormat::Events => events::cut(bytes),
        InputFormat::Objects => objects::cut(bytes)?,
        _ => Segment::whole(bytes),
    };
    let shown_path = segments.iter().filter_map(Segment::object).find_map(object::path_of);
    // The native routes send no events.
    let shown_path = shown_path.filter(|path| format != InputFormat::Events || path.starts_with("/v1/"));
    let path = known.path.clone().or_else(|| shown_path.map(Into::into));
    let is_spread = bytes.len() != segments.iter().map(|segment| segment.bytes.len()).sum::<usize>();
    let form = form(format, &segments, path.as_deref(), &known)?;
    let status = status(&segments, form, &known)?;
    let path = path.ok_or(InputProblem::NoPath)?;
    let missing = missing(&segments, form);
    let offsets = times::offsets(&segments, form, gap)?;
    let model =
        segments.iter().filter_map(Segment::object).find_map(object::model_of).or(model_of(&known)).map(str::to_owned);
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
        let kind = content_type(&segments, form, &path, status);
        headers.extend(kind.map(|kind| ("Content-Type".to_owned(), kind.to_owned())));
    }
    let chunks = offsets.into_iter().zip(segments).map(|(at_us, segment)| Chunk::new(at_us, segment.bytes));
    let request = Request::new(method, path, known.request);
    let mut exchange = Exchange::new(Some(request), Response::new(status, headers), chunks.collect());
    if missing.is_some() {
        exchange.end = End::Eof;
    }
    Ok(ImportedExchange { exchange, origin: Origin::Imported, server: None, model, notes })
}

/// Returns the model that the request names.
fn model_of(known: &KnownFacts) -> Option<&str> {
    match &known.request {
        Some(RequestBody::Json(body)) => object::model_of(body),
        _ => None,
    }
}

/// Returns the form of the body; an error when its objects stand in no body like that.
fn form(
    format: InputFormat,
    segments: &[Segment],
    path: Option<&str>,
    known: &KnownFacts,
) -> Result<Form, InputProblem> {
    let foreign = |what, advice| Err(InputProblem::Foreign { what, advice });
    let asks_for_no_stream = matches!(&known.request, Some(RequestBody::Json(body)) if body["stream"] == false);
    match (format, segments) {
        (InputFormat::Events, _) => Ok(Form::Events),
        (InputFormat::Objects, [first, ..]) if first.object().is_some_and(object::is_event) => foreign(
            "server-sent events without their `data:`",
            "put `data: ` before each object and a blank line behind it",
        ),
        // A lone object over several lines was asked for without a stream: streams have one line an object.
        (InputFormat::Objects, [only]) => {
            let is_line = !only.bytes.trim_ascii().contains(&b'\n') && !asks_for_no_stream;
            let is_lone_error = only.object().is_some_and(object::is_error);
            let is_stream = is_line && !is_lone_error && path.is_some_and(object::streams_lines);
            Ok(if is_stream { Form::Lines } else { Form::Whole })
        }
        (InputFormat::Objects, _) if path.is_some_and(|path| !object::streams_lines(path)) => {
            foreign("several answers one after the other", "put each into its own file")
        }
        (InputFormat::Objects, _) => Ok(Form::Lines),
        _ => Ok(Form::Whole),
    }
}

/// Returns the status. An error that stands alone had another one than 200, which its body does not tell.
fn status(segments: &[Segment], form: Form, known: &KnownFacts) -> Result<u16, InputProblem> {
    let is_lone_error = form == Form::Whole && segments.iter().filter_map(Segment::object).any(object::is_error);
    match known.status {
        Some(status) => Ok(status),
        None if is_lone_error => Err(InputProblem::NoStatus),
        None => Ok(200),
    }
}

/// Returns what is missing at the end of a body that breaks off.
fn missing(segments: &[Segment], form: Form) -> Option<&'static str> {
    let last = segments
        .iter()
        .rev()
        .map(|segment| &segment.content)
        .find(|content| !matches!(content, SegmentContent::Opaque));
    match (form, last) {
        (_, Some(SegmentContent::Broken)) => Some("the body breaks off within its last object"),
        (_, Some(SegmentContent::Done)) | (Form::Whole, None) => None,
        (Form::Whole, Some(SegmentContent::Object(value))) if value["done"] != false => None,
        (_, Some(SegmentContent::Object(value))) if object::is_last(value) => None,
        (Form::Events, _) => {
            Some("the body breaks off before its last event, such as `data: [DONE]` or `message_stop`")
        }
        _ => Some("the body breaks off before its last object, which says `\"done\":true`"),
    }
}

/// Returns the content type that Ollama sends with such a body; `None` where the body is not one of Ollama's.
fn content_type(segments: &[Segment], form: Form, path: &str, status: u16) -> Option<&'static str> {
    match form {
        Form::Lines => Some("application/x-ndjson"),
        Form::Events => Some("text/event-stream"),
        Form::Whole if segments.iter().all(|segment| matches!(segment.content, SegmentContent::Opaque)) => None,
        // The wrappers below /v1 write by themselves (`middleware/openai.go`).
        Form::Whole if path.starts_with("/v1/") && status == 200 => Some("application/json"),
        Form::Whole => Some("application/json; charset=utf-8"),
    }
}

#[cfg(test)]
#[path = "body_tests.rs"]
mod tests;
