//! What another tool kept of an exchange, as an exchange of a recording.

use std::time::Duration;

use bytes::Bytes;

use super::archive::{Archive, ArchivedExchange};
use super::body;
use super::error::InputProblem;
use super::format::InputFormat;
use super::imported::{ImportedExchange, KnownFacts};
use super::response::KEPT_FIELDS;
use super::tags::listed_name;
use crate::recording::{Chunk, End, Exchange, Origin, Request, RequestBody, Response};

/// Returns the exchanges of an archive. The first one carries the notes on those that were passed over.
pub(super) fn exchanges(archive: Archive, gap: Option<Duration>) -> Vec<ImportedExchange> {
    let mut imported: Vec<ImportedExchange> =
        archive.exchanges.into_iter().map(|archived| exchange(archived, gap)).collect();
    if let Some(first) = imported.first_mut() {
        first.notes.splice(0..0, archive.notes);
    }
    imported
}

/// Returns the exchange. Its body is cut as the import of a body cuts it; one in none of those formats is one chunk.
fn exchange(archived: ArchivedExchange, gap: Option<Duration>) -> ImportedExchange {
    let ArchivedExchange { place, route, request, response } = archived;
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
    let has_bad_times = matches!(
        read.as_ref().map_err(|error| &error.problem),
        Err(InputProblem::NoTime | InputProblem::BadTime(_) | InputProblem::TimeDecreases(_))
    );
    let read = if has_bad_times { body::import(body, format, known.clone(), Some(Duration::ZERO)) } else { read };
    read.ok().filter(|imported| imported.exchange.body() == body)
}

fn as_one_chunk(known: KnownFacts, body: Bytes) -> ImportedExchange {
    let KnownFacts { method, path, request, status, fields } = known;
    let request = method.zip(path).map(|(method, path)| Request { method, path, body: request });
    let response = Response { status: status.unwrap_or(200), headers: fields };
    let chunks = Some(body).filter(|body| !body.is_empty()).map(|bytes| Chunk { at_us: 0, bytes });
    ImportedExchange {
        exchange: Exchange { request, sent_us: None, response, chunks: chunks.into_iter().collect(), end: End::Clean },
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
