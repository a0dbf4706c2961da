//! A recorded response, encoded once and shared by every stream that replays it.

use std::ops::Range;
use std::time::Duration;

use bytes::Bytes;

use crate::http::{Reply, encode_chunk};
use crate::recording::{End, Exchange, Form};

/// The longest body that Go sends with `Content-Length` when the handler writes it at once.
pub const MAX_LENGTH_BODY: usize = 2048;

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
}

/// A response body and how it is framed.
#[derive(Clone, Debug)]
pub enum Body {
    /// One HTTP chunk for every recorded chunk, each at its time.
    Stream(Chunks),
    /// A body that is written at once: with `Content-Length` up to [`MAX_LENGTH_BODY`] bytes, else as one chunk.
    Whole {
        /// When it is due, from the request on.
        at: Duration,
        /// The body.
        data: Bytes,
    },
}

/// The chunks of a stream.
#[derive(Clone, Debug)]
pub struct Chunks {
    /// Each of them.
    pub pieces: Vec<WireChunk>,
    /// All of them as HTTP chunks, one after the other: chunks that leave together are one piece of it.
    pub wire: Bytes,
}

/// One recorded chunk.
#[derive(Clone, Debug)]
pub struct WireChunk {
    /// When it is due, from the request on.
    pub at: Duration,
    /// Its bytes.
    pub data: Bytes,
    /// Where it is in [`Chunks::wire`].
    pub wire: Range<usize>,
}

impl Chunks {
    /// Encodes chunks, each due at its offset from the request. Those without bytes are left out, as they would end the body.
    fn encode<B: AsRef<[u8]>>(chunks: impl IntoIterator<Item = (Duration, B)>) -> Self {
        let mut wire = Vec::new();
        let mut places = Vec::new();
        for (at, data) in chunks {
            let (start, data) = (wire.len(), data.as_ref());
            encode_chunk(&mut wire, data);
            if !data.is_empty() {
                places.push((at, data.len(), start..wire.len()));
            }
        }
        let wire = Bytes::from(wire);
        // What encodes a chunk puts a line end after its bytes.
        let data = |length, place: &Range<usize>| wire.slice(place.end - 2 - length..place.end - 2);
        let pieces = places
            .into_iter()
            .map(|(at, length, place)| WireChunk { at, data: data(length, &place), wire: place })
            .collect();
        Self { pieces, wire }
    }
}

impl Prepared {
    /// Encodes a recorded response.
    pub fn new(exchange: &Exchange) -> Self {
        let chunks = || exchange.chunks.iter().map(|chunk| (Duration::from_micros(chunk.at_us), &chunk.bytes));
        let body = if is_streamed(exchange) { Body::Stream(Chunks::encode(chunks())) } else { whole(exchange) };
        Self { status: exchange.response.status, fields: exchange.response.headers.clone(), body, end: exchange.end }
    }

    /// Returns a reply that the server makes, due `at` after the request.
    pub fn reply(reply: Reply, at: Duration) -> Self {
        let body = if reply.flushed {
            Body::Stream(Chunks::encode([(at, reply.body)]))
        } else {
            Body::Whole { at, data: Bytes::from(reply.body) }
        };
        Self { status: reply.status, fields: reply.fields, body, end: End::Clean }
    }

    /// Returns a stream that the server makes: lines, each due at its offset from the request.
    pub fn lines(
        status: u16,
        fields: Vec<(String, String)>,
        lines: impl IntoIterator<Item = (Duration, Vec<u8>)>,
    ) -> Self {
        let body = Body::Stream(Chunks::encode(lines));
        Self { status, fields, body, end: End::Clean }
    }

    /// Returns whether the body is sent chunk by chunk.
    pub fn is_stream(&self) -> bool {
        matches!(self.body, Body::Stream(_))
    }
}

/// Go frames by chunks whatever was flushed: streams, and errors that were reported through a stream,
/// which carry a bare content type.
fn is_streamed(exchange: &Exchange) -> bool {
    Form::of(exchange).is_stream() || exchange.chunks.len() > 1 || exchange.end != End::Clean
}

fn whole(exchange: &Exchange) -> Body {
    let at = exchange.chunks.last().map_or(Duration::ZERO, |chunk| Duration::from_micros(chunk.at_us));
    Body::Whole { at, data: Bytes::from(exchange.body()) }
}
