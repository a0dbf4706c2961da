//! A response in progress, chunk by chunk.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::action::Seq;
use super::config::{Config, CreatedAt};
use super::event::Key;
use super::live::{Rendered, ServedTimes};
use super::source::{AnswerSource, Effect};
use crate::backend::{Device, Place};
use crate::catalog::{Body, Chunks, MAX_LENGTH_BODY, Prepared};
use crate::clock::{Instant, WallAnchor};
use crate::dialect::patch_created_at;
use crate::fault::{NextStep, Payload, PlannedChunk, WireEnd};
use crate::go_json::rfc3339;
use crate::http::{Framing, LAST_CHUNK, RequestHead, ResponseHead, Version, encode_chunk};
use crate::journal::StreamId;
use crate::models::Card;
use crate::recording::is_bodiless;
use crate::schedule::{Pace, Schedule};

/// A response in progress.
#[derive(Debug)]
pub(super) struct ActiveResponse {
    pub(super) stream: StreamId,
    /// The number of its entry in the journal.
    pub(super) entry: usize,
    /// The model that answers; absent for the server's own answers.
    pub(super) model: Option<Arc<Card>>,
    /// Whether the connection is used again; known when the head has left.
    pub(super) keep_alive: bool,
    /// Chunks that a test has released and that have not left; counted under a stepped pace alone.
    pub(super) released: u64,
    /// Whether it has its slot.
    pub(super) is_started: bool,
    /// When its next chunk would be due on an idle device.
    pub(super) solo: Option<Instant>,
    /// Absent while it is not on the device.
    pub(super) on_device: Option<OnDevice>,
    /// The place of its next chunk on the timeline, beside its stream.
    pub(super) next_chunk_at: Option<(Instant, Seq)>,
    /// When the next chunk was due while the client was too slow to take it.
    pub(super) stalled: Option<Instant>,
    /// What happens when it has ended.
    pub(super) effect: Option<Effect>,
    source: AnswerSource,
    /// What the response head is made from until it has left.
    head: Option<PendingHead>,
    framing: Framing,
    head_only: bool,
    /// When it got its slot.
    start: Instant,
    received: Instant,
    /// How long its model was loaded for it, with the time in the queue.
    loading: Duration,
    wall: WallAnchor,
    schedule: Schedule,
    /// The number of the next chunk.
    next: usize,
    /// How many bytes of the body have left.
    body_end: u64,
}

/// An answer's stay on the device.
#[derive(Clone, Copy, Debug)]
pub(super) struct OnDevice {
    /// When it joined, by its solo timeline.
    joined_at: Instant,
    place: Place,
}

/// What a response is made from.
pub(super) struct ResponseParts<'a> {
    pub(super) stream: StreamId,
    pub(super) entry: usize,
    pub(super) request: &'a RequestHead,
    pub(super) source: AnswerSource,
    /// Fields that every answer to this request carries.
    pub(super) extra_fields: Vec<(String, String)>,
    pub(super) model: Option<Arc<Card>>,
    pub(super) received: Instant,
    pub(super) pace: Pace,
    pub(super) effect: Option<Effect>,
}

#[derive(Debug)]
struct PendingHead {
    version: Version,
    client_stays: bool,
    extra_fields: Vec<(String, String)>,
}

impl ActiveResponse {
    pub(super) fn new(parts: ResponseParts<'_>, config: &Config) -> Self {
        let head = PendingHead {
            version: parts.request.version,
            client_stays: parts.request.keeps_alive(),
            extra_fields: parts.extra_fields,
        };
        Self {
            entry: parts.entry,
            model: parts.model,
            keep_alive: head.client_stays,
            released: 0,
            stalled: None,
            effect: parts.effect,
            source: parts.source,
            head: Some(head),
            framing: Framing::Unstated,
            head_only: parts.request.method == "HEAD",
            is_started: false,
            solo: None,
            on_device: None,
            next_chunk_at: None,
            start: parts.received,
            received: parts.received,
            loading: Duration::ZERO,
            wall: config.wall,
            schedule: Schedule::of_stream(parts.pace, config.seed, &parts.stream),
            stream: parts.stream,
            next: 0,
            body_end: 0,
        }
    }

    /// Takes the place of its next chunk, to take it off the timeline.
    pub(super) fn take_next_key(&mut self) -> Option<Key> {
        let (at, seq) = self.next_chunk_at.take()?;
        Some((at, self.stream.clone(), seq))
    }

    /// Touches the fields that the next chunk uses, to pull them into the cache. The result is meaningless.
    pub(super) fn touch(&self) -> u64 {
        let states = [
            self.head.is_none(),
            self.head_only,
            self.solo.is_none(),
            self.on_device.is_none(),
            self.stalled.is_none(),
            self.next_chunk_at.is_none(),
            self.start == Instant::ZERO,
            self.framing == Framing::Chunked,
            matches!(self.source, AnswerSource::Live(_)),
        ];
        let numbers = [self.body_end, self.released, self.entry as u64, self.next as u64, self.stream.exchange.into()];
        let states = states.into_iter().map(u64::from).sum::<u64>();
        numbers.into_iter().fold(states ^ self.schedule.touch(), |sum, number| sum ^ number)
    }

    /// Touches the place of the next chunk, if that is a recorded one. The result is meaningless.
    pub(super) fn touch_chunk(&self) -> u64 {
        let piece = self.recorded_chunks().and_then(|chunks| chunks.pieces.get(self.next));
        piece.map_or(0, |piece| piece.data.len() as u64 ^ piece.wire.end as u64)
    }

    /// Returns the chunks of a recorded stream.
    fn recorded_chunks(&self) -> Option<&Chunks> {
        match &self.source {
            AnswerSource::Prepared { response, .. } => match &response.body {
                Body::Stream(chunks) => Some(chunks),
                Body::Whole { .. } => None,
            },
            AnswerSource::Live(_) => None,
        }
    }

    pub(super) fn wire_end(&self) -> WireEnd {
        self.source.wire_end()
    }

    /// Returns whether its chunks leave when a test releases them.
    pub(super) fn is_stepped(&self) -> bool {
        self.schedule.is_stepped()
    }

    /// Notes that its model is loaded.
    pub(super) fn set_loaded(&mut self, now: Instant) {
        self.loading = now.saturating_since(self.received);
    }

    /// Notes that it has its slot, and returns whether it is streamed.
    pub(super) fn set_started(&mut self, now: Instant) -> bool {
        self.start = now;
        self.is_started = true;
        self.source.is_streamed()
    }

    /// Returns whether it joins the device with its next chunk.
    pub(super) fn must_join(&self, device: &Device) -> bool {
        device.is_shared() && self.on_device.is_none() && self.model.is_some()
    }

    /// Joins the device; the answers that are there slow down.
    pub(super) fn join(&mut self, device: &mut Device, now: Instant) {
        let joined_at = self.solo.unwrap_or(self.start);
        self.on_device = Some(OnDevice { joined_at, place: device.enter(now) });
    }

    /// Returns when a chunk leaves that would leave at `solo` on an idle device.
    pub(super) fn due_on(&self, device: &Device, solo: Instant, now: Instant) -> Instant {
        let Some(OnDevice { joined_at, place }) = self.on_device else { return solo };
        device.due(place, solo.saturating_since(joined_at), now)
    }

    /// Returns when the next step happens. Must be called once a chunk, in order.
    #[inline]
    pub(super) fn next_step(&mut self) -> NextStep {
        // The schedule is asked once a chunk: jitter draws a number each time.
        let at = match &mut self.source {
            AnswerSource::Live(live) => return live.next_step(&mut self.schedule, self.start),
            AnswerSource::Prepared { response, .. } => match &response.body {
                Body::Stream(chunks) => chunks.pieces.get(self.next).map(|piece| piece.at),
                Body::Whole { at, .. } => (self.next == 0).then_some(*at),
            },
        };
        let Some(at) = at else { return NextStep::End };
        let offset = self.schedule.next(at);
        offset.map_or(NextStep::ChunkOnRelease, |offset| NextStep::ChunkAt(self.start.saturating_add(offset)))
    }

    /// Takes the next chunk, with the head before the first; `None` when this moment has nothing to show.
    ///
    /// This is the last place at which a chunk stands alone: behind it chunks are encoded and coalesced.
    #[inline]
    pub(super) fn plan_chunk(&mut self, due: Instant, now: Instant) -> Option<PlannedChunk> {
        let (payload, length) = match self.plan_recorded() {
            Some(planned) => planned,
            None => self.plan_plain(due, now)?,
        };
        let (number, start) = (self.next, self.body_end);
        self.next += 1;
        self.body_end += length;
        Some(PlannedChunk { number, due, body: start..self.body_end, payload })
    }

    /// Plans the next chunk where it is a recorded one that leaves as it stands, which is nearly always: nothing is copied.
    fn plan_recorded(&self) -> Option<(Payload, u64)> {
        // With a head, without a body or in another framing, the encoded form of the recording is of no use.
        if self.head.is_some() || self.head_only || self.framing != Framing::Chunked {
            return None;
        }
        let AnswerSource::Prepared { created_at: CreatedAt::Recorded, .. } = &self.source else { return None };
        let piece = self.recorded_chunks()?.pieces.get(self.next)?;
        Some((Payload::Encoded(piece.wire.clone()), piece.data.len() as u64))
    }

    fn plan_plain(&mut self, due: Instant, now: Instant) -> Option<(Payload, u64)> {
        let served = ServedTimes { received: self.received, loading: self.loading, start: self.start };
        let (head, data) = match &mut self.source {
            AnswerSource::Live(live) => match live.produce(due, now, &served, self.wall)? {
                Rendered::Chunk(chunk) => {
                    let fields = live.stream_fields(true);
                    (self.open(200, &fields, None, now), Bytes::from(chunk))
                }
                Rendered::Whole(reply) => {
                    let length = length_of(&reply.body);
                    (self.open(reply.status, &reply.fields, length, now), Bytes::from(reply.body))
                }
            },
            AnswerSource::Prepared { response, created_at } => {
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
                (self.open_prepared(&response, length, now), data)
            }
        };
        // After the head is opened, which decides whether the response has a body.
        let length = if self.head_only { 0 } else { data.len() as u64 };
        Some((Payload::Plain { head, data }, length))
    }

    /// Encodes bytes of the body, behind the head where it has not left.
    pub(super) fn encode(&self, mut head: Vec<u8>, data: &[u8]) -> Bytes {
        if self.head_only {
            return Bytes::from(head);
        }
        if self.framing == Framing::Chunked {
            encode_chunk(&mut head, data);
        } else {
            head.extend_from_slice(data);
        }
        Bytes::from(head)
    }

    /// Returns the encoded form of the recording.
    pub(super) fn wire(&self) -> Bytes {
        self.recorded_chunks().map(|chunks| chunks.wire.clone()).unwrap_or_default()
    }

    /// Returns a slice of the encoded form of the recording.
    #[inline]
    pub(super) fn encoded(&self, place: Range<usize>) -> Bytes {
        self.recorded_chunks().map(|chunks| chunks.wire.slice(place)).unwrap_or_default()
    }

    fn open_prepared(&mut self, response: &Prepared, length: Option<u64>, now: Instant) -> Vec<u8> {
        self.open(response.status, &response.fields, length, now)
    }

    /// Encodes the head, once; `length` is that of a short body that is written at once.
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
        self.keep_alive =
            head.client_stays && self.framing != Framing::UntilClose && self.wire_end() == WireEnd::Complete;
        let is_stated = fields.iter().any(|(name, value)| name == "Connection" && value == "close");
        let connection = match head.version {
            Version::Http11 => (!head.client_stays && !is_stated).then_some("close"),
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

    /// Takes the bytes that end the body, with the head when there was no chunk.
    pub(super) fn take_end(&mut self, now: Instant) -> Bytes {
        let mut out = Vec::new();
        if self.head.is_some() {
            out = match &self.source {
                AnswerSource::Prepared { response, .. } => {
                    let response = Arc::clone(response);
                    self.open_prepared(&response, None, now)
                }
                // A stream without an object is flushed once, and so chunked (gin `context.go`, `Stream`).
                AnswerSource::Live(live) => {
                    let fields = live.stream_fields(false);
                    self.open(200, &fields, None, now)
                }
            };
        }
        // Without the last chunk the client knows that the body was cut.
        if self.framing == Framing::Chunked && !self.head_only && self.wire_end() == WireEnd::Complete {
            if out.is_empty() {
                return Bytes::from_static(LAST_CHUNK);
            }
            out.extend_from_slice(LAST_CHUNK);
        }
        Bytes::from(out)
    }

    /// Takes what goes out when the client shuts its output down in the middle of an answer. The real server takes that for
    /// the end of the request (`net/http`: the context of the request is cancelled).
    pub(super) fn take_cancelled(&mut self, now: Instant) -> Bytes {
        let begun = self.head.is_none();
        let AnswerSource::Live(live) = &mut self.source else { return Bytes::new() };
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
