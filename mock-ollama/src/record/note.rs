//! What was seen, as a recording.

use bytes::Bytes;
use serde_json::Value;

use super::folder::slug;
use super::gzip;
use super::limits::MAX_ANSWER_BYTES;
use crate::clock::Instant;
use crate::http::RequestHead;
use crate::models::ModelName;
use crate::recording::{Chunk, End, Exchange, Method, Origin, Recording, Request, RequestBody, Response};
use crate::scrub::{Pass, Scrub};

/// Response fields that are kept: what a client acts on. Anything else may hold a secret, or is made anew by the server.
const KEPT_FIELDS: &[&str] =
    &["content-type", "content-language", "allow", "location", "retry-after", "retry-after-ms", "x-should-retry"];

/// One exchange while it is on its way.
#[derive(Debug)]
pub(super) struct Note {
    pub(super) request: Request,
    /// When the whole request had been sent.
    pub(super) sent: Instant,
    pub(super) response: Option<Response>,
    pub(super) chunks: Vec<Chunk>,
}

impl Note {
    /// What is kept of a request; the reason where nothing can be.
    pub(super) fn of(head: &RequestHead, body: &[u8], sent: Instant) -> Result<Self, String> {
        let methods = [Method::Get, Method::Head, Method::Post, Method::Delete];
        let method = methods.into_iter().find(|method| method.as_str() == head.method);
        let method = method.ok_or_else(|| format!("recordings have no method {}", head.method))?;
        if head.target.contains('?') {
            return Err("recordings have no query".to_owned());
        }
        let body = match (body.is_empty(), std::str::from_utf8(body)) {
            (true, _) => None,
            (false, Err(_)) => return Err("the request body is not UTF-8".to_owned()),
            (false, Ok(text)) => Some(match serde_json::from_str::<Value>(text) {
                Ok(value) => RequestBody::Json(value),
                Err(_) => RequestBody::Text(text.to_owned()),
            }),
        };
        let request = Request { method, path: head.path().to_owned(), body };
        Ok(Self { request, sent, response: None, chunks: Vec::new() })
    }

    pub(super) fn head(&mut self, status: u16, fields: Vec<(String, String)>) {
        self.response = Some(Response { status, headers: fields });
    }

    pub(super) fn chunk(&mut self, bytes: Bytes, arrived: Instant) {
        let at = arrived.saturating_since(self.sent).as_micros();
        let at_us = u64::try_from(at).unwrap_or(u64::MAX);
        self.chunks.push(Chunk { at_us, bytes });
    }

    /// The recording of an exchange that ended so; `None` when not even the head of a response came.
    ///
    /// # Errors
    /// Why what came cannot be scrubbed, and so is not recorded.
    pub(super) fn finish(self, end: End, scrub: &Scrub) -> Result<Option<Recording>, String> {
        let Some(response) = self.response else { return Ok(None) };
        let chunks = decoded(&response, self.chunks, scrub)?;
        let path = scrub.target(&self.request.path);
        let body = self.request.body.map(|body| match body {
            RequestBody::Json(value) => RequestBody::Json(scrub.json(&value)),
            RequestBody::Text(text) => RequestBody::Text(scrub.request(&text)),
        });
        let model = model_of(body.as_ref());
        let (times, bytes): (Vec<u64>, Vec<Bytes>) = chunks.into_iter().map(|chunk| (chunk.at_us, chunk.bytes)).unzip();
        // What is left of a chunk may be nothing, and a recording holds no empty ones.
        let chunks = times.into_iter().zip(scrub.chunks(bytes)).filter(|(_, bytes)| !bytes.is_empty());
        let chunks = chunks.map(|(at_us, bytes)| Chunk { at_us, bytes }).collect();
        let fields = response.headers.into_iter();
        let kept = fields.filter(|(name, _)| KEPT_FIELDS.contains(&name.to_ascii_lowercase().as_str()));
        let headers = kept.map(|(name, value)| (name, scrub.field(&value))).collect();
        let response = Response { status: response.status, headers };
        let parts = [slug(&path), slug(&model)].into_iter().filter(|part| !part.is_empty());
        // Parts that match nothing may make something together that does.
        let name = slug(&scrub.target(&parts.collect::<Vec<_>>().join("-")));
        let request = Some(Request { method: self.request.method, path, body });
        let exchange = Exchange { request, sent_us: None, response, chunks, end };
        let name = if name.is_empty() { "root".to_owned() } else { name };
        let recording = Recording::new(name, Origin::Recorded, listed(&model), vec![exchange]);
        Ok(Some(Recording { scrub: scrub.patterns(), ..recording }))
    }
}

/// The chunks of a body with its compression undone: what is compressed cannot be scrubbed.
fn decoded(response: &Response, chunks: Vec<Chunk>, scrub: &Scrub) -> Result<Vec<Chunk>, String> {
    if chunks.is_empty() || !scrub.makes(Pass::Compressed) {
        return Ok(chunks);
    }
    match response.header("content-encoding").unwrap_or("identity").trim().to_ascii_lowercase().as_str() {
        "" | "identity" => Ok(chunks),
        "gzip" | "x-gzip" => gzip::decode(chunks, MAX_ANSWER_BYTES),
        other => Err(format!("a body with Content-Encoding {other:?} is not recorded")),
    }
}

/// What is said of an exchange of which there is no recording.
pub(super) fn not_recorded(head: &RequestHead, why: &str, scrub: &Scrub) -> String {
    scrub.complaint(&format!("not recorded: {} {}: {why}", head.method, head.target))
}

/// A model's name as listings show it.
fn listed(name: &str) -> String {
    ModelName::parse(name).map_or_else(|| name.to_owned(), |name| name.to_string())
}

/// The model that a request names.
fn model_of(body: Option<&RequestBody>) -> String {
    let named = match body {
        Some(RequestBody::Json(value)) => value["model"].as_str().or_else(|| value["name"].as_str()),
        _ => None,
    };
    named.filter(|name| !name.trim().is_empty()).unwrap_or("none").to_owned()
}

#[cfg(test)]
#[path = "note_tests/mod.rs"]
mod tests;
