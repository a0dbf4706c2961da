//! The inputs, the timeline and the step.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use rustc_hash::FxHashMap;

use super::action::{Action, Closed, Release, Seq, Step, Turn};
use super::answer::{Answered, Answerer, Effect, Timing};
use super::common::{Common, Notice, lock};
use super::config::Config;
use super::conn::{Conn, State};
use super::machine::{Machine, Phase};
use super::stream::{Answering, Begin, Due};
use super::timeline::{Event, Timeline, What};
use super::together::Together;
use crate::backend::BUSY;
use crate::clock::Instant;
use crate::http::{BadRequest, CONTINUE, Parsed, Request};
use crate::journal::{
    AGENT_HEADER, Answer, Caller, ChunkSent, ConnId, Entry, Fate, Journal, Ledger, Redactor, RequestSeen, ServerId,
    StreamId,
};
use crate::recording::End;
use crate::schedule::{Base, Pace};

/// How long a connection that this side ended stays open for the client to take the last bytes
/// (`net/http/server.go`, `rstAvoidanceDelay`).
pub const LINGER: Duration = Duration::from_millis(500);

/// With more bytes than this waiting for a client, its next chunk is held back …
const HIGH_WATER: u64 = 256 * 1024;

/// … until fewer than this are waiting.
const LOW_WATER: u64 = 64 * 1024;

/// With more bytes of pipelined requests than this waiting, nothing more is read.
const MAX_PIPELINED: usize = 64 * 1024;

/// What comes next of a response.
enum Next {
    /// A chunk, then.
    Chunk(Instant),
    /// Its end.
    End,
    /// Nothing before something else happens.
    Later,
}

/// The server as a state machine, or one shard of it. See the module documentation.
#[derive(Debug)]
pub struct Engine {
    pub(super) config: Config,
    /// Which shard it is, counted from zero.
    pub(super) shard: usize,
    pub(super) common: Arc<Mutex<Common>>,
    pub(super) conns: FxHashMap<ConnId, Conn>,
    pub(super) timeline: Timeline,
    /// Replays in progress, and those that wait for it.
    pub(super) streams: BTreeMap<StreamId, ConnId>,
    pub(super) machine: Machine,
    ledger: Ledger,
    /// The connections of the next events, as far as it has looked: see [`Engine::look_ahead`].
    pub(super) ahead: Vec<ConnId>,
    /// Room for the actions of one event, and for what other shards leave.
    actions: Vec<Action>,
    pub(super) notices: Vec<Notice>,
    /// Shards that are to look at what was left for them.
    pub(super) rings: Vec<usize>,
}

impl Engine {
    /// An engine without connections.
    pub fn new(config: Config) -> Self {
        let common = Arc::new(Mutex::new(Common::new(&config, 1)));
        Self::shard(config, common, 0)
    }

    /// So many engines that are one server together: each has connections of its own, numbered unlike those of the
    /// others; models, callers, slots, loads and the device are common to all. What happens on one may concern another: see
    /// [`Engine::rings`].
    pub fn shards(config: &Config, count: NonZeroUsize) -> Vec<Self> {
        let common = Arc::new(Mutex::new(Common::new(config, count.get())));
        let config = Config { keep: config.keep.shared_by(count), ..config.clone() };
        (0..count.get()).map(|shard| Self::shard(config.clone(), Arc::clone(&common), shard)).collect()
    }

    fn shard(config: Config, common: Arc<Mutex<Common>>, shard: usize) -> Self {
        let machine = Machine::new(&lock(&common).backend.device);
        Self {
            machine,
            ledger: Ledger::new(config.keep),
            config,
            shard,
            common,
            conns: FxHashMap::default(),
            timeline: Timeline::default(),
            streams: BTreeMap::new(),
            ahead: Vec::new(),
            actions: Vec::new(),
            notices: Vec::new(),
            rings: Vec::new(),
        }
    }

    /// What happened so far.
    pub fn journal(&self) -> &Journal {
        &self.ledger.journal
    }

    /// What happened, when nothing more will.
    pub fn into_journal(self) -> Journal {
        self.ledger.journal
    }

    /// Replays in progress, in the order of their ids.
    pub fn open_streams(&self) -> impl Iterator<Item = &StreamId> {
        self.streams.keys()
    }

    /// A client connected to `server`; `conn` is new.
    pub fn opened(&mut self, conn: ConnId, server: ServerId, now: Instant) {
        self.conns.insert(conn, Conn::new(server, &self.config.limits, now));
        self.watch(conn, now);
    }

    /// A client connected to `server` that is one too many: it is told so in place of any answer, and let go.
    pub fn refuse(&mut self, conn: ConnId, server: ServerId, now: Instant) {
        let mut state = Conn::new(server, &self.config.limits, now);
        state.state = State::Leaving;
        self.conns.insert(conn, state);
        self.control(conn, now, What::Send(Box::new(too_many())));
        self.control(conn, now, What::Shutdown);
    }

    /// Whether this side has ended the connection or is about to.
    pub fn is_leaving(&self, conn: ConnId) -> bool {
        self.conns.get(&conn).is_none_or(|conn| matches!(conn.state, State::Leaving))
    }

    /// Bytes came in, cut in any way.
    pub fn receive(&mut self, conn: ConnId, bytes: &[u8], now: Instant) {
        let Some(state) = self.conns.get_mut(&conn) else { return };
        if matches!(state.state, State::Leaving) {
            return;
        }
        if state.parser.is_idle() {
            state.since = now;
        }
        state.parser.push(bytes);
        self.read_requests(conn, now);
    }

    /// Whether more input of this connection is of use now: not while a client sends request after request
    /// without taking answers.
    pub fn wants_input(&self, conn: ConnId) -> bool {
        self.conns.get(&conn).is_some_and(|conn| match conn.state {
            State::Answering(_) => conn.parser.buffered() < MAX_PIPELINED,
            State::Reading | State::Leaving => true,
        })
    }

    /// The transport took `bytes` more of what it was given.
    pub fn wrote(&mut self, conn: ConnId, bytes: usize, now: Instant) {
        let Some(state) = self.conns.get_mut(&conn) else { return };
        state.wrote(bytes, now, &mut self.ledger);
        if state.backlog() < LOW_WATER
            && let State::Answering(answering) = &mut state.state
            && let Some(due) = answering.stalled.take()
        {
            state.place_chunk(&mut self.timeline, conn, due, due);
        }
    }

    /// The client said that it will send nothing more. The real server takes that for the end of the request it
    /// is answering: the answer breaks off as it does there, and the connection is closed after it. Says whether
    /// there is anything to be said; if not, the connection is gone.
    pub fn half_closed(&mut self, conn: ConnId, now: Instant) -> bool {
        let Some(state) = self.conns.get_mut(&conn) else { return false };
        let State::Answering(answering) = &mut state.state else { return false };
        let bytes = answering.take_cancelled(now);
        if bytes.is_empty() {
            return false;
        }
        state.forget_events(&mut self.timeline);
        state.abort(&mut self.ledger);
        let server = state.server;
        let State::Answering(answering) = std::mem::replace(&mut state.state, State::Leaving) else { return false };
        if answering.model.is_some() {
            self.share(now, |this, common| this.stream_ends(common, server, &answering, now));
        }
        self.control(conn, now, What::Send(Box::new(bytes)));
        self.control(conn, now, What::Close);
        // Its clock was among the events; a client that takes nothing of this must not stay for ever.
        self.watch(conn, now);
        true
    }

    /// The connection is gone.
    pub fn closed(&mut self, conn: ConnId, _how: Closed, now: Instant) {
        let Some(mut state) = self.conns.remove(&conn) else { return };
        state.forget_events(&mut self.timeline);
        state.abort(&mut self.ledger);
        self.share(now, |this, common| {
            if let State::Answering(answering) = &state.state {
                this.stream_ends(common, state.server, answering, now);
            }
            common.callers.forget(conn);
        });
    }

    /// Under a stepped pace: lets `chunks` more chunks of the named streams leave now.
    pub fn release(&mut self, which: &Release, chunks: u64, now: Instant) {
        if self.config.pace.base != Base::Stepped {
            return;
        }
        let released: Vec<(StreamId, ConnId)> = match which {
            Release::All => self.streams.iter().map(|(stream, conn)| (stream.clone(), *conn)).collect(),
            Release::Stream(stream) => {
                self.streams.get_key_value(stream).map(|(s, c)| (s.clone(), *c)).into_iter().collect()
            }
        };
        for (_, conn) in released {
            let Some(state) = self.conns.get_mut(&conn) else { continue };
            let State::Answering(answering) = &mut state.state else { continue };
            let waited = answering.released == 0;
            answering.released = answering.released.saturating_add(chunks);
            if waited && chunks > 0 && answering.phase == Phase::Served {
                state.place_chunk(&mut self.timeline, conn, now, now);
            }
        }
    }

    /// The place of the next event on the timeline.
    pub fn next(&self) -> Option<&(Instant, StreamId, Seq)> {
        self.timeline.first()
    }

    /// When the next event is due; cheaper than [`Engine::next`].
    pub fn next_due(&self) -> Option<Instant> {
        self.timeline.first_due()
    }

    /// The one next event, if it is due by `now`; `None` when nothing is.
    pub fn step(&mut self, now: Instant) -> Option<Step> {
        let mut actions = std::mem::take(&mut self.actions);
        let stream = self.advance(now, Turn::ONE, &mut actions);
        let action = actions.pop();
        self.actions = actions;
        Some(Step { stream: stream?, action })
    }

    /// The next event, if it is due by `now`: its stream, and in `actions` what to do for it. Where it is a chunk, chunks of
    /// its stream that are due as well go with it, up to a turn in all, and the end after them: a stream that is late
    /// catches up in one write.
    pub fn advance(&mut self, now: Instant, turn: Turn, actions: &mut Vec<Action>) -> Option<StreamId> {
        self.look_ahead();
        let (key, Event { conn, what }) = self.timeline.pop_due(now)?;
        match what {
            What::Chunk { due } => self.send_chunks(conn, due, now, turn, actions),
            other => {
                if let Some(state) = self.conns.get_mut(&conn) {
                    state.pending.retain(|pending| *pending != key);
                }
                actions.extend(self.fire(conn, other, now));
            }
        }
        Some(key.1)
    }

    fn fire(&mut self, conn: ConnId, what: What, now: Instant) -> Option<Action> {
        match what {
            What::Send(bytes) => self.write(conn, *bytes, now),
            What::Chunk { .. } => None,
            What::End => self.end_response(conn, now),
            What::Shutdown => {
                self.conns.get_mut(&conn)?.state = State::Leaving;
                self.control(conn, now.saturating_add(LINGER), What::Close);
                Some(Action::Shutdown { conn })
            }
            What::Loaded(server) => {
                self.loaded(server, now);
                None
            }
            What::Close => Some(Action::Close { conn }),
            What::Reset => Some(Action::Reset { conn }),
            What::Look => self.look(conn, now),
        }
    }

    fn schedule(&mut self, conn: ConnId, at: Instant, stream: StreamId, what: What) {
        let Some(state) = self.conns.get_mut(&conn) else { return };
        let key = (at, stream, Seq(state.next_seq()));
        state.pending.push(key.clone());
        self.timeline.insert(key, Event { conn, what });
    }

    /// Schedules an event that belongs to the connection rather than to a stream; at one instant it comes
    /// before the response to whatever was received after it.
    fn control(&mut self, conn: ConnId, at: Instant, what: What) {
        self.schedule(conn, at, StreamId { caller: Caller::Connection(conn), exchange: 0 }, what);
    }

    fn write(&mut self, conn: ConnId, bytes: Bytes, now: Instant) -> Option<Action> {
        self.conns.get_mut(&conn)?.hand_out(bytes.len(), now);
        (!bytes.is_empty()).then_some(Action::Write { conn, bytes })
    }

    /// Takes the requests that are complete, until one of them has to be answered first.
    fn read_requests(&mut self, conn: ConnId, now: Instant) {
        while let Some(state) = self.conns.get_mut(&conn) {
            if !matches!(state.state, State::Reading) {
                return;
            }
            match state.parser.parse_next() {
                Ok(Parsed::Incomplete) => return,
                Ok(Parsed::Continue) => self.control(conn, now, What::Send(Box::new(Bytes::from_static(CONTINUE)))),
                Ok(Parsed::Request(request)) => {
                    let server = state.server;
                    self.begin(conn, server, &request, now);
                }
                Err(error) => {
                    let server = state.server;
                    match state.parser.take_broken(error) {
                        Some(request) => self.begin(conn, server, &request, now),
                        None => self.reject(conn, server, error, now),
                    }
                }
            }
        }
    }

    fn reject(&mut self, conn: ConnId, server: ServerId, error: BadRequest, now: Instant) {
        let stream = lock(&self.common).callers.next_stream(Caller::Connection(conn));
        let request =
            RequestSeen { method: String::new(), target: String::new(), headers: Vec::new(), body: String::new() };
        let (answer, status) = (Answer::Rejected, error.status());
        let chunks = Vec::new();
        let fate = Fate::Complete;
        let entry = Entry { stream, conn, server, received: now, request, answer, status, chunks, fate };
        self.ledger.add(entry);
        if let Some(state) = self.conns.get_mut(&conn) {
            state.state = State::Leaving;
        }
        self.control(conn, now, What::Send(Box::new(Bytes::from(error.response()))));
        self.control(conn, now, What::Shutdown);
    }

    fn begin(&mut self, conn: ConnId, server: ServerId, request: &Request, now: Instant) {
        self.share(now, |this, common| this.begin_with(common, (conn, server), request, now));
    }

    fn begin_with(&mut self, common: &mut Common, (conn, server): (ConnId, ServerId), request: &Request, now: Instant) {
        let caller = match request.head.header(AGENT_HEADER) {
            Some(agent) => Caller::Agent(agent.into()),
            None => Caller::Connection(conn),
        };
        let stream = common.callers.next_stream(caller);
        let (config, models, callers) = (&self.config, &mut common.models, &mut common.callers);
        let scheduler = common.backend.scheduler(server);
        let answered = Answerer { config, server, models, callers, scheduler, now }.answer(request, &stream);
        let Answered { source, answer, model, is_loaded, timing, extra_fields, then } = answered;
        let entry = Entry {
            stream: stream.clone(),
            conn,
            server,
            received: now,
            request: seen(request, &mut common.redactor),
            answer,
            status: source.status(),
            // Room for them all now, so that none is made while they leave.
            chunks: Vec::with_capacity(source.chunks()),
            fate: Fate::Open,
        };
        let entry = self.ledger.add(entry);
        if model.is_some() {
            self.streams.insert(stream.clone(), conn);
            self.ledger.journal.in_flight = self.streams.len();
            common.in_flight += 1;
            self.ledger.journal.max_in_flight = self.ledger.journal.max_in_flight.max(common.in_flight);
        }
        let pace = match (timing, self.config.pace.base) {
            (Timing::AtOnce, _) => Pace::instant(),
            (Timing::AsStated, _) => Pace::recorded(),
            // Nobody releases what no stream is open for.
            (Timing::Paced, Base::Stepped) if model.is_none() => Pace::recorded(),
            (Timing::Paced, _) => self.config.pace,
        };
        let admitted = model.clone().zip(is_loaded);
        let answering = Answering::new(Begin {
            seed: self.config.seed,
            wall: self.config.wall,
            request: &request.head,
            received: now,
            stream: stream.clone(),
            entry,
            source,
            extra_fields,
            model,
            pace,
            then,
        });
        if let Some(state) = self.conns.get_mut(&conn) {
            state.state = State::Answering(Box::new(answering));
        }
        match admitted {
            Some((card, is_loaded)) => self.admit(common, (server, stream, card), is_loaded, now),
            // The server's own answers wait for nothing.
            None => self.schedule_next(conn, now),
        }
    }

    /// Puts the next chunk of a response on the timeline, or its end.
    pub(super) fn schedule_next(&mut self, conn: ConnId, now: Instant) {
        let Some(state) = self.conns.get_mut(&conn) else { return };
        match next_of(&self.machine, state, now, now) {
            Next::Chunk(at) => state.place_chunk(&mut self.timeline, conn, at, at),
            Next::End => self.place_end(conn, now),
            Next::Later => {}
        }
    }

    fn place_end(&mut self, conn: ConnId, at: Instant) {
        let Some(Conn { state: State::Answering(answering), .. }) = self.conns.get(&conn) else { return };
        let stream = answering.stream.clone();
        self.schedule(conn, at, stream, What::End);
    }

    /// Chunks of one stream leave: one that was due at `due`, and a turn in all of those that are due by `now`.
    fn send_chunks(&mut self, conn: ConnId, mut due: Instant, now: Instant, turn: Turn, actions: &mut Vec<Action>) {
        let Some(mut state) = self.conns.get_mut(&conn) else { return };
        let State::Answering(answering) = &mut state.state else { return };
        // Its place is free now; what comes after the first chunk is as fast as the device is then.
        answering.next_chunk_at = None;
        if self.machine.waits_for(answering) {
            self.comes_to_device(conn, now);
            let Some(same) = self.conns.get_mut(&conn) else { return };
            state = same;
        }
        let (mut left, mut together) = (turn.most.get(), Together::default());
        let next = loop {
            left -= 1;
            let State::Answering(answering) = &mut state.state else { return };
            let (number, chunk) = (answering.entry, answering.next_chunk());
            // Not every moment has something to show: a release is kept for the next one.
            if let Some((taken, body_end)) = answering.take_chunk(due, now) {
                answering.released = answering.released.saturating_sub(1);
                let length = together.add(conn, answering, taken, turn.apart, actions);
                state.hand_out(length, now);
                if self.ledger.add_chunk(number, ChunkSent { due, written: None, body_end }) {
                    state.mark(number, Some(chunk));
                }
            }
            match next_of(&self.machine, state, due, now) {
                Next::Chunk(at) if at <= now && left > 0 => due = at,
                next => break next,
            }
        };
        if let State::Answering(answering) = &state.state {
            together.leave(conn, answering, actions);
        }
        match next {
            // A stream that is late lets the others have their turn.
            Next::Chunk(at) if at <= now && turn.most > NonZeroUsize::MIN => {
                state.place_chunk(&mut self.timeline, conn, now, at);
            }
            Next::Chunk(at) => state.place_chunk(&mut self.timeline, conn, at, at),
            Next::End if left > 0 => actions.extend(self.end_response(conn, now)),
            Next::End => self.place_end(conn, due),
            Next::Later => {}
        }
    }

    fn end_response(&mut self, conn: ConnId, now: Instant) -> Option<Action> {
        let state = self.conns.get_mut(&conn)?;
        let State::Answering(answering) = &mut state.state else { return None };
        let bytes = answering.take_end(now);
        let State::Answering(mut answering) = std::mem::replace(&mut state.state, State::Reading) else { return None };
        state.hand_out(bytes.len(), now);
        state.since = now;
        if self.ledger.entry_mut(answering.entry).is_some() {
            state.mark(answering.entry, None);
        }
        // A response without bytes after its last chunk may be complete already.
        state.wrote(0, now, &mut self.ledger);
        let server = state.server;
        let then = answering.then.take();
        if answering.model.is_some() || then.is_some() {
            self.share(now, |this, common| {
                this.stream_ends(common, server, &answering, now);
                if let Some(Effect::Add(card)) = then {
                    let modified_at = crate::go_json::rfc3339(this.config.wall.unix_nanos(now));
                    common.models.add(*card, &modified_at);
                }
            });
        }
        match answering.end() {
            End::Clean if answering.keep_alive => self.read_requests(conn, now),
            End::Reset => self.leave(conn, now, What::Reset),
            // What a server would have sent after the recorder left is not known: the connection ends there.
            End::Clean | End::Eof | End::ClientClosed | End::Timeout => self.leave(conn, now, What::Shutdown),
        }
        (!bytes.is_empty()).then_some(Action::Write { conn, bytes })
    }

    fn leave(&mut self, conn: ConnId, now: Instant, how: What) {
        if let Some(state) = self.conns.get_mut(&conn) {
            state.state = State::Leaving;
        }
        self.control(conn, now, how);
    }

    fn stream_ends(&mut self, common: &mut Common, server: ServerId, answering: &Answering, now: Instant) {
        if let Some(model) = &answering.model {
            self.streams.remove(&answering.stream);
            self.ledger.journal.in_flight = self.streams.len();
            common.in_flight -= 1;
            self.depart(common, server, answering, model, now);
        }
    }
}

/// What comes next of a response whose last event was due at `last`.
fn next_of(machine: &Machine, conn: &mut Conn, last: Instant, now: Instant) -> Next {
    let backlog = conn.backlog();
    let State::Answering(answering) = &mut conn.state else { return Next::Later };
    match answering.next_due() {
        Due::At(solo) => {
            answering.solo = Some(solo);
            let due = machine.due(answering, solo, now);
            if backlog > HIGH_WATER {
                answering.stalled = Some(due);
                return Next::Later;
            }
            Next::Chunk(due)
        }
        Due::Released if answering.released > 0 => Next::Chunk(last),
        Due::Released => Next::Later,
        Due::End => Next::End,
    }
}

/// What a client above the limit of connections gets, in Ollama's own words for a server with too much to do.
fn too_many() -> Bytes {
    let body = format!("{{\"error\":\"{BUSY}\"}}");
    let fields = "Content-Type: application/json; charset=utf-8\r\nConnection: close\r\n";
    let length = body.len();
    Bytes::from(format!("HTTP/1.1 503 Service Unavailable\r\n{fields}Content-Length: {length}\r\n\r\n{body}"))
}

fn seen(request: &Request, redactor: &mut Redactor) -> RequestSeen {
    let mut seen = RequestSeen {
        method: request.head.method.clone(),
        target: request.head.target.clone(),
        headers: request.head.headers.clone(),
        body: String::from_utf8_lossy(&request.body).into_owned(),
    };
    redactor.redact(&mut seen);
    seen
}
