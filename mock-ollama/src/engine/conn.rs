//! The state of one connection.

use std::collections::{BTreeMap, VecDeque};

use rustc_hash::FxHashMap;

use super::action::{Action, Seq};
use super::event::{Event, EventKind, Key};
use super::limits::Limits;
use super::response::ActiveResponse;
use super::timeline::Timeline;
use crate::backend::{BUSY, Device};
use crate::clock::Instant;
use crate::fault::NextStep;
use crate::http::Parser;
use crate::journal::{Caller, ConnId, Entry, Fate, Ledger, ServerId, StreamId};

/// With more unwritten bytes than this, the next chunk of a response is held back. A client that reads nothing costs no
/// more memory than that.
const HIGH_WATER_BYTES: u64 = 256 * 1024;

/// With fewer unwritten bytes than this, the chunk that was held back is scheduled. Well below the high water, so that a slow
/// client does not stall and resume at every write.
const LOW_WATER_BYTES: u64 = 64 * 1024;

/// With more bytes of pipelined requests than this, nothing more is read.
const MAX_PIPELINED_BYTES: usize = 64 * 1024;

/// One connection.
#[derive(Debug)]
pub(super) struct Conn {
    id: ConnId,
    pub(super) server: ServerId,
    /// Boxed, since a chunk that leaves does not use it: what a chunk uses shares few lines of the cache.
    pub(super) parser: Box<Parser>,
    pub(super) state: ConnState,
    /// Since when it is idle, in the middle of a request, or has output that the client does not take.
    pub(super) since: Instant,
    /// Places of its events that have not happened, beside the next chunk's.
    pub(super) pending: Vec<Key>,
    next_seq: u64,
    /// Bytes that were given to the driver, and how many of them the transport has taken.
    queued: u64,
    written: u64,
    marks: VecDeque<Mark>,
}

/// What a connection is doing.
#[derive(Debug)]
pub(super) enum ConnState {
    /// Waiting for a request.
    Reading,
    /// Sending a response; pipelined requests wait in the parser.
    Responding(Box<ActiveResponse>),
    /// Ending: input is dropped.
    Leaving,
}

/// What happens next of a response.
pub(super) enum Upcoming {
    /// A chunk leaves at this instant.
    Chunk(Instant),
    /// It ends.
    End,
    /// Nothing before something else happens.
    Blocked,
}

/// A place in the output at which the journal has something to note.
#[derive(Debug)]
struct Mark {
    at: u64,
    entry: usize,
    what: MarkKind,
}

/// What ends at a mark.
#[derive(Clone, Copy, Debug)]
pub(super) enum MarkKind {
    /// The chunk of this number.
    Chunk(usize),
    /// The response, in this way.
    Response(Fate),
}

impl Conn {
    pub(super) fn new(id: ConnId, server: ServerId, limits: &Limits, now: Instant) -> Self {
        Self {
            id,
            server,
            parser: Box::new(Parser::new(limits.head_bytes, limits.body_bytes)),
            since: now,
            state: ConnState::Reading,
            pending: Vec::new(),
            next_seq: 0,
            queued: 0,
            written: 0,
            marks: VecDeque::new(),
        }
    }

    /// Returns a connection that gets 503 in place of any answer, and is closed.
    pub(super) fn refused(
        id: ConnId,
        server: ServerId,
        (limits, timeline): (&Limits, &mut Timeline),
        now: Instant,
    ) -> Self {
        let mut conn = Self { state: ConnState::Leaving, ..Self::new(id, server, limits, now) };
        // Ollama's words for a server with too much to do.
        let body = format!("{{\"error\":\"{BUSY}\"}}");
        let fields = "Content-Type: application/json; charset=utf-8\r\nConnection: close\r\n";
        let length = body.len();
        let response = format!("HTTP/1.1 503 Service Unavailable\r\n{fields}Content-Length: {length}\r\n\r\n{body}");
        conn.schedule_control(timeline, now, EventKind::Send(Box::new(response.into())));
        conn.schedule_control(timeline, now, EventKind::Shutdown);
        conn
    }

    /// Puts an event of a stream on the timeline.
    pub(super) fn schedule(&mut self, timeline: &mut Timeline, at: Instant, stream: StreamId, kind: EventKind) {
        let key = (at, stream, self.next_seq());
        self.pending.push(key.clone());
        timeline.insert(key, Event { conn: self.id, kind });
    }

    /// Schedules an event of the connection itself. At one instant it precedes the response to what was received after it.
    pub(super) fn schedule_control(&mut self, timeline: &mut Timeline, at: Instant, kind: EventKind) {
        let stream = StreamId { caller: Caller::Connection(self.id), exchange: 0 };
        self.schedule(timeline, at, stream, kind);
    }

    /// Puts the next chunk of the response, due at `due`, on the timeline at `at`.
    pub(super) fn schedule_chunk(&mut self, timeline: &mut Timeline, at: Instant, due: Instant) {
        let (conn, seq) = (self.id, self.next_seq());
        let Some(response) = self.response_mut() else { return };
        response.next_chunk_at = Some((at, seq));
        timeline.insert((at, response.stream.clone(), seq), Event { conn, kind: EventKind::Chunk { due } });
    }

    /// Puts the end of the response on the timeline.
    pub(super) fn schedule_end(&mut self, timeline: &mut Timeline, at: Instant) {
        let Some(stream) = self.response().map(|response| response.stream.clone()) else { return };
        self.schedule(timeline, at, stream, EventKind::ResponseEnd);
    }

    /// Sets the limit timer. There is at most one; when it fires, `since` is checked and the timer is set again. So activity
    /// only updates `since`, and never touches the timeline.
    pub(super) fn arm_limit_timer(&mut self, timeline: &mut Timeline, limits: &Limits, now: Instant) {
        let Some(shortest) = limits.shortest() else { return };
        let again = now.saturating_add(shortest);
        let at = self.deadline(limits).unwrap_or(again).min(again);
        self.schedule_control(timeline, at, EventKind::LimitTimer);
    }

    /// Ends it where it has reached a limit, and sets its timer again where not.
    pub(super) fn check_limits(
        &mut self,
        (timeline, ledger): (&mut Timeline, &mut Ledger),
        limits: &Limits,
        now: Instant,
    ) -> Option<Action> {
        let conn = self.id;
        if self.deadline(limits).is_none_or(|deadline| deadline > now) {
            self.arm_limit_timer(timeline, limits, now);
            return None;
        }
        // Output that the client does not take would keep a plain close waiting for ever.
        if self.backlog() > 0 {
            self.note_broken_off(ledger, |_| Fate::Reset);
            return Some(Action::Abandon { conn });
        }
        self.state = ConnState::Leaving;
        Some(Action::Close { conn })
    }

    /// Takes all its events off the timeline.
    pub(super) fn cancel_events(&mut self, timeline: &mut Timeline) {
        let chunk = self.response_mut().and_then(ActiveResponse::take_next_key);
        for key in self.pending.drain(..).chain(chunk) {
            timeline.remove(key);
        }
    }

    /// Returns when it reaches a limit, as things stand; `None` when what it does may take for ever.
    pub(super) fn deadline(&self, limits: &Limits) -> Option<Instant> {
        let limit = match self.state {
            _ if self.backlog() > 0 => limits.stall,
            ConnState::Reading if self.parser.is_idle() => limits.idle,
            ConnState::Reading => limits.request,
            ConnState::Responding(_) | ConnState::Leaving => None,
        };
        limit.map(|limit| self.since.saturating_add(limit))
    }

    /// Returns what happens next of its response, whose last event was due at `last`.
    pub(super) fn upcoming(&mut self, device: &Device, last: Instant, now: Instant) -> Upcoming {
        let backlog = self.backlog();
        let Some(response) = self.response_mut() else { return Upcoming::Blocked };
        match response.next_step() {
            NextStep::ChunkAt(solo) => {
                response.solo = Some(solo);
                let due = response.due_on(device, solo, now);
                if backlog > HIGH_WATER_BYTES {
                    response.stalled = Some(due);
                    return Upcoming::Blocked;
                }
                Upcoming::Chunk(due)
            }
            NextStep::ChunkOnRelease if response.released > 0 => Upcoming::Chunk(last),
            NextStep::ChunkOnRelease => Upcoming::Blocked,
            NextStep::End => Upcoming::End,
        }
    }

    /// Returns whether more input is of use. It is not while a client sends request after request without taking answers.
    pub(super) fn is_accepting_input(&self) -> bool {
        match self.state {
            ConnState::Responding(_) => self.parser.buffered() < MAX_PIPELINED_BYTES,
            ConnState::Reading | ConnState::Leaving => true,
        }
    }

    pub(super) fn is_leaving(&self) -> bool {
        matches!(self.state, ConnState::Leaving)
    }

    /// Returns whether no answer is in progress, nor waits for the transport.
    pub(super) fn is_idle(&self) -> bool {
        self.response().is_none() && self.marks.is_empty()
    }

    /// Touches the fields that the next chunk uses, to pull them into the cache. The result is meaningless.
    pub(super) fn touch(&self) -> u64 {
        let room = self.marks.len() as u64;
        self.queued ^ self.written ^ self.next_seq ^ room ^ u64::from(matches!(self.state, ConnState::Reading))
    }

    /// Returns the response that it is sending.
    pub(super) fn response(&self) -> Option<&ActiveResponse> {
        match &self.state {
            ConnState::Responding(response) => Some(response),
            ConnState::Reading | ConnState::Leaving => None,
        }
    }

    pub(super) fn response_mut(&mut self) -> Option<&mut ActiveResponse> {
        match &mut self.state {
            ConnState::Responding(response) => Some(response),
            ConnState::Reading | ConnState::Leaving => None,
        }
    }

    /// Takes the response that it was sending, and sets what it does afterwards.
    pub(super) fn take_response(&mut self, state: ConnState) -> Option<Box<ActiveResponse>> {
        match std::mem::replace(&mut self.state, state) {
            ConnState::Responding(response) => Some(response),
            ConnState::Reading | ConnState::Leaving => None,
        }
    }

    fn next_seq(&mut self) -> Seq {
        self.next_seq += 1;
        Seq(self.next_seq)
    }

    /// Returns the bytes that the driver holds for the transport.
    pub(super) fn backlog(&self) -> u64 {
        self.queued - self.written
    }

    /// Counts output that is given to the driver.
    pub(super) fn queue_output(&mut self, bytes: usize, now: Instant) {
        // The stall limit counts from the first byte that waits.
        if self.backlog() == 0 {
            self.since = now;
        }
        self.queued += bytes as u64;
    }

    /// Notes that the output so far ends a chunk, or the response, of an entry that the journal keeps.
    pub(super) fn mark(&mut self, entry: usize, what: MarkKind) {
        self.marks.push_back(Mark { at: self.queued, entry, what });
    }

    /// Counts bytes that the transport has taken, and tells the journal what has left whole. Returns when the chunk that was
    /// held back is due, where there is room for it.
    #[inline]
    pub(super) fn note_written(&mut self, bytes: usize, now: Instant, ledger: &mut Ledger) -> Option<Instant> {
        self.written += bytes as u64;
        // A client that takes anything at all has not stalled.
        if bytes > 0 {
            self.since = now;
        }
        while let Some(mark) = self.marks.front().filter(|mark| mark.at <= self.written) {
            if let Some(entry) = ledger.entry_mut(mark.entry) {
                match mark.what {
                    MarkKind::Chunk(number) => entry.chunks[number].written = Some(now),
                    MarkKind::Response(fate) => entry.fate = fate,
                }
            }
            self.marks.pop_front();
        }
        if self.backlog() < LOW_WATER_BYTES { self.response_mut()?.stalled.take() } else { None }
    }

    /// Tells the journal that the rest will never be written, and how each of its open answers ends.
    pub(super) fn note_broken_off(&mut self, ledger: &mut Ledger, fate: impl Fn(&Entry) -> Fate) {
        let open = self.response().map(|response| response.entry);
        for entry in self.marks.drain(..).map(|mark| mark.entry).chain(open) {
            // An answer that the server gave up is closed later, and keeps its end.
            let Some(entry) = ledger.entry_mut(entry).filter(|entry| entry.fate == Fate::Open) else { continue };
            entry.fate = fate(entry);
        }
    }
}

/// The device's rate changed: reschedules the next chunk of every response on it.
pub(super) fn reschedule_for_device(
    (streams, conns): (&BTreeMap<StreamId, ConnId>, &mut FxHashMap<ConnId, Conn>),
    device: &Device,
    timeline: &mut Timeline,
    now: Instant,
) {
    for conn in streams.values() {
        let Some(state) = conns.get_mut(conn) else { continue };
        let Some(response) = state.response_mut() else { continue };
        let Some(solo) = response.solo.filter(|_| response.on_device.is_some()) else { continue };
        // A response that has just joined, is held back, or waits to be released, has no chunk on the timeline.
        let Some(key) = response.take_next_key() else { continue };
        timeline.remove(key);
        let due = response.due_on(device, solo, now);
        state.schedule_chunk(timeline, due, due);
    }
}
