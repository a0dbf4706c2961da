//! What was kept, as an exchange of a recording.

use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

use super::super::body::{self, Known};
use super::super::convert::{Imported, Input};
use super::super::error::ImportError;
use super::super::response::KEPT_FIELDS;
use super::super::tags::Tags;
use super::kept::{Answered, Asked, Unfit};
use super::route::Found;
use crate::recording::{Chunk, End, Exchange, Origin, Request, RequestBody, Response};

/// The exchange. Its body is cut as the import of a body cuts it; one that is in none of those forms is one chunk.
pub(super) fn imported(
    found: &Found,
    asked: Asked,
    answered: Answered,
    place: &str,
    gap: Option<Duration>,
) -> Result<Imported, Unfit> {
    let Answered { status, fields, body, sent_us, wait, receive } = answered;
    let known = Known {
        method: Some(found.method),
        path: Some(found.path.clone()),
        request: asked.body.filter(|body| !body.is_empty()).map(request_body).transpose()?,
        status: Some(status),
        fields: kept_fields(&fields),
    };
    let mut imported = cut(&Input { label: place, bytes: &body }, &known, gap)
        .unwrap_or_else(|| as_one_chunk(known, Bytes::from(body)));
    let exchange = &mut imported.exchange;
    exchange.sent_us = sent_us;
    if gap.is_none() {
        set_times(&mut exchange.chunks, wait, receive);
    }
    let named = exchange.request.as_ref().and_then(model_of);
    imported.model = named.or(imported.model).map(|name| Tags::listed_name(&name));
    if found.has_query {
        imported.notes.push("the query of its URL is not kept; a recording has none".to_owned());
    }
    for note in &mut imported.notes {
        *note = format!("{place}: {note}");
    }
    Ok(imported)
}

/// The body as its own import reads it, with times where its objects have usable ones; `None` where that would change a byte.
fn cut(input: &Input<'_>, known: &Known, gap: Option<Duration>) -> Option<Imported> {
    let read = match body::import(input, known.clone(), gap) {
        Err(ImportError::NoTime { .. } | ImportError::BadTime { .. } | ImportError::TimeDecreases { .. }) => {
            body::import(input, known.clone(), Some(Duration::ZERO))
        }
        read => read,
    };
    read.ok().filter(|imported| imported.exchange.body() == input.bytes)
}

fn as_one_chunk(known: Known, body: Bytes) -> Imported {
    let Known { method, path, request, status, fields } = known;
    let request = method.zip(path).map(|(method, path)| Request { method, path, body: request });
    let response = Response { status: status.unwrap_or(200), headers: fields };
    let chunks = Some(body).filter(|body| !body.is_empty()).map(|bytes| Chunk { at_us: 0, bytes });
    Imported {
        exchange: Exchange { request, sent_us: None, response, chunks: chunks.into_iter().collect(), end: End::Clean },
        origin: Origin::Imported,
        server: None,
        model: None,
        notes: Vec::new(),
    }
}

/// The model that a request is for.
fn model_of(request: &Request) -> Option<String> {
    let Some(RequestBody::Json(body)) = &request.body else { return None };
    let name = body["model"].as_str().or_else(|| body["name"].as_str())?;
    Some(name.to_owned()).filter(|name| !name.trim().is_empty())
}

/// Puts chunks between the first and the last byte of the response.
///
/// Where the objects say when they came, relative to each other or to the request, that is kept.
fn set_times(chunks: &mut [Chunk], wait: Duration, receive: Duration) {
    let us = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    let (wait_us, receive_us) = (us(wait), us(receive));
    let (Some(first), Some(last)) = (chunks.first(), chunks.last()) else { return };
    if first.at_us > 0 {
        return;
    }
    if last.at_us > 0 {
        for chunk in chunks {
            chunk.at_us = chunk.at_us.saturating_add(wait_us);
        }
        return;
    }
    // One chunk alone has come when its last byte has.
    let (before, gaps) = if chunks.len() == 1 { (1, 1) } else { (0, chunks.len() as u128 - 1) };
    for (chunk, index) in chunks.iter_mut().zip(before..) {
        let into = u64::try_from(u128::from(receive_us) * index / gaps).unwrap_or(u64::MAX);
        chunk.at_us = wait_us.saturating_add(into);
    }
}

fn request_body(bytes: Vec<u8>) -> Result<RequestBody, Unfit> {
    let text = String::from_utf8(bytes).map_err(|_| Unfit::Bad("the body of the request is not UTF-8".to_owned()))?;
    Ok(serde_json::from_str::<Value>(&text).map_or_else(|_| RequestBody::Text(text), RequestBody::Json))
}

/// The fields that are kept, with their names as Ollama writes them: tools keep them in lower case.
fn kept_fields(fields: &[(String, String)]) -> Vec<(String, String)> {
    let is_kept = |name: &str| KEPT_FIELDS.iter().any(|kept| kept.eq_ignore_ascii_case(name));
    let word =
        |word: &str| word.chars().take(1).flat_map(char::to_uppercase).chain(word.chars().skip(1)).collect::<String>();
    let written = |name: &str| name.split('-').map(word).collect::<Vec<_>>().join("-");
    let kept = fields.iter().filter(|(name, _)| is_kept(name));
    kept.map(|(name, value)| (written(name), value.trim().to_owned())).collect()
}
