//! The loop: sockets to engine, engine to sockets, and waiting in between.

use std::hint::black_box;
use std::io;
use std::net::TcpListener;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rustc_hash::FxHashMap;

use super::command::{Board, Command, Mailbox, Witness};
use super::lead::Lead;
use super::observer::Observer;
use super::poll::{Listener, Poller, Ready};
use super::rest::Rest;
use super::service::Service;
use super::socket::{Ending, Flushed, Got, Socket};
use super::threads::Part;
use super::time::{LoopWaker, TimeSource};
use crate::clock::Instant;
use crate::engine::{Action, Closed, Engine, Turn};
use crate::journal::{ConnId, Journal, ServerId};

/// How many events happen before sockets are looked at again.
const MAX_EVENTS: usize = 64;

/// How many events happen before what they mean is carried out. Under a clock that waits for each of them it is one.
const STEPS: usize = 16;

/// How many reads one connection gets before the others have their turn.
const MAX_READS: usize = 16;

/// The size of one read, in bytes.
const READ_BYTES: usize = 16 * 1024;

/// Where every chunk has a write of its own, so many leave before the other streams have their turn. More in a row cost more
/// each: the client begins to read the first ones, and both sides wait for the lock of the same socket.
const FLUSHED_TOGETHER: NonZeroUsize = NonZeroUsize::new(2).unwrap();

/// With more streams than this in progress nothing is spun for: a wait would never be one.
const FEW_STREAMS: usize = 8;

/// How many connections are accepted before streams have their turn.
const MAX_ACCEPTS: usize = 64;

/// How many clients above the limit are being told so at once; the others wait with the kernel.
const REFUSING: usize = 32;

/// Descriptors of a loop beside its listeners and connections.
const OWN_DESCRIPTORS: usize = 3;

/// How long accepting pauses when the process is out of descriptors.
pub(crate) const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

/// One thread's worth of server.
pub(super) struct EventLoop {
    around: Around,
    engine: Engine,
    time: Box<dyn TimeSource>,
    observer: Box<dyn Observer>,
    poller: Poller,
    doors: Vec<Door>,
    mailbox: Arc<Mailbox>,
    sockets: FxHashMap<ConnId, Socket>,
    /// Connections with something to do that no event will tell of.
    due_reads: Vec<ConnId>,
    buffer: Vec<u8>,
    /// Room for output that is copied together.
    gathered: Vec<u8>,
    /// What the engine said and has not been carried out.
    actions: Vec<Action>,
    /// Steps of the engine before those are carried out.
    steps: usize,
    /// What leaves of a stream that is late before the others have their turn.
    turn: Turn,
    /// How long before a deadline it wakes, while few streams are in progress; see [`Service::spin`].
    lead: Lead,
    /// How long it rests, while many are.
    rest: Rest,
    max_connections: usize,
    /// What other threads were shown last.
    shown: Witness,
}

/// What a loop is among.
pub(super) struct Around {
    /// Which of the loops it is, counted from zero.
    pub(super) number: usize,
    /// How many there are.
    pub(super) loops: usize,
    pub(super) board: Arc<Board>,
    /// Connections of all loops.
    pub(super) connections: Arc<AtomicUsize>,
}

/// The listener of one server.
struct Door {
    listener: Listener,
    /// Edge-triggered: there may be connections to accept.
    acceptable: bool,
    /// The number of the connection that it accepts next.
    next_conn: u64,
}

impl EventLoop {
    /// A loop around the bound listeners of an engine's servers, and the mailbox to reach it by.
    pub(super) fn new(part: Part, around: Around, service: Service) -> io::Result<(Self, Arc<Mailbox>)> {
        let Part { listeners, engine, time, observer } = part;
        let poller = Poller::new()?;
        // The numbers of connections are dealt to the doors of the first loop, then to those of the second, and so on.
        let first_conn = (around.number * listeners.len()) as u64 + 1;
        let mut doors = Vec::with_capacity(listeners.len());
        for (listener, token) in listeners.into_iter().zip(0..) {
            let mut listener = into_listener(listener);
            poller.add_listener(&mut listener, token)?;
            doors.push(Door { listener, acceptable: true, next_conn: first_conn + token });
        }
        time.attach(LoopWaker(poller.waker()));
        let together = time.together();
        let most = if service.flush { together.min(FLUSHED_TOGETHER) } else { together };
        let mailbox = Arc::new(Mailbox::new(poller.waker()));
        let of_loops = around.loops * (OWN_DESCRIPTORS + doors.len());
        let this = Self {
            around,
            engine,
            time,
            observer,
            poller,
            doors,
            mailbox: Arc::clone(&mailbox),
            sockets: FxHashMap::default(),
            due_reads: Vec::new(),
            buffer: vec![0; READ_BYTES],
            gathered: Vec::new(),
            actions: Vec::new(),
            steps: if together > NonZeroUsize::MIN { STEPS } else { 1 },
            turn: Turn { most, apart: service.flush },
            lead: Lead::new(if together > NonZeroUsize::MIN { service.spin } else { Duration::ZERO }),
            rest: Rest::default(),
            max_connections: service.most(of_loops),
            shown: Witness::default(),
        };
        Ok((this, mailbox))
    }

    /// Runs until told to stop; then every socket is closed. `all` are the mailboxes of all loops, this one's among them.
    pub(super) fn run(mut self, all: &[Arc<Mailbox>]) -> io::Result<Journal> {
        let outcome = self.turn_until_stopped(all);
        let now = self.time.now();
        let mut conns: Vec<ConnId> = std::mem::take(&mut self.sockets).into_keys().collect();
        conns.sort_unstable();
        for conn in conns {
            self.engine.closed(conn, Closed::Local, now);
        }
        self.show(true);
        outcome.map(|()| self.engine.into_journal())
    }

    fn turn_until_stopped(&mut self, all: &[Arc<Mailbox>]) -> io::Result<()> {
        let mut ready = Vec::new();
        loop {
            if self.obey() {
                return Ok(());
            }
            let mut more = false;
            for server in 0..self.doors.len() {
                more |= self.accept(server);
            }
            self.read_all();
            more |= self.act();
            for other in self.engine.rings().filter_map(|number| all.get(number)) {
                other.send(Command::Heed);
            }
            self.show(false);
            let timeout = self.timeout(more);
            self.wait(timeout, &mut ready)?;
            self.note(&ready);
        }
    }

    /// How long to wait: not at all while there is something to do.
    fn timeout(&self, more: bool) -> Option<Duration> {
        if more || !self.due_reads.is_empty() {
            return Some(Duration::ZERO);
        }
        let timeout = self.spun(self.time.timeout(&self.engine));
        let paused = self.doors.iter().any(|door| door.acceptable);
        if paused { Some(timeout.unwrap_or(ACCEPT_PAUSE).min(ACCEPT_PAUSE)) } else { timeout }
    }

    /// With few streams, a wait ends a little early and the rest of it is spun away: a wake-up takes tens of microseconds.
    fn spun(&self, timeout: Option<Duration>) -> Option<Duration> {
        if self.spins() { timeout.map(|timeout| timeout.saturating_sub(self.lead.get())) } else { timeout }
    }

    fn spins(&self) -> bool {
        !self.lead.get().is_zero() && self.engine.journal().in_flight <= FEW_STREAMS
    }

    /// Waits: with many streams in progress it rests at least; with few it learns how long it takes to wake.
    fn wait(&mut self, timeout: Option<Duration>, ready: &mut Vec<Ready>) -> io::Result<()> {
        if timeout.is_some_and(|timeout| timeout.is_zero()) {
            return self.poller.wait(timeout, ready);
        }
        let (now, spins) = (self.time.now(), self.spins());
        let least = if spins { Duration::ZERO } else { self.rest.least(now) };
        let timeout = timeout.map(|timeout| timeout.max(least));
        self.poller.wait(timeout, ready)?;
        let woke = self.time.now();
        self.rest.over(woke);
        if let Some(timeout) = timeout.filter(|_| spins) {
            self.lead.learn(now.saturating_add(timeout), woke);
        }
        Ok(())
    }

    /// Carries out the commands of other threads; says whether one was to stop.
    fn obey(&mut self) -> bool {
        let mut stop = false;
        for command in self.mailbox.take() {
            match command {
                Command::Release(which, chunks) => self.engine.release(&which, chunks, self.time.now()),
                // Nobody waits for it any more: then it is not needed.
                Command::Journal(reply) => drop(reply.send(self.engine.journal().clone())),
                Command::Heed => self.engine.heed(self.time.now()),
                Command::Stop => stop = true,
            }
        }
        stop
    }

    fn show(&mut self, ended: bool) {
        let journal = self.engine.journal();
        let witness = Witness { in_flight: journal.in_flight, requests: journal.requests(), ended };
        if self.shown != witness {
            self.shown = witness;
            self.around.board.show(self.around.number, witness);
        }
    }

    /// Accepts what there is at a server's door. Above its limit it tells clients so; out of descriptors it pauses. Either
    /// way it goes on serving.
    ///
    /// Says whether it stopped to let streams have their turn, and there may be more.
    fn accept(&mut self, server: usize) -> bool {
        let (doors, loops) = (self.doors.len() as u64, self.around.loops as u64);
        let connections = &*self.around.connections;
        let Some(door) = self.doors.get_mut(server) else { return false };
        for _ in 0..MAX_ACCEPTS {
            let open = connections.load(Ordering::Relaxed);
            if !door.acceptable || open >= self.max_connections.saturating_add(REFUSING) {
                return false;
            }
            match Poller::accept(&door.listener) {
                Ok(stream) => {
                    // A connection that broke before it was set up is skipped.
                    let Ok(mut socket) = Socket::new(stream) else { continue };
                    let conn = ConnId(door.next_conn);
                    if self.poller.add_stream(&mut socket.stream, token_of(conn, doors)).is_err() {
                        continue;
                    }
                    door.next_conn += doors * loops;
                    let server = ServerId(u32::try_from(server).unwrap_or(u32::MAX));
                    // Two loops that accept at once may both have the last place; the limit need not be that exact.
                    connections.fetch_add(1, Ordering::Relaxed);
                    if open < self.max_connections {
                        self.engine.opened(conn, server, self.time.now());
                    } else {
                        self.engine.refuse(conn, server, self.time.now());
                    }
                    self.sockets.insert(conn, socket);
                    self.due_reads.push(conn);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => door.acceptable = false,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(_) => return false,
            }
        }
        true
    }

    fn note(&mut self, ready: &[Ready]) {
        for event in ready {
            let door = usize::try_from(event.token).ok().and_then(|door| self.doors.get_mut(door));
            if let Some(door) = door {
                door.acceptable = true;
                continue;
            }
            let conn = conn_of(event.token, self.doors.len() as u64);
            let Some(socket) = self.sockets.get_mut(&conn) else { continue };
            socket.writable |= event.writable;
            if event.readable {
                socket.readable = true;
                self.due_reads.push(conn);
            }
            if event.writable {
                self.hand_over(conn);
            }
        }
    }

    fn read_all(&mut self) {
        for conn in std::mem::take(&mut self.due_reads) {
            for _ in 0..MAX_READS {
                if !self.read_once(conn) {
                    break;
                }
            }
            let more = self.sockets.get(&conn).is_some_and(|socket| socket.readable && !socket.eof);
            if more {
                self.due_reads.push(conn);
            }
        }
    }

    /// Reads once; says whether to go on.
    fn read_once(&mut self, conn: ConnId) -> bool {
        let Some(socket) = self.sockets.get_mut(&conn) else { return false };
        if !socket.readable || socket.eof {
            return false;
        }
        if !self.engine.wants_input(conn) {
            // It is read again when an answer has left.
            return false;
        }
        match socket.read(&mut self.buffer) {
            Ok(Got::Bytes(read)) => {
                let now = self.time.now();
                self.observer.read(conn, read, now);
                self.engine.receive(conn, &self.buffer[..read], now);
                true
            }
            Ok(Got::Nothing) => false,
            Ok(Got::Eof) => {
                // Answers that are due go out before the hang-up counts.
                socket.eof = true;
                self.act();
                self.observer.hung_up(conn);
                if self.engine.half_closed(conn, self.time.now()) {
                    self.act();
                } else {
                    self.drop_socket(conn, Closed::Eof);
                }
                false
            }
            Err(_) => {
                self.drop_socket(conn, Closed::Error);
                false
            }
        }
    }

    /// Carries out what is due; says whether there is more.
    ///
    /// The engine steps several times, and then what it said is carried out: in a row, sends cost less each, and the reader that
    /// the first of them wakes is still awake at the last.
    fn act(&mut self) -> bool {
        let mut known = self.time.now();
        let mut left = MAX_EVENTS;
        while left > 0 {
            let (steps, now) = self.step(self.steps.min(left), known);
            if steps == 0 {
                return false;
            }
            left -= steps;
            known = self.carry_out_all(now);
        }
        true
    }

    /// Steps up to `most` times, and no further than to an action that is not output, since it may end a connection; says how
    /// often, and when it is.
    fn step(&mut self, most: usize, mut known: Instant) -> (usize, Instant) {
        let mut steps = 0;
        while steps < most
            && matches!(self.actions.last(), None | Some(Action::Write { .. }))
            && let Some(now) = self.engine.next_due().and_then(|due| self.time.admits(due, known))
            && let Some(stream) = self.engine.advance(now, self.turn, &mut self.actions)
        {
            (steps, known) = (steps + 1, now);
            self.observer.stepped(&stream);
        }
        (steps, known)
    }

    /// Carries out what the engine said; says when the last of it was, and at least `known`. What goes to one connection leaves
    /// in one write.
    fn carry_out_all(&mut self, mut known: Instant) -> Instant {
        let mut actions = std::mem::take(&mut self.actions);
        // What sockets are needed for has been waited for together when the first of them is.
        let sockets = actions.iter().filter_map(|action| self.sockets.get(&target(action)));
        black_box(sockets.map(Socket::look).fold(0, usize::wrapping_add));
        let mut left = actions.drain(..).peekable();
        while let Some(action) = left.next() {
            let conn = target(&action);
            self.carry_out(action);
            if left.peek().is_none_or(|next| target(next) != conn) {
                known = self.hand_over(conn);
            }
        }
        drop(left);
        self.actions = actions;
        known
    }

    fn carry_out(&mut self, action: Action) {
        let Some(socket) = self.sockets.get_mut(&target(&action)) else { return };
        match action {
            Action::Write { bytes, .. } => socket.push(bytes),
            Action::Shutdown { .. } => socket.end(Ending::Shutdown),
            Action::Close { .. } => socket.end(Ending::Close),
            Action::Reset { .. } => socket.end(Ending::Reset),
            Action::Abandon { conn } => {
                socket.abandon();
                self.drop_socket(conn, Closed::Error);
            }
        }
    }

    /// Hands over what a connection has to write, in as many writes as it takes; says when the last of them was.
    fn hand_over(&mut self, conn: ConnId) -> Instant {
        let mut now = self.flush(conn);
        while self.turn.apart && self.sockets.get(&conn).is_some_and(Socket::has_output) {
            now = self.flush(conn);
        }
        now
    }

    /// Hands over what a connection has to write, or its next piece where pieces leave apart; says when.
    fn flush(&mut self, conn: ConnId) -> Instant {
        // Bytes leave when the transport is handed them: a client may see them before the call returns.
        let now = self.time.now();
        let Some(socket) = self.sockets.get_mut(&conn) else { return now };
        match socket.flush(&mut self.gathered, self.turn.apart) {
            Ok(Flushed { bytes, close }) => {
                let read_again = socket.readable && !socket.eof;
                if bytes > 0 {
                    self.observer.wrote(conn, bytes, now);
                    self.engine.wrote(conn, bytes, now);
                }
                if close {
                    self.drop_socket(conn, Closed::Local);
                } else if read_again && self.engine.wants_input(conn) && !self.due_reads.contains(&conn) {
                    self.due_reads.push(conn);
                }
            }
            Err(_) => self.drop_socket(conn, Closed::Error),
        }
        now
    }

    fn drop_socket(&mut self, conn: ConnId, how: Closed) {
        if let Some(mut socket) = self.sockets.remove(&conn) {
            self.poller.remove_stream(&mut socket.stream);
            self.around.connections.fetch_sub(1, Ordering::Relaxed);
            let now = self.time.now();
            self.observer.closed(conn, how, now);
            self.engine.closed(conn, how, now);
        }
    }
}

/// The token of a connection; connections count from one, and the tokens before theirs are those of the doors.
fn token_of(conn: ConnId, doors: u64) -> u64 {
    conn.0 - 1 + doors
}

fn conn_of(token: u64, doors: u64) -> ConnId {
    ConnId(token + 1 - doors)
}

fn target(action: &Action) -> ConnId {
    match action {
        Action::Write { conn, .. }
        | Action::Shutdown { conn }
        | Action::Close { conn }
        | Action::Reset { conn }
        | Action::Abandon { conn } => *conn,
    }
}

#[cfg(all(target_os = "linux", not(feature = "portable-poller")))]
pub(crate) fn into_listener(listener: TcpListener) -> Listener {
    listener
}

#[cfg(any(not(target_os = "linux"), feature = "portable-poller"))]
pub(crate) fn into_listener(listener: TcpListener) -> Listener {
    Listener::from_std(listener)
}
