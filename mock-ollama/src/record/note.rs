//! What was seen, as a recording.

use bytes::Bytes;
use serde_json::Value;

use super::folder::slug;
use crate::clock::Instant;
use crate::http::RequestHead;
use crate::models::ModelName;
use crate::recording::{Chunk, End, Exchange, Method, Origin, Recording, Request, RequestBody, Response};
use crate::scrub::Scrub;

/// Response fields that are not kept: those that the server makes anew, and those that tell who somebody is.
const DROPPED: &[&str] = &[
    "date",
    "content-length",
    "transfer-encoding",
    "connection",
    "keep-alive",
    "set-cookie",
    "cookie",
    "authorization",
    "proxy-authorization",
    "www-authenticate",
    "proxy-authenticate",
    "x-api-key",
];

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
        let kept = fields.into_iter().filter(|(name, _)| !DROPPED.contains(&name.to_ascii_lowercase().as_str()));
        self.response = Some(Response { status, headers: kept.collect() });
    }

    pub(super) fn chunk(&mut self, bytes: Bytes, arrived: Instant) {
        let at = arrived.saturating_since(self.sent).as_micros();
        let at_us = u64::try_from(at).unwrap_or(u64::MAX);
        self.chunks.push(Chunk { at_us, bytes });
    }

    /// The recording of an exchange that ended so; `None` when not even the head of a response came.
    pub(super) fn finish(self, end: End, scrub: &Scrub) -> Option<Recording> {
        let response = self.response?;
        let Request { method, path, body } = self.request;
        let body = body.map(|body| match body {
            RequestBody::Json(value) => RequestBody::Json(scrub.json(&value)),
            RequestBody::Text(text) => RequestBody::Text(scrub.text(&text)),
        });
        let model = model_of(body.as_ref());
        let bytes: Vec<Bytes> = self.chunks.iter().map(|chunk| chunk.bytes.clone()).collect();
        let scrubbed = scrub.body(&bytes).into_iter();
        // What is left of a chunk may be nothing, and a recording holds no empty ones.
        let chunks = self.chunks.iter().zip(scrubbed).filter(|(_, bytes)| !bytes.is_empty());
        let chunks = chunks.map(|(chunk, bytes)| Chunk { at_us: chunk.at_us, bytes });
        let headers = response.headers.into_iter().map(|(name, value)| (name, scrub.text(&value))).collect();
        let response = Response { headers, ..response };
        let parts = [slug(&path), slug(&model)].into_iter().filter(|part| !part.is_empty());
        let name = parts.collect::<Vec<_>>().join("-");
        let exchange = Exchange {
            request: Some(Request { method, path, body }),
            sent_us: None,
            response,
            chunks: chunks.collect(),
            end,
        };
        let name = if name.is_empty() { "root".to_owned() } else { name };
        let recording = Recording::new(name, Origin::Recorded, listed(&model), vec![exchange]);
        Some(Recording { scrub: scrub.patterns(), ..recording })
    }
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
