//! A recorded response, encoded once and shared by every stream that replays it.

use std::sync::OnceLock;

use bytes::Bytes;

use crate::dialect::{Collected, collect};
use crate::http::encode_chunk;
use crate::recording::{End, Exchange};

/// The longest body that Go sends with `Content-Length` when the handler writes it at once.
const MAX_LENGTH_BODY: usize = 2048;

/// A recorded response, ready to be sent.
#[derive(Debug)]
pub struct Prepared {
    /// The status code.
    pub status: u16,
    /// The fields that the handler set.
    pub fields: Vec<(String, String)>,
    /// The body.
    pub body: Body,
    /// How the body ends.
    pub end: End,
    collected: OnceLock<Option<Collected>>,
}

/// A response body and how it is framed.
#[derive(Clone, Debug)]
pub enum Body {
    /// One HTTP chunk for every recorded chunk, each at its time.
    Stream(Vec<Piece>),
    /// A body that is written at once: with `Content-Length` up to 2048 bytes, else as one chunk.
    Whole {
        /// When it is due, in microseconds from the request.
        at_us: u64,
        /// The body.
        data: Bytes,
    },
}

/// One recorded chunk.
#[derive(Clone, Debug)]
pub struct Piece {
    /// When it was recorded, in microseconds from the request.
    pub at_us: u64,
    /// Its bytes.
    pub data: Bytes,
    /// Its bytes as an HTTP chunk.
    pub encoded: Bytes,
}

impl Prepared {
    /// Encodes a recorded response.
    pub fn new(exchange: &Exchange) -> Self {
        let body = if is_streamed(exchange) { Body::Stream(encode(exchange)) } else { whole(exchange) };
        Self {
            status: exchange.response.status,
            fields: exchange.response.headers.clone(),
            body,
            end: exchange.end,
            collected: OnceLock::new(),
        }
    }

    /// A response that is written at once, made by the server itself.
    pub fn whole(status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        Self {
            status,
            fields: vec![("Content-Type".to_owned(), content_type.to_owned())],
            body: Body::Whole { at_us: 0, data: body.into() },
            end: End::Clean,
            collected: OnceLock::new(),
        }
    }

    /// Whether the body is a stream.
    pub fn is_stream(&self) -> bool {
        matches!(self.body, Body::Stream(_))
    }

    /// The answer to the same request with `"stream":false`, due when the stream would have ended;
    /// `None` when the body is not a stream of JSON objects.
    pub fn collected(&self) -> Option<Self> {
        let Body::Stream(pieces) = &self.body else { return None };
        let collected = self.collected.get_or_init(|| {
            let body: Vec<u8> = pieces.iter().flat_map(|piece| piece.data.iter().copied()).collect();
            collect(&body)
        });
        let Collected { status, body } = collected.clone()?;
        let at_us = pieces.last().map_or(0, |piece| piece.at_us);
        let mut answer = Self::whole(status, "application/json; charset=utf-8", body);
        answer.body = match answer.body {
            Body::Whole { data, .. } => Body::Whole { at_us, data },
            stream @ Body::Stream(_) => stream,
        };
        Some(answer)
    }

    /// Whether `Content-Length` frames the body of a GET or POST.
    pub fn has_length(&self) -> bool {
        matches!(&self.body, Body::Whole { data, .. } if data.len() <= MAX_LENGTH_BODY)
    }
}

/// Go frames by chunks whatever was flushed: streams, and errors that were reported through a stream,
/// which carry a bare content type.
fn is_streamed(exchange: &Exchange) -> bool {
    let kind = exchange.response.header("content-type").unwrap_or_default();
    let is_stream = kind.starts_with("application/x-ndjson") || kind.starts_with("text/event-stream");
    is_stream || exchange.chunks.len() > 1 || exchange.end != End::Clean
}

fn encode(exchange: &Exchange) -> Vec<Piece> {
    // One allocation for the whole body: the pieces are views into it.
    let mut out = Vec::new();
    let mut ranges = Vec::with_capacity(exchange.chunks.len());
    for chunk in &exchange.chunks {
        let start = out.len();
        encode_chunk(&mut out, &chunk.bytes);
        ranges.push(start..out.len());
    }
    let encoded = Bytes::from(out);
    let pieces = exchange.chunks.iter().zip(ranges).filter(|(chunk, _)| !chunk.bytes.is_empty());
    pieces
        .map(|(chunk, range)| Piece { at_us: chunk.at_us, data: chunk.bytes.clone(), encoded: encoded.slice(range) })
        .collect()
}

fn whole(exchange: &Exchange) -> Body {
    let at_us = exchange.chunks.last().map_or(0, |chunk| chunk.at_us);
    Body::Whole { at_us, data: Bytes::from(exchange.body()) }
}
