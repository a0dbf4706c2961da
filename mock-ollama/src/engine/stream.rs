//! A response on its way, chunk by chunk.

use std::sync::Arc;

use bytes::Bytes;

use crate::catalog::{Body, Prepared};
use crate::clock::Instant;
use crate::http::{Framing, LAST_CHUNK, RequestHead, ResponseHead, Version, encode_chunk};
use crate::journal::StreamId;
use crate::models::ModelName;
use crate::recording::End;
use crate::schedule::{Pace, Schedule};
use crate::seed::Seed;

/// A response on its way.
#[derive(Debug)]
pub(super) struct Answering {
    pub(super) stream: StreamId,
    /// Its entry in the journal.
    pub(super) entry: usize,
    /// The model whose recording is replayed; absent for the server's own answers.
    pub(super) model: Option<ModelName>,
    pub(super) keep_alive: bool,
    /// Chunks that a test has released and that have not left; counted under a stepped pace alone.
    pub(super) released: u64,
    /// When the next chunk was due while the client was too slow to take it.
    pub(super) stalled: Option<Instant>,
    response: Arc<Prepared>,
    /// The encoded response head until it has left.
    head: Option<Vec<u8>>,
    framing: Framing,
    head_only: bool,
    start: Instant,
    schedule: Schedule,
    next: usize,
    body_end: u64,
}

/// What a response is made from.
pub(super) struct Begin<'a> {
    pub(super) stream: StreamId,
    pub(super) entry: usize,
    pub(super) request: &'a RequestHead,
    pub(super) response: Arc<Prepared>,
    pub(super) model: Option<ModelName>,
    pub(super) date_unix_s: u64,
    pub(super) start: Instant,
    pub(super) pace: Pace,
    pub(super) seed: Seed,
}

/// When the next chunk leaves.
pub(super) enum Due {
    /// At this instant.
    At(Instant),
    /// When a test releases it.
    Released,
    /// There is none: the body ends.
    End,
}

impl Answering {
    pub(super) fn new(begin: Begin<'_>) -> Self {
        let head_only = begin.request.method == "HEAD";
        let framing = framing(&begin.response, begin.request.version, head_only);
        let client_stays = begin.request.keeps_alive();
        let keep_alive = client_stays && framing != Framing::UntilClose && begin.response.end == End::Clean;
        let connection = match begin.request.version {
            Version::Http11 => (!client_stays).then_some("close"),
            Version::Http10 => keep_alive.then_some("keep-alive"),
        };
        let head = ResponseHead {
            version: begin.request.version,
            status: begin.response.status,
            fields: begin.response.fields.clone(),
            date_unix_s: Some(begin.date_unix_s),
            framing,
            connection,
        };
        Self {
            entry: begin.entry,
            model: begin.model,
            keep_alive,
            released: 0,
            stalled: None,
            head: Some(head.encode()),
            response: begin.response,
            framing,
            head_only,
            start: begin.start,
            schedule: Schedule::of_stream(begin.pace, begin.seed, &begin.stream),
            stream: begin.stream,
            next: 0,
            body_end: 0,
        }
    }

    pub(super) fn end(&self) -> End {
        self.response.end
    }

    /// The number of the next chunk.
    pub(super) fn next_chunk(&self) -> usize {
        self.next
    }

    /// When the next chunk leaves. To be asked once a chunk, in order.
    pub(super) fn next_due(&mut self) -> Due {
        let at_us = match &self.response.body {
            Body::Stream(pieces) => pieces.get(self.next).map(|piece| piece.at_us),
            Body::Whole { at_us, .. } => (self.next == 0).then_some(*at_us),
        };
        let Some(at_us) = at_us else { return Due::End };
        self.schedule.next(at_us).map_or(Due::Released, |offset| Due::At(self.start.saturating_add(offset)))
    }

    /// The bytes of the next chunk, with the head before the first, and the body length after it.
    pub(super) fn take_chunk(&mut self) -> (Bytes, u64) {
        let (data, wire) = match &self.response.body {
            Body::Stream(pieces) => {
                let piece = &pieces[self.next];
                (&piece.data, self.stream_bytes(&piece.data, &piece.encoded))
            }
            Body::Whole { data, .. } => (data, self.whole_bytes(data)),
        };
        let length = if self.head_only { 0 } else { data.len() as u64 };
        self.next += 1;
        self.body_end += length;
        let bytes = match self.head.take() {
            Some(mut head) => {
                head.extend_from_slice(&wire);
                Bytes::from(head)
            }
            None => wire,
        };
        (bytes, self.body_end)
    }

    fn stream_bytes(&self, data: &Bytes, encoded: &Bytes) -> Bytes {
        match self.framing {
            _ if self.head_only => Bytes::new(),
            Framing::Chunked => encoded.clone(),
            Framing::Length(_) | Framing::UntilClose | Framing::Unstated => data.clone(),
        }
    }

    fn whole_bytes(&self, data: &Bytes) -> Bytes {
        match self.framing {
            _ if self.head_only => Bytes::new(),
            Framing::Chunked => {
                let mut out = Vec::with_capacity(data.len() + 16);
                encode_chunk(&mut out, data);
                Bytes::from(out)
            }
            Framing::Length(_) | Framing::UntilClose | Framing::Unstated => data.clone(),
        }
    }

    /// The bytes that end the body; the head is among them when there was no chunk.
    pub(super) fn take_end(&mut self) -> Bytes {
        let mut out = self.head.take().unwrap_or_default();
        if self.framing == Framing::Chunked && !self.head_only && self.response.end == End::Clean {
            out.extend_from_slice(LAST_CHUNK);
        }
        Bytes::from(out)
    }
}

fn framing(response: &Prepared, version: Version, head_only: bool) -> Framing {
    let length = match &response.body {
        Body::Whole { data, .. } if response.has_length() => Some(data.len() as u64),
        Body::Whole { .. } | Body::Stream(_) => None,
    };
    match (length, version) {
        (Some(length), _) => Framing::Length(length),
        (None, _) if head_only => Framing::Unstated,
        (None, Version::Http11) => Framing::Chunked,
        (None, Version::Http10) => Framing::UntilClose,
    }
}
