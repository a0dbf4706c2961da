//! The whole server as a state machine: bytes, instants and releases in; one event at a time out.
//!
//! It opens no socket and reads no clock. The socket driver runs it in real time, the lab in virtual time, tests by hand. It
//! may be several servers ([`ServerId`](crate::journal::ServerId)) on one device, since a start on one changes what is due on
//! another. One thread, one engine: there is no lock on the way of a request.
//!
//! This file holds every input and output, and is the only one that sees all fields of [`Engine`]. The other files are parts:
//! they take what they need as arguments and import only what stands below them.
//!
//! | file | what |
//! | --- | --- |
//! | `answer` | which answer a request gets |
//! | `prefetch` | pulls what the next events use into the cache |
//! | `coalesce` | chunks that leave in one write |
//! | `conn` | the state of one connection |
//! | `response` | a response in progress, chunk by chunk |
//! | `source` | where the bytes of an answer come from |
//! | `live` | an answer that is rendered while it is served |
//! | `admission` | requests on their way to a model: loads and slots |
//! | `timeline` | the events that have not happened, in order |
//! | `event` | what they are, and their places |
//! | `callers` | what is remembered of each caller |
//! | `permits` | released chunks that wait for streams to come |
//! | `entry` | what the journal keeps of a request and its answer |
//! | `config`, `limits` | what a server is set to |
//! | `action` | what a driver is told to do |

mod action;
mod admission;
mod answer;
mod callers;
mod coalesce;
mod config;
mod conn;
mod entry;
mod event;
mod limits;
mod live;
mod permits;
mod prefetch;
mod response;
mod source;
mod timeline;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::time::Duration;

use bytes::Bytes;
use rustc_hash::FxHashMap;

use self::admission::{Admission, Admitted};
use self::answer::{Answered, Answerer};
use self::callers::Callers;
use self::coalesce::WriteCoalescer;
use self::conn::{Conn, ConnState, MarkKind, Upcoming};
use self::event::{Event, EventKind};
use self::permits::Permits;
use self::prefetch::Prefetcher;
use self::response::{ActiveResponse, ResponseParts};
use self::source::Effect;
use self::timeline::Timeline;
use crate::backend::Device;
use crate::clock::Instant;
use crate::fault::WireEnd;
use crate::go_json::rfc3339;
use crate::http::{BadRequest, CONTINUE, Parsed, Request};
use crate::journal::{
    CALLER_HEADER, Caller, ChunkSent, ConnId, Entry, Fate, Journal, Ledger, Redactor, ServerId, StreamId,
};
use crate::models::Store;
use crate::rules::RuleBook;
use crate::schedule::Base;

pub use self::action::{Action, Batch, Release, Seq, Step};
pub use self::config::{Config, CreatedAt, CreatedAtError};
pub use self::limits::Limits;
pub(crate) use self::prefetch::prefetch;

/// How long a connection that this side ended stays open for the client to take the last bytes
/// (`net/http/server.go`, `rstAvoidanceDelay`).
const LINGER: Duration = Duration::from_millis(500);

/// The server as a state machine.
///
/// | class | methods |
/// | --- | --- |
/// | in | [`handle_connected`](Self::handle_connected), [`handle_refused`](Self::handle_refused), [`handle_input`](Self::handle_input), [`handle_written`](Self::handle_written), [`handle_half_closed`](Self::handle_half_closed), [`handle_closed`](Self::handle_closed), [`handle_stopped`](Self::handle_stopped), [`handle_release`](Self::handle_release) |
/// | out | [`poll_due`](Self::poll_due), [`poll_place`](Self::poll_place), [`poll_step`](Self::poll_step), [`poll_batch`](Self::poll_batch) |
/// | questions | [`is_leaving`](Self::is_leaving), [`is_accepting_input`](Self::is_accepting_input), [`is_idle`](Self::is_idle), [`journal`](Self::journal) |
///
/// The call order:
///
/// 1. A connection begins with `handle_connected` or `handle_refused` and ends with one `handle_closed` or `handle_stopped`. Its id is new.
/// 2. After each input, and when the instant of `poll_due` has come, `poll_step` or `poll_batch` is called until it answers
///    `None`.
/// 3. Actions are carried out in their order. What the transport takes is reported with `handle_written`.
/// 4. Instants never go back from one call to the next.
#[derive(Debug)]
pub struct Engine {
    config: Config,
    models: Store,
    rules: RuleBook,
    callers: Callers,
    /// One for all servers, so that a credential has one number in the journal.
    redactor: Redactor,
    ledger: Ledger,
    conns: FxHashMap<ConnId, Conn>,
    timeline: Timeline,
    /// Answers of models in progress, and requests that wait for one.
    streams: BTreeMap<StreamId, ConnId>,
    permits: Permits,
    admission: Admission,
    device: Device,
    prefetcher: Prefetcher,
    /// Room for the actions of one step.
    actions: Vec<Action>,
}

impl Engine {
    /// Returns an engine without connections.
    pub fn new(config: Config) -> Self {
        Self {
            models: Store::new(config.catalog.cards().cloned()),
            rules: RuleBook::new(config.catalog.rules().iter().cloned(), config.per),
            callers: Callers::default(),
            redactor: Redactor::default(),
            ledger: Ledger::new(config.keep),
            conns: FxHashMap::default(),
            timeline: Timeline::default(),
            streams: BTreeMap::new(),
            permits: Permits::default(),
            admission: Admission::new(config.backend.clone(), config.keep_alive),
            device: Device::new(config.backend.share.clone()),
            prefetcher: Prefetcher::default(),
            actions: Vec::new(),
            config,
        }
    }

    /// Returns what has happened so far.
    pub fn journal(&self) -> &Journal {
        &self.ledger.journal
    }

    /// Returns a copy of what has happened so far, with the uses of the rules.
    pub fn report(&self) -> Journal {
        Journal { rules: self.rules.uses(), ..self.ledger.journal.clone() }
    }

    /// Returns what has happened, when nothing more will.
    pub fn into_journal(self) -> Journal {
        Journal { rules: self.rules.uses(), ..self.ledger.journal }
    }

    /// Forgets the rules that were stated, what was counted, and the requests that have been answered.
    pub(crate) fn reset(&mut self) {
        self.rules = RuleBook::new(self.config.catalog.rules().iter().cloned(), self.config.per);
        self.callers.reset();
        self.ledger.reset();
    }

    /// Returns the rules, to state others or to take some back.
    pub(crate) fn rules_mut(&mut self) -> &mut RuleBook {
        &mut self.rules
    }

    /// Returns whether this side has ended the connection or is about to.
    pub fn is_leaving(&self, conn: ConnId) -> bool {
        self.conns.get(&conn).is_none_or(Conn::is_leaving)
    }

    /// Returns whether more input of this connection is of use. It is not while a client sends request after request
    /// without taking answers.
    pub fn is_accepting_input(&self, conn: ConnId) -> bool {
        self.conns.get(&conn).is_some_and(Conn::is_accepting_input)
    }

    /// Returns whether every request that came in has been answered to its end.
    pub fn is_idle(&self) -> bool {
        self.conns.values().all(Conn::is_idle)
    }

    /// Takes a new connection to `server`.
    pub fn handle_connected(&mut self, conn: ConnId, server: ServerId, now: Instant) {
        let mut state = Conn::new(conn, server, &self.config.limits, now);
        state.arm_limit_timer(&mut self.timeline, &self.config.limits, now);
        self.conns.insert(conn, state);
    }

    /// Takes a new connection to `server` that is above the limit: it gets 503 in place of any answer, and is closed.
    pub fn handle_refused(&mut self, conn: ConnId, server: ServerId, now: Instant) {
        self.conns.insert(conn, Conn::refused(conn, server, (&self.config.limits, &mut self.timeline), now));
    }

    /// Takes bytes of a client, cut in any way.
    pub fn handle_input(&mut self, conn: ConnId, bytes: &[u8], now: Instant) {
        let Some(state) = self.conns.get_mut(&conn).filter(|state| !state.is_leaving()) else { return };
        if state.parser.is_idle() {
            state.since = now;
        }
        state.parser.push(bytes);
        self.read_requests(conn, now);
    }

    /// Notes that the transport took `bytes` more of a connection's output.
    pub fn handle_written(&mut self, conn: ConnId, bytes: usize, now: Instant) {
        let Some(state) = self.conns.get_mut(&conn) else { return };
        if let Some(due) = state.note_written(bytes, now, &mut self.ledger) {
            state.schedule_chunk(&mut self.timeline, due, due);
        }
    }

    /// Notes that the client has shut its output down. Returns whether an answer is left to be written; if not, the
    /// connection is to be closed.
    ///
    /// The real server takes it for the end of the request that it is answering: the answer breaks off as it does there, and
    /// the connection is closed after it.
    pub fn handle_half_closed(&mut self, conn: ConnId, now: Instant) -> bool {
        let Some(state) = self.conns.get_mut(&conn) else { return false };
        let Some(response) = state.response_mut() else { return false };
        let bytes = response.take_cancelled(now);
        if bytes.is_empty() {
            return false;
        }
        state.cancel_events(&mut self.timeline);
        // Before the response is taken, since its entry is among those that end here.
        state.note_broken_off(&mut self.ledger, entry::aborted);
        let server = state.server;
        let Some(response) = state.take_response(ConnState::Leaving) else { return false };
        self.end_stream(server, &response, now);
        self.schedule_control(conn, now, EventKind::Send(Box::new(bytes)));
        self.schedule_control(conn, now, EventKind::Close);
        // The limit timer was among the events; a client that takes nothing of this must not stay for ever.
        if let Some(state) = self.conns.get_mut(&conn) {
            state.arm_limit_timer(&mut self.timeline, &self.config.limits, now);
        }
        true
    }

    /// Notes that a connection is gone.
    pub fn handle_closed(&mut self, conn: ConnId, now: Instant) {
        self.end_conn(conn, now, entry::aborted);
    }

    /// Notes that the server is stopped, which ends a connection.
    pub fn handle_stopped(&mut self, conn: ConnId, now: Instant) {
        self.end_conn(conn, now, |_| Fate::Stopped);
    }

    fn end_conn(&mut self, conn: ConnId, now: Instant, fate: impl Fn(&Entry) -> Fate) {
        let Some(mut state) = self.conns.remove(&conn) else { return };
        state.cancel_events(&mut self.timeline);
        state.note_broken_off(&mut self.ledger, fate);
        if let Some(response) = state.response() {
            self.end_stream(state.server, response, now);
        }
        // A caller that was known by this connection alone never returns: its id is not used again.
        self.callers.forget(conn);
    }

    /// Lets `chunks` more chunks of each open stream leave, or of the named one, under a stepped pace. Where none is open, they wait
    /// for the next stream that opens; those of a named stream wait for that one, unless it has been. What a stream has not
    /// used when it ends is lost.
    pub fn handle_release(&mut self, which: &Release, chunks: u64, now: Instant) {
        if self.config.pace.base != Base::Stepped {
            return;
        }
        let has_been = matches!(which, Release::Stream(stream) if self.callers.has_begun(stream));
        let conns = (&self.streams, &mut self.conns);
        if !permits::release(which, chunks, now, conns, &mut self.timeline) && !has_been {
            self.permits.keep(which, chunks);
        }
    }

    /// Returns the place of the next event on the timeline.
    pub fn poll_place(&self) -> Option<&(Instant, StreamId, Seq)> {
        self.timeline.first()
    }

    /// Returns when the next event is due; cheaper than [`Engine::poll_place`].
    pub fn poll_due(&self) -> Option<Instant> {
        self.timeline.first_due()
    }

    /// Lets the next event happen, and returns it; `None` when none is due by `now`.
    pub fn poll_step(&mut self, now: Instant) -> Option<Step> {
        let mut actions = std::mem::take(&mut self.actions);
        let stream = self.poll_batch(now, Batch::ONE, &mut actions);
        let action = actions.pop();
        self.actions = actions;
        Some(Step { stream: stream?, action })
    }

    /// Lets the next event happen, and returns its stream; `None` when none is due by `now`. What is to be done for it is
    /// added to `actions`.
    ///
    /// With a chunk leave the chunks of its stream that are due as well, up to the size of the batch, and the end after
    /// them: a late stream catches up in one write.
    pub fn poll_batch(&mut self, now: Instant, batch: Batch, actions: &mut Vec<Action>) -> Option<StreamId> {
        self.prefetcher.prefetch_next(&self.timeline, &self.conns);
        let (key, Event { conn, kind }) = self.timeline.pop_due(now)?;
        if let EventKind::Chunk { due } = kind {
            self.send_chunks(conn, due, now, batch, actions);
        } else {
            if let Some(state) = self.conns.get_mut(&conn) {
                state.pending.retain(|pending| *pending != key);
            }
            actions.extend(self.apply(conn, kind, now));
        }
        Some(key.1)
    }

    /// Lets an event happen that is not a chunk.
    fn apply(&mut self, conn: ConnId, kind: EventKind, now: Instant) -> Option<Action> {
        match kind {
            EventKind::Send(bytes) => {
                self.conns.get_mut(&conn)?.queue_output(bytes.len(), now);
                (!bytes.is_empty()).then_some(Action::Write { conn, bytes: *bytes })
            }
            EventKind::Chunk { .. } => None,
            EventKind::ResponseEnd => self.end_response(conn, now),
            EventKind::Shutdown => {
                self.leave(conn, now.saturating_add(LINGER), EventKind::Close);
                Some(Action::Shutdown { conn })
            }
            EventKind::LoadEnds(server) => {
                self.admission.load_ended(server);
                self.proceed(server, Vec::new(), now);
                None
            }
            EventKind::Close => Some(Action::Close { conn }),
            EventKind::Reset => Some(Action::Reset { conn }),
            EventKind::LimitTimer => {
                let state = self.conns.get_mut(&conn)?;
                state.check_limits((&mut self.timeline, &mut self.ledger), &self.config.limits, now)
            }
        }
    }

    fn schedule_control(&mut self, conn: ConnId, at: Instant, kind: EventKind) {
        if let Some(state) = self.conns.get_mut(&conn) {
            state.schedule_control(&mut self.timeline, at, kind);
        }
    }

    /// Reads nothing more of a connection, and ends it with an event at `at`.
    fn leave(&mut self, conn: ConnId, at: Instant, how: EventKind) {
        if let Some(state) = self.conns.get_mut(&conn) {
            state.state = ConnState::Leaving;
            state.schedule_control(&mut self.timeline, at, how);
        }
    }

    /// Takes the requests that are complete, until one of them has to be answered first.
    fn read_requests(&mut self, conn: ConnId, now: Instant) {
        while let Some(state) = self.conns.get_mut(&conn).filter(|conn| matches!(conn.state, ConnState::Reading)) {
            let server = state.server;
            match state.parser.parse_next() {
                Ok(Parsed::Incomplete) => return,
                Ok(Parsed::Continue) => {
                    self.schedule_control(conn, now, EventKind::Send(Box::new(Bytes::from_static(CONTINUE))));
                }
                Ok(Parsed::Request(request)) => self.begin(conn, server, &request, now),
                Err(error) => match state.parser.take_broken(error) {
                    Some(request) => self.begin(conn, server, &request, now),
                    None => self.reject(conn, server, error, now),
                },
            }
        }
    }

    /// Answers bytes that are no request.
    fn reject(&mut self, conn: ConnId, server: ServerId, error: BadRequest, now: Instant) {
        let caller = Caller::Connection(conn);
        self.ledger.add(entry::rejected(self.callers.next_stream(caller), (conn, server), error.status(), now));
        self.schedule_control(conn, now, EventKind::Send(Box::new(Bytes::from(error.response()))));
        self.leave(conn, now, EventKind::Shutdown);
    }

    /// Begins to answer a request.
    fn begin(&mut self, conn: ConnId, server: ServerId, request: &Request, now: Instant) {
        let agent = request.head.header(CALLER_HEADER);
        let stream =
            self.callers.next_stream(agent.map_or(Caller::Connection(conn), |agent| Caller::Agent(agent.into())));
        let answered = Answerer {
            config: &self.config,
            server,
            models: &mut self.models,
            rules: &mut self.rules,
            callers: &mut self.callers,
            scheduler: self.admission.scheduler(server),
            now,
        }
        .answer(request, &stream);
        let Answered { source, mut answer, model, is_loaded, timing, pace, extra_fields, effect } = answered;
        let (seen, secrets) = entry::seen(request, &mut self.redactor);
        answer.conceal(&secrets);
        let begun = entry::begun(stream.clone(), (conn, server), (seen, secrets), (answer, &source), now);
        let entry = self.ledger.add(begun);
        if model.is_some() {
            self.streams.insert(stream.clone(), conn);
            let journal = &mut self.ledger.journal;
            journal.in_flight = self.streams.len();
            journal.max_in_flight = journal.max_in_flight.max(journal.in_flight);
        }
        let admitted = model.clone().zip(is_loaded);
        let pace = timing.pace(pace.unwrap_or(self.config.pace), model.is_some());
        let parts = ResponseParts {
            stream: stream.clone(),
            entry,
            request: &request.head,
            source,
            extra_fields,
            model,
            received: now,
            pace,
            effect,
        };
        let mut response = ActiveResponse::new(parts, &self.config);
        if response.is_stepped() {
            response.released = self.permits.take(&response.stream);
        }
        if let Some(state) = self.conns.get_mut(&conn) {
            state.state = ConnState::Responding(Box::new(response));
        }
        // Last, since it may start this response at once.
        match admitted {
            Some((card, is_loaded)) => {
                let mut admitted = Vec::new();
                self.admission.enqueue(server, (stream, card), is_loaded, &mut admitted);
                self.proceed(server, admitted, now);
            }
            // The server's own answers wait for nothing.
            None => self.schedule_next(conn, now),
        }
    }

    /// Lets a server's queue of loads proceed, and then applies what was admitted: before and with it, in this order.
    fn proceed(&mut self, server: ServerId, mut admitted: Vec<Admitted>, now: Instant) {
        self.admission.proceed(server, now, &mut self.timeline, &mut admitted);
        for step in admitted {
            match step {
                Admitted::Loaded(stream) => {
                    if let Some((_, response)) = self.response_of(&stream) {
                        response.set_loaded(now);
                    }
                }
                Admitted::Started(stream) => self.start_response(&stream, now),
            }
        }
    }

    fn response_of(&mut self, stream: &StreamId) -> Option<(ConnId, &mut ActiveResponse)> {
        let conn = *self.streams.get(stream)?;
        Some((conn, self.conns.get_mut(&conn)?.response_mut()?))
    }

    /// Starts the response to a request that has its slot.
    fn start_response(&mut self, stream: &StreamId, now: Instant) {
        let Some((conn, response)) = self.response_of(stream) else { return };
        let is_streamed = response.set_started(now);
        if !is_streamed {
            // What nobody sees piece by piece takes its time on the device all the same.
            self.join_device(conn, now);
        }
        self.schedule_next(conn, now);
    }

    /// Lets a response join the device, where it has to: the others are slower then.
    fn join_device(&mut self, conn: ConnId, now: Instant) {
        let Some(response) = self.conns.get_mut(&conn).and_then(Conn::response_mut) else { return };
        if response.must_join(&self.device) {
            response.join(&mut self.device, now);
            conn::reschedule_for_device((&self.streams, &mut self.conns), &self.device, &mut self.timeline, now);
        }
    }

    /// Puts the next chunk of a response on the timeline, or its end.
    fn schedule_next(&mut self, conn: ConnId, now: Instant) {
        let Some(state) = self.conns.get_mut(&conn) else { return };
        match state.upcoming(&self.device, now, now) {
            Upcoming::Chunk(at) => state.schedule_chunk(&mut self.timeline, at, at),
            Upcoming::End => state.schedule_end(&mut self.timeline, now),
            Upcoming::Blocked => {}
        }
    }

    /// Sends chunks of one stream: one that was due at `due`, and of those that are due by `now` as many as the batch holds.
    fn send_chunks(&mut self, conn: ConnId, mut due: Instant, now: Instant, batch: Batch, actions: &mut Vec<Action>) {
        let Some(mut state) = self.conns.get_mut(&conn) else { return };
        let Some(response) = state.response_mut() else { return };
        // Its event has left the timeline; joining must find no chunk of this stream there.
        response.next_chunk_at = None;
        if response.must_join(&self.device) {
            // Before anything is sent, since what follows the first chunk is as fast as the device is then.
            self.join_device(conn, now);
            let Some(same) = self.conns.get_mut(&conn) else { return };
            state = same;
        }
        let (mut left, mut coalescer) = (batch.max_chunks.get(), WriteCoalescer::default());
        // What this loop calls is `#[inline]`: how the compiler splits the crate must not decide what a chunk costs.
        let upcoming = loop {
            left -= 1;
            let Some(response) = state.response_mut() else { return };
            let entry = response.entry;
            // Not every moment has something to show: a release is kept for the next one.
            if let Some(mut chunk) = response.plan_chunk(due, now) {
                response.released = response.released.saturating_sub(1);
                let (number, sent) =
                    (chunk.number, ChunkSent { due: chunk.due, written: None, body_end: chunk.body.end });
                let length = coalescer.add((conn, response), &mut chunk, batch, actions);
                let noted = self.ledger.add_chunk(entry, sent, |body| entry::keep(body, chunk.payload, response));
                // Counted before it is marked: the mark is at the end of this chunk.
                state.queue_output(length, now);
                if noted {
                    state.mark(entry, MarkKind::Chunk(number));
                }
            }
            match state.upcoming(&self.device, due, now) {
                Upcoming::Chunk(at) if at <= now && left > 0 => due = at,
                upcoming => break upcoming,
            }
        };
        // What was collected leaves before the end of the response.
        if let Some(response) = state.response() {
            coalescer.flush((conn, response), actions);
        }
        match upcoming {
            // A late stream goes behind the others that are due: its place is at `now`, though the chunk was due earlier.
            Upcoming::Chunk(at) if at <= now && batch.max_chunks > NonZeroUsize::MIN => {
                state.schedule_chunk(&mut self.timeline, now, at);
            }
            Upcoming::Chunk(at) => state.schedule_chunk(&mut self.timeline, at, at),
            Upcoming::End if left > 0 => actions.extend(self.end_response(conn, now)),
            Upcoming::End => state.schedule_end(&mut self.timeline, due),
            Upcoming::Blocked => {}
        }
    }

    /// Ends a response, and begins with the next request where the connection stays.
    fn end_response(&mut self, conn: ConnId, now: Instant) -> Option<Action> {
        let state = self.conns.get_mut(&conn)?;
        let bytes = state.response_mut()?.take_end(now);
        let mut response = state.take_response(ConnState::Reading)?;
        state.queue_output(bytes.len(), now);
        state.since = now;
        if self.ledger.entry_mut(response.entry).is_some() {
            state.mark(response.entry, MarkKind::Response(response.wire_end().into()));
        }
        // A response without bytes after its last chunk may be complete already.
        state.note_written(0, now, &mut self.ledger);
        let server = state.server;
        self.end_stream(server, &response, now);
        if let Some(Effect::Add(card)) = response.effect.take() {
            self.models.add(*card, &rfc3339(self.config.wall.unix_nanos(now)));
        }
        match response.wire_end() {
            WireEnd::Complete if response.keep_alive => self.read_requests(conn, now),
            WireEnd::Reset => self.leave(conn, now, EventKind::Reset),
            WireEnd::Complete | WireEnd::Truncated => self.leave(conn, now, EventKind::Shutdown),
        }
        (!bytes.is_empty()).then_some(Action::Write { conn, bytes })
    }

    /// Takes a response off the backend, where it was there: those that waited for it start.
    fn end_stream(&mut self, server: ServerId, response: &ActiveResponse, now: Instant) {
        let Some(card) = &response.model else { return };
        self.streams.remove(&response.stream);
        self.ledger.journal.in_flight = self.streams.len();
        let mut admitted = Vec::new();
        self.admission.remove(server, (&response.stream, card), now, &mut admitted);
        // The device is left before the next one starts, whose times are those of the new rate.
        if response.on_device.is_some() {
            self.device.leave(now);
            conn::reschedule_for_device((&self.streams, &mut self.conns), &self.device, &mut self.timeline, now);
        }
        self.proceed(server, admitted, now);
    }
}
