//! A response on its way, chunk by chunk.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::action::Seq;
use super::answer::Effect;
use super::config::CreatedAt;
use super::live::{Live, Produced, Served};
use super::machine::{OnDevice, Phase};
use super::timeline::Key;
use crate::catalog::{Body, Chunks, MAX_LENGTH_BODY, Prepared};
use crate::clock::{Instant, WallAnchor};
use crate::dialect::patch_created_at;
use crate::go_json::rfc3339;
use crate::http::{Framing, LAST_CHUNK, RequestHead, ResponseHead, Version, encode_chunk};
use crate::journal::StreamId;
use crate::models::Card;
use crate::recording::{End, is_bodiless};
use crate::schedule::{Pace, Schedule};
use crate::seed::Seed;

/// A response on its way.
#[derive(Debug)]
pub(super) struct Answering {
    pub(super) stream: StreamId,
    /// Its entry in the journal.
    pub(super) entry: usize,
    /// The model that answers; absent for the server's own answers.
    pub(super) model: Option<Arc<Card>>,
    /// Whether the connection is used again; known when the head has left.
    pub(super) keep_alive: bool,
    /// Chunks that a test has released and that have not left; counted under a stepped pace alone.
    pub(super) released: u64,
    /// Where it is in the machine.
    pub(super) phase: Phase,
    /// When its next chunk would be due were it alone.
    pub(super) solo: Option<Instant>,
    /// Where it is on the device; absent while it is not there.
    pub(super) on_device: Option<OnDevice>,
    /// The place of its next chunk on the timeline, beside its stream.
    pub(super) next_chunk_at: Option<(Instant, Seq)>,
    /// When the next chunk was due while the client was too slow to take it.
    pub(super) stalled: Option<Instant>,
    /// What becomes true when it has ended.
    pub(super) then: Option<Effect>,
    source: Source,
    /// What the response head is made from until it has left.
    head: Option<Head>,
    framing: Framing,
    head_only: bool,
    /// When it began to be served.
    pub(super) start: Instant,
    received: Instant,
    /// How long its model was loaded for it, queue and all.
    loading: Duration,
    wall: WallAnchor,
    schedule: Schedule,
    next: usize,
    body_end: u64,
}

/// Where the bytes come from.
#[derive(Debug)]
pub(super) enum Source {
    /// Bytes that are there already: a recording, or a reply of the server's own.
    Prepared {
        response: Arc<Prepared>,
        /// Which time the objects carry.
        created_at: CreatedAt,
    },
    /// A generation that is rendered while it is served.
    Live(Box<Live>),
}

/// What a response is made from.
pub(super) struct Begin<'a> {
    pub(super) stream: StreamId,
    pub(super) entry: usize,
    pub(super) request: &'a RequestHead,
    pub(super) source: Source,
    /// Fields that every answer to this request carries.
    pub(super) extra_fields: Vec<(String, String)>,
    pub(super) model: Option<Arc<Card>>,
    pub(super) wall: WallAnchor,
    pub(super) received: Instant,
    pub(super) pace: Pace,
    pub(super) seed: Seed,
    /// What becomes true when it has ended.
    pub(super) then: Option<Effect>,
}

/// The bytes of a chunk.
pub(super) enum Taken {
    /// A recorded chunk as it stands: where it is in what the recording was encoded to.
    Shared(Range<usize>),
    /// Bytes of its own.
    Own(Bytes),
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

#[derive(Debug)]
struct Head {
    version: Version,
    client_stays: bool,
    extra_fields: Vec<(String, String)>,
}

impl Source {
    /// The number of chunks, where it is known.
    pub(super) fn chunks(&self) -> usize {
        match self {
            Self::Prepared { response, .. } => match &response.body {
                Body::Stream(chunks) => chunks.pieces.len(),
                Body::Whole { .. } => 1,
            },
            Self::Live(_) => 0,
        }
    }

    /// The server's own reply, or the status of a stream.
    pub(super) fn status(&self) -> u16 {
        match self {
            Self::Prepared { response, .. } => response.status,
            Self::Live(_) => 200,
        }
    }
}

impl Answering {
    pub(super) fn new(begin: Begin<'_>) -> Self {
        let head = Head {
            version: begin.request.version,
            client_stays: begin.request.keeps_alive(),
            extra_fields: begin.extra_fields,
        };
        Self {
            entry: begin.entry,
            model: begin.model,
            keep_alive: head.client_stays,
            released: 0,
            stalled: None,
            then: begin.then,
            source: begin.source,
            head: Some(head),
            framing: Framing::Unstated,
            head_only: begin.request.method == "HEAD",
            phase: Phase::Waiting,
            solo: None,
            on_device: None,
            next_chunk_at: None,
            start: begin.received,
            received: begin.received,
            loading: Duration::ZERO,
            wall: begin.wall,
            schedule: Schedule::of_stream(begin.pace, begin.seed, &begin.stream),
            stream: begin.stream,
            next: 0,
            body_end: 0,
        }
    }

    /// Takes the place of its next chunk, to take it off the timeline.
    pub(super) fn take_next_key(&mut self) -> Option<Key> {
        let (at, seq) = self.next_chunk_at.take()?;
        Some((at, self.stream.clone(), seq))
    }

    /// Reads of every part that a chunk is going to use; the value means nothing.
    pub(super) fn look(&self) -> u64 {
        let states = [
            self.head.is_none(),
            self.head_only,
            self.solo.is_none(),
            self.on_device.is_none(),
            self.stalled.is_none(),
            self.next_chunk_at.is_none(),
            self.start == Instant::ZERO,
            self.framing == Framing::Chunked,
            matches!(self.source, Source::Live(_)),
        ];
        let numbers = [self.body_end, self.released, self.entry as u64, self.next as u64, self.stream.exchange.into()];
        let states = states.into_iter().map(u64::from).sum::<u64>();
        numbers.into_iter().fold(states ^ self.schedule.look(), |sum, number| sum ^ number)
    }

    /// Reads where its next chunk is, if that is a recorded one; the value means nothing.
    pub(super) fn look_at_chunk(&self) -> u64 {
        let Source::Prepared { response, .. } = &self.source else { return 0 };
        let Body::Stream(Chunks { pieces, .. }) = &response.body else { return 0 };
        pieces.get(self.next).map_or(0, |piece| piece.data.len() as u64 ^ piece.wire.end as u64)
    }

    pub(super) fn end(&self) -> End {
        match &self.source {
            Source::Prepared { response, .. } => response.end,
            Source::Live(live) => live.end,
        }
    }

    /// Its model is loaded now.
    pub(super) fn model_was_there(&mut self, now: Instant) {
        self.loading = now.saturating_since(self.received);
    }

    /// It has its slot now.
    pub(super) fn serve(&mut self, now: Instant) {
        self.start = now;
        self.phase = Phase::Served;
    }

    /// Whether it is seen piece by piece.
    pub(super) fn is_streamed(&self) -> bool {
        match &self.source {
            Source::Prepared { response, .. } => matches!(response.body, Body::Stream(_)),
            Source::Live(live) => live.is_stream(),
        }
    }

    /// The number of the next chunk.
    pub(super) fn next_chunk(&self) -> usize {
        self.next
    }

    /// Whether the head has left.
    pub(super) fn has_begun(&self) -> bool {
        self.head.is_none()
    }

    /// When the next chunk leaves. To be asked once a chunk, in order.
    pub(super) fn next_due(&mut self) -> Due {
        let at = match &mut self.source {
            Source::Live(live) => return live.next_due(&mut self.schedule, self.start),
            Source::Prepared { response, .. } => match &response.body {
                Body::Stream(chunks) => chunks.pieces.get(self.next).map(|piece| piece.at),
                Body::Whole { at, .. } => (self.next == 0).then_some(*at),
            },
        };
        let Some(at) = at else { return Due::End };
        self.schedule.next(at).map_or(Due::Released, |offset| Due::At(self.start.saturating_add(offset)))
    }

    /// The bytes of the next chunk, with the head before the first, and the body length after it; `None` when
    /// this moment has nothing to show.
    pub(super) fn take_chunk(&mut self, due: Instant, now: Instant) -> Option<(Taken, u64)> {
        if let Some(passed) = self.pass() {
            return Some(passed);
        }
        let served = Served { received: self.received, loading: self.loading, start: self.start };
        let (mut wire, data) = match &mut self.source {
            Source::Live(live) => match live.produce(due, now, &served, self.wall)? {
                Produced::Chunk(chunk) => {
                    let fields = live.stream_fields(true);
                    (self.open(200, &fields, None, now), Bytes::from(chunk))
                }
                Produced::Whole(reply) => {
                    let length = length_of(&reply.body);
                    (self.open(reply.status, &reply.fields, length, now), Bytes::from(reply.body))
                }
            },
            Source::Prepared { response, created_at } => {
                let (response, patched) = (Arc::clone(response), *created_at == CreatedAt::Live);
                let (data, streamed) = match &response.body {
                    Body::Stream(chunks) => (&chunks.pieces[self.next].data, true),
                    Body::Whole { data, .. } => (data, false),
                };
                let data = if patched {
                    Bytes::from(patch_created_at(data, &rfc3339(self.wall.unix_nanos(now))).into_owned())
                } else {
                    data.clone()
                };
                let length = if streamed { None } else { length_of(&data) };
                (self.open(response.status, &response.fields, length, now), data)
            }
        };
        self.next += 1;
        if !self.head_only {
            self.body_end += data.len() as u64;
            if self.framing == Framing::Chunked {
                encode_chunk(&mut wire, &data);
            } else {
                wire.extend_from_slice(&data);
            }
        }
        Some((Taken::Own(Bytes::from(wire)), self.body_end))
    }

    /// The next chunk, where it is a recorded one that leaves as it stands: the way of nearly every chunk. Nothing is copied.
    fn pass(&mut self) -> Option<(Taken, u64)> {
        if self.head.is_some() || self.head_only || self.framing != Framing::Chunked {
            return None;
        }
        let Source::Prepared { response, created_at: CreatedAt::Recorded } = &self.source else { return None };
        let Body::Stream(Chunks { pieces, .. }) = &response.body else { return None };
        let piece = pieces.get(self.next)?;
        self.next += 1;
        self.body_end += piece.data.len() as u64;
        Some((Taken::Shared(piece.wire.clone()), self.body_end))
    }

    /// A piece of what the recording was encoded to.
    pub(super) fn shared(&self, place: Range<usize>) -> Bytes {
        match &self.source {
            Source::Prepared { response, .. } => match &response.body {
                Body::Stream(Chunks { wire, .. }) => wire.slice(place),
                Body::Whole { .. } => Bytes::new(),
            },
            Source::Live(_) => Bytes::new(),
        }
    }

    /// The encoded head, once; `length` is that of a body which is written at once and short.
    fn open(&mut self, status: u16, fields: &[(String, String)], length: Option<u64>, now: Instant) -> Vec<u8> {
        let Some(head) = self.head.take() else { return Vec::new() };
        // A client reads no body after such a status: its bytes would be taken for the next response.
        self.head_only |= is_bodiless(status);
        self.framing = match (length, head.version) {
            _ if is_bodiless(status) => Framing::Unstated,
            // To a HEAD, Go states the length only of what a handler wrote.
            (Some(0) | None, _) if self.head_only => Framing::Unstated,
            (Some(length), _) => Framing::Length(length),
            (None, Version::Http11) => Framing::Chunked,
            (None, Version::Http10) => Framing::UntilClose,
        };
        self.keep_alive = head.client_stays && self.framing != Framing::UntilClose && self.end() == End::Clean;
        let is_said = fields.iter().any(|(name, value)| name == "Connection" && value == "close");
        let connection = match head.version {
            Version::Http11 => (!head.client_stays && !is_said).then_some("close"),
            Version::Http10 => self.keep_alive.then_some("keep-alive"),
        };
        // What the handler set for the connection gives way to what the client asked for.
        let kept =
            fields.iter().chain(&head.extra_fields).filter(|(name, _)| connection.is_none() || name != "Connection");
        let head = ResponseHead {
            version: head.version,
            status,
            fields: kept.cloned().collect(),
            date_unix_s: Some(self.wall.unix_nanos(now) / 1_000_000_000),
            framing: self.framing,
            connection,
        };
        head.encode()
    }

    /// The bytes that end the body; the head is among them when there was no chunk.
    pub(super) fn take_end(&mut self, now: Instant) -> Bytes {
        let mut out = Vec::new();
        if self.head.is_some() {
            out = match &self.source {
                Source::Prepared { response, .. } => {
                    let response = Arc::clone(response);
                    self.open(response.status, &response.fields, None, now)
                }
                // A stream without an object is flushed once, and so chunked (gin `context.go`, `Stream`).
                Source::Live(live) => {
                    let fields = live.stream_fields(false);
                    self.open(200, &fields, None, now)
                }
            };
        }
        if self.framing == Framing::Chunked && !self.head_only && self.end() == End::Clean {
            if out.is_empty() {
                return Bytes::from_static(LAST_CHUNK);
            }
            out.extend_from_slice(LAST_CHUNK);
        }
        Bytes::from(out)
    }

    /// What goes out when the client says in the middle of an answer that it will send nothing more, which the
    /// real server takes for the end of the request (`net/http`: the context of the request is cancelled).
    pub(super) fn take_cancelled(&mut self, now: Instant) -> Bytes {
        let begun = self.has_begun();
        let Source::Live(live) = &mut self.source else { return Bytes::new() };
        if !begun && !live.is_stream() {
            let text = r#"{"error":"context canceled"}"#;
            let fields = [("Content-Type".to_owned(), "application/json; charset=utf-8".to_owned())];
            let mut out = self.open(500, &fields, Some(text.len() as u64), now);
            out.extend_from_slice(text.as_bytes());
            return Bytes::from(out);
        }
        let last = live.cancelled(begun).unwrap_or_default();
        // A client that leaves before the first object leaves before the first flush, so Go states the length.
        let fields = live.stream_fields(false);
        let mut out = self.open(200, &fields, Some(0), now);
        if self.framing == Framing::Chunked {
            encode_chunk(&mut out, &last);
        } else {
            out.extend_from_slice(&last);
        }
        out.extend_from_slice(&self.take_end(now));
        Bytes::from(out)
    }
}

fn length_of(body: &[u8]) -> Option<u64> {
    (body.len() <= MAX_LENGTH_BODY).then_some(body.len() as u64)
}
