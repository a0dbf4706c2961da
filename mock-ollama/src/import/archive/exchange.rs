//! What another tool kept of an exchange, as an exchange of a recording.

use std::time::Duration;

use bytes::Bytes;

use super::super::body;
use super::super::error::InputProblem;
use super::super::format::InputFormat;
use super::super::imported::{ImportedExchange, KnownFacts};
use super::super::response::KEPT_FIELDS;
use super::super::tags::listed_name;
use super::message::KeptResponse;
use super::route::RouteMatch;
use crate::recording::{Chunk, Exchange, Origin, Request, RequestBody, Response};

/// Returns the exchange. Its body is cut as the import of a body cuts it; one in none of those formats is one chunk.
///
/// `place` says which exchange of the file it is, for people.
pub(super) fn imported(
    place: &str,
    route: RouteMatch,
    request: Option<RequestBody>,
    response: KeptResponse,
    gap: Option<Duration>,
) -> ImportedExchange {
    let known = KnownFacts {
        method: Some(route.method),
        path: Some(route.path),
        request,
        status: Some(response.status),
        fields: kept_fields(&response.fields),
    };
    let mut imported =
        cut(&response.body, &known, gap).unwrap_or_else(|| as_one_chunk(known, Bytes::from(response.body)));
    let exchange = &mut imported.exchange;
    exchange.sent_us = response.sent_us;
    if gap.is_none() {
        set_times(&mut exchange.chunks, response.wait, response.receive);
    }
    let named = exchange.request.as_ref().and_then(model_of);
    imported.model = named.or(imported.model).map(|name| listed_name(&name));
    if route.has_query {
        imported.notes.push("the query of its URL is not kept; a recording has none".to_owned());
    }
    for note in &mut imported.notes {
        *note = format!("{place}: {note}");
    }
    imported
}

/// Returns the body as its own import reads it, with times where its objects have usable ones; `None` where that would change a
/// byte.
fn cut(body: &[u8], known: &KnownFacts, gap: Option<Duration>) -> Option<ImportedExchange> {
    let format = InputFormat::of(body);
    let read = body::import(body, format, known.clone(), gap);
    let has_bad_times = matches!(&read, Err(error) if matches!(error.problem, InputProblem::Time(_)));
    let read = if has_bad_times { body::import(body, format, known.clone(), Some(Duration::ZERO)) } else { read };
    read.ok().filter(|imported| imported.exchange.body() == body)
}

fn as_one_chunk(known: KnownFacts, body: Bytes) -> ImportedExchange {
    let KnownFacts { method, path, request, status, fields } = known;
    let request = method.zip(path).map(|(method, path)| Request::new(method, path, request));
    let chunks = Some(body).filter(|body| !body.is_empty()).map(|bytes| Chunk::new(0, bytes));
    let response = Response::new(status.unwrap_or(200), fields);
    ImportedExchange {
        exchange: Exchange::new(request, response, chunks.into_iter().collect()),
        origin: Origin::Imported,
        server: None,
        model: None,
        notes: Vec::new(),
    }
}

/// Returns the model that a request names.
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

/// Returns the fields that are kept, with their names as Ollama writes them: tools keep them in lower case.
fn kept_fields(fields: &[(String, String)]) -> Vec<(String, String)> {
    let is_kept = |name: &str| KEPT_FIELDS.iter().any(|kept| kept.eq_ignore_ascii_case(name));
    let word =
        |word: &str| word.chars().take(1).flat_map(char::to_uppercase).chain(word.chars().skip(1)).collect::<String>();
    let written = |name: &str| name.split('-').map(word).collect::<Vec<_>>().join("-");
    let kept = fields.iter().filter(|(name, _)| is_kept(name));
    kept.map(|(name, value)| (written(name), value.trim().to_owned())).collect()
}
