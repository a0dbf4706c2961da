//! What was seen, as a recording.

use bytes::Bytes;

use super::error::NotRecorded;
use super::folder::slug;
use super::gzip;
use super::limits::MAX_ANSWER_BYTES;
use crate::clock::Instant;
use crate::http::RequestHead;
use crate::models::ModelName;
use crate::recording::limits::MAX_CHUNKS;
use crate::recording::{self, Chunk, End, Exchange, Method, Origin, Recording, RequestBody, Response};
use crate::scrub::{Pass, Scrub};

/// Response fields that are kept: what a client acts on. Anything else may hold a secret, or is made anew by the server.
const KEPT_FIELDS: &[&str] =
    &["content-type", "content-language", "allow", "location", "retry-after", "retry-after-ms", "x-should-retry"];

/// What was seen of one exchange, so far.
#[derive(Debug)]
pub(super) struct Capture {
    head: RequestHead,
    body: Bytes,
    /// When the whole request had been sent.
    sent: Instant,
    response: Option<Response>,
    chunks: Vec<Chunk>,
    /// Why nothing more is captured.
    given_up: Option<NotRecorded>,
}

impl Capture {
    /// Returns a capture of a request, which counts as sent at `sent` until [`Capture::sent`] says otherwise.
    pub(super) fn of(head: RequestHead, body: Bytes, sent: Instant) -> Self {
        Self { head, body, sent, response: None, chunks: Vec::new(), given_up: None }
    }

    /// Notes when the whole request had been sent.
    pub(super) fn sent(&mut self, now: Instant) {
        self.sent = now;
    }

    /// Returns whether the head of a response has come.
    pub(super) fn is_answered(&self) -> bool {
        self.response.is_some()
    }

    pub(super) fn head(&mut self, status: u16, fields: Vec<(String, String)>) {
        self.response = Some(Response { status, headers: fields });
    }

    pub(super) fn chunk(&mut self, bytes: Bytes, arrived: Instant) {
        if self.given_up.is_some() {
            return;
        }
        if self.chunks.len() == MAX_CHUNKS {
            return self.give_up(NotRecorded::TooManyChunks);
        }
        let at = arrived.saturating_since(self.sent).as_micros();
        let at_us = u64::try_from(at).unwrap_or(u64::MAX);
        self.chunks.push(Chunk { at_us, bytes });
    }

    /// Drops what has come of the answer: it will not be recorded.
    pub(super) fn give_up(&mut self, why: NotRecorded) {
        self.chunks = Vec::new();
        self.given_up.get_or_insert(why);
    }

    /// Returns method and path, as the recording has them or would.
    pub(super) fn title(&self) -> String {
        format!("{} {}", self.head.method, recording::Request::path_of(&self.head.target))
    }

    /// Returns whether the request has a query, of which nothing is kept.
    pub(super) fn has_query(&self) -> bool {
        self.head.target.contains('?')
    }

    /// Returns what is kept of the request.
    fn request(&self, scrub: &Scrub) -> Result<recording::Request, NotRecorded> {
        let method = Method::named(&self.head.method).ok_or_else(|| NotRecorded::Method(self.head.method.clone()))?;
        let path = scrub.target(&recording::Request::path_of(&self.head.target));
        let text = std::str::from_utf8(&self.body).map_err(|_| NotRecorded::NotUtf8)?;
        let body = (!text.is_empty()).then(|| RequestBody::of(&scrub.request(text)));
        Ok(recording::Request { method, path, body })
    }

    /// Returns the recording of an exchange that ended so.
    pub(super) fn finish(mut self, end: End, scrub: &Scrub) -> Result<Recording, NotRecorded> {
        if let Some(why) = self.given_up.take() {
            return Err(why);
        }
        let response = self.response.take().ok_or(match end {
            End::ClientClosed => NotRecorded::CutOff,
            End::Reset => NotRecorded::NoAnswerButReset,
            _ => NotRecorded::NoAnswer,
        })?;
        let request = self.request(scrub)?;
        let chunks = decoded(&response, self.chunks, scrub)?;
        let model = model_of(request.body.as_ref());
        let (times, bytes): (Vec<u64>, Vec<Bytes>) = chunks.into_iter().map(|chunk| (chunk.at_us, chunk.bytes)).unzip();
        // What is left of a chunk may be nothing, and a recording holds no empty ones.
        let chunks = times.into_iter().zip(scrub.chunks(bytes)).filter(|(_, bytes)| !bytes.is_empty());
        let chunks = chunks.map(|(at_us, bytes)| Chunk { at_us, bytes }).collect();
        let fields = response.headers.into_iter();
        let kept = fields.filter(|(name, _)| KEPT_FIELDS.contains(&name.to_ascii_lowercase().as_str()));
        let headers = kept.map(|(name, value)| (name, scrub.field(&value))).collect();
        let response = Response { status: response.status, headers };
        let parts = [slug(&request.path), slug(&model)].into_iter().filter(|part| !part.is_empty());
        // Parts that match nothing may make something together that does.
        let name = slug(&scrub.target(&parts.collect::<Vec<_>>().join("-")));
        let exchange = Exchange { request: Some(request), sent_us: None, response, chunks, end };
        let name = if name.is_empty() { "root".to_owned() } else { name };
        let recording = Recording::new(name, Origin::Recorded, listed(&model), vec![exchange]);
        Ok(Recording { scrub: scrub.patterns(), ..recording })
    }
}

/// Returns the chunks of a body with its compression undone: what is compressed cannot be scrubbed.
fn decoded(response: &Response, chunks: Vec<Chunk>, scrub: &Scrub) -> Result<Vec<Chunk>, NotRecorded> {
    if chunks.is_empty() || !scrub.makes(Pass::Compressed) {
        return Ok(chunks);
    }
    match response.header("content-encoding").unwrap_or("identity").trim().to_ascii_lowercase().as_str() {
        "" | "identity" => Ok(chunks),
        "gzip" | "x-gzip" => gzip::decode(chunks, MAX_ANSWER_BYTES).map_err(NotRecorded::Gzip),
        other => Err(NotRecorded::Encoding(other.to_owned())),
    }
}

/// Returns the complaint about an exchange of which there is no recording.
pub(super) fn not_recorded(title: &str, why: &NotRecorded, scrub: &Scrub) -> String {
    scrub.complaint(&format!("not recorded: {title}: {}", why.chain()))
}

/// Returns a model's name as listings show it; a recording's has no control characters.
fn listed(name: &str) -> String {
    let name = ModelName::parse(name).map_or_else(|| name.to_owned(), |name| name.to_string());
    name.replace(char::is_control, "\u{fffd}")
}

/// Returns the model that a request names.
fn model_of(body: Option<&RequestBody>) -> String {
    let name = body.and_then(|body| body.string("model").or_else(|| body.string("name")));
    name.filter(|name| !name.trim().is_empty()).unwrap_or_else(|| "none".to_owned())
}

#[cfg(test)]
#[path = "capture_tests/mod.rs"]
mod tests;
