//! The loop: sockets to engine, engine to sockets, and waiting in between.

use std::io;
use std::net::TcpListener;
use std::num::NonZeroUsize;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use rustc_hash::FxHashMap;

use super::command::{Command, Mailbox, RuleCommand};
use super::min_sleep::MinSleep;
use super::observer::{CloseReason, Observer};
use super::options::SocketOptions;
use super::pending::Waits;
use super::poll::{Listener, Poller, Ready, into_listener};
use super::socket::{AfterFlush, FlushOutcome, ReadOutcome, Socket};
use super::time::{Monotonic, TimeSource};
use super::tuning::{
    ACCEPT_PAUSE, LOOP_DESCRIPTORS, MAX_ACCEPTS_PER_ROUND, MAX_EVENTS_PER_BURST, MAX_EVENTS_PER_ROUND,
    MAX_READS_PER_CONN, MAX_REFUSED_CONNS, MAX_SEPARATE_WRITES, MAX_SPINNING_STREAMS, READ_BUFFER_BYTES,
};
use super::wakeup::WakeupLead;
use crate::clock::{Clock as _, Instant};
use crate::engine::{Action, Batch, Engine, prefetch};
use crate::journal::{ConnId, Journal, ServerId};
use crate::rules::RuleId;

/// The event loop of a server.
pub(crate) struct EventLoop {
    engine: Engine,
    time: Box<dyn TimeSource>,
    observer: Box<dyn Observer>,
    poller: Poller,
    listeners: Vec<ListenSocket>,
    mailbox: Mailbox,
    commands: Receiver<Command>,
    waits: Waits,
    sockets: FxHashMap<ConnId, Socket>,
    /// Connections that may have input, or whose input was left unread.
    due_reads: Vec<ConnId>,
    read_buffer: Vec<u8>,
    /// Room for output that is copied together.
    scratch: Vec<u8>,
    /// What the engine demanded and has not been carried out.
    actions: Vec<Action>,
    /// How many events happen before those are carried out.
    burst: usize,
    batch: Batch,
    lead: WakeupLead,
    min_sleep: MinSleep,
    max_connections: usize,
}

/// The listener of one server.
struct ListenSocket {
    listener: Listener,
    /// Edge-triggered: there may be connections to accept.
    acceptable: bool,
    /// The number of the connection that it accepts next.
    next_conn: u64,
}

impl EventLoop {
    /// Returns a loop around a listener for each server of the engine, in their order.
    pub(crate) fn new(
        listeners: Vec<TcpListener>,
        engine: Engine,
        (time, observer): (Box<dyn TimeSource>, Box<dyn Observer>),
        options: SocketOptions,
    ) -> io::Result<Self> {
        let poller = Poller::new()?;
        let mut sockets = Vec::with_capacity(listeners.len());
        for (listener, token) in listeners.into_iter().zip(0..) {
            let mut listener = into_listener(listener);
            poller.add_listener(&mut listener, token)?;
            // The numbers of connections are dealt to the listeners in turn.
            sockets.push(ListenSocket { listener, acceptable: true, next_conn: token + 1 });
        }
        time.attach(poller.waker());
        // A time source that wants chunks one by one wants events one by one, and is not to be spun for.
        let max_batch = time.max_batch();
        let is_batched = max_batch > NonZeroUsize::MIN;
        let max_chunks = if options.flush { max_batch.min(MAX_SEPARATE_WRITES) } else { max_batch };
        let (mailbox, commands) = Mailbox::new(poller.waker());
        Ok(Self {
            engine,
            time,
            observer,
            mailbox,
            commands,
            waits: Waits::default(),
            poller,
            max_connections: options.max_connections(LOOP_DESCRIPTORS + sockets.len()),
            listeners: sockets,
            sockets: FxHashMap::default(),
            due_reads: Vec::new(),
            read_buffer: vec![0; READ_BUFFER_BYTES],
            scratch: Vec::new(),
            actions: Vec::new(),
            burst: if is_batched { MAX_EVENTS_PER_BURST } else { 1 },
            batch: Batch { max_chunks, separate_writes: options.flush },
            lead: WakeupLead::new(if is_batched { options.spin } else { Duration::ZERO }),
            min_sleep: MinSleep::default(),
        })
    }

    pub(super) fn mailbox(&self) -> Mailbox {
        self.mailbox.clone()
    }

    /// Runs until it is stopped; then every socket is closed.
    pub(super) fn run(mut self) -> io::Result<Journal> {
        let outcome = self.run_until_stopped();
        let now = self.time.now();
        let mut conns: Vec<ConnId> = std::mem::take(&mut self.sockets).into_keys().collect();
        // In their order, so that the journal is the same in every run.
        conns.sort_unstable();
        for conn in conns {
            self.engine.handle_stopped(conn, now);
        }
        self.waits.end(self.engine.journal());
        outcome.map(|()| self.engine.into_journal())
    }

    fn run_until_stopped(&mut self) -> io::Result<()> {
        let mut ready = Vec::new();
        while !self.run_commands() {
            let mut more = false;
            for server in 0..self.listeners.len() {
                more |= self.accept(server);
            }
            // Input before events: what was received by now may be due at once.
            self.read_all();
            more |= self.run_due_events();
            self.settle_waits();
            let timeout = self.timeout(more);
            self.wait(timeout, &mut ready)?;
            self.apply_readiness(&ready);
        }
        Ok(())
    }

    /// Returns how long to wait: not at all while there is something to do.
    fn timeout(&self, more: bool) -> Option<Duration> {
        if more || !self.due_reads.is_empty() {
            return Some(Duration::ZERO);
        }
        let mut timeout = self.time.timeout(&self.engine);
        if self.is_spinning() {
            // A wake-up takes tens of microseconds: the wait ends early, and the rest of it is spun.
            timeout = timeout.map(|timeout| timeout.saturating_sub(self.lead.get()));
        }
        // A listener is only still acceptable here when accepting failed.
        let is_paused = self.listeners.iter().any(|listener| listener.acceptable);
        let pause = is_paused.then_some(ACCEPT_PAUSE);
        let deadline = if self.waits.is_empty() { None } else { self.waits.timeout(Monotonic.now()) };
        [timeout, pause, deadline].into_iter().flatten().min()
    }

    fn is_spinning(&self) -> bool {
        !self.lead.get().is_zero() && self.engine.journal().in_flight <= MAX_SPINNING_STREAMS
    }

    /// Waits. With many streams in progress it sleeps for some time at least; with few it learns how long waking takes.
    fn wait(&mut self, timeout: Option<Duration>, ready: &mut Vec<Ready>) -> io::Result<()> {
        if timeout.is_some_and(|timeout| timeout.is_zero()) {
            return self.poller.wait(timeout, ready);
        }
        let (now, is_spinning) = (self.time.now(), self.is_spinning());
        let least = if is_spinning { Duration::ZERO } else { self.min_sleep.least(now) };
        let timeout = timeout.map(|timeout| timeout.max(least));
        self.poller.wait(timeout, ready)?;
        let woke = self.time.now();
        self.min_sleep.set_woke(woke);
        if let Some(timeout) = timeout.filter(|_| is_spinning) {
            self.lead.learn(now.saturating_add(timeout), woke);
        }
        Ok(())
    }

    /// Runs the commands of other threads; returns whether one was to stop.
    fn run_commands(&mut self) -> bool {
        let mut stop = false;
        for command in self.commands.try_iter() {
            match command {
                Command::Release(which, chunks) => self.engine.handle_release(&which, chunks, self.time.now()),
                // A receiver that is gone does not need it.
                Command::Journal(reply) => drop(reply.send(self.engine.report())),
                Command::Rule(command, reply) => drop(reply.send(apply_rule(&mut self.engine, command))),
                Command::RemoveRule(id, reply) => drop(reply.send(self.engine.rules_mut().remove(id))),
                // Waits are real time, whatever the time source is: somebody really waits.
                Command::Wait(wait) => self.waits.add(wait, Monotonic.now()),
                Command::Stop => stop = true,
            }
        }
        stop
    }

    fn settle_waits(&mut self) {
        // The clock is read only where somebody waits.
        if !self.waits.is_empty() {
            self.waits.settle(&self.engine, Monotonic.now());
        }
    }

    /// Accepts the connections of a server. Above its limit it refuses them; out of descriptors it pauses. Either way the loop
    /// continues to serve.
    ///
    /// Returns whether it stopped in favour of the streams, and there may be more.
    fn accept(&mut self, server: usize) -> bool {
        let listeners = self.listeners.len() as u64;
        let Some(socket) = self.listeners.get_mut(server) else { return false };
        for _ in 0..MAX_ACCEPTS_PER_ROUND {
            let open = self.sockets.len();
            if !socket.acceptable || open >= self.max_connections.saturating_add(MAX_REFUSED_CONNS) {
                return false;
            }
            match Poller::accept(&socket.listener) {
                Ok(stream) => {
                    // A connection that broke before it was set up needs no answer.
                    let Ok(mut accepted) = Socket::new(stream) else { continue };
                    let conn = ConnId(socket.next_conn);
                    if self.poller.add_stream(&mut accepted.stream, token_of(conn, listeners)).is_err() {
                        continue;
                    }
                    socket.next_conn += listeners;
                    let server = ServerId(u32::try_from(server).unwrap_or(u32::MAX));
                    if open < self.max_connections {
                        self.engine.handle_connected(conn, server, self.time.now());
                    } else {
                        self.engine.handle_refused(conn, server, self.time.now());
                    }
                    self.sockets.insert(conn, accepted);
                    // Its input may have come before it was registered, and then no edge tells of it.
                    self.due_reads.push(conn);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => socket.acceptable = false,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(_) => return false,
            }
        }
        true
    }

    fn apply_readiness(&mut self, ready: &[Ready]) {
        for event in ready {
            let listener = usize::try_from(event.token).ok().and_then(|listener| self.listeners.get_mut(listener));
            if let Some(listener) = listener {
                listener.acceptable = true;
                continue;
            }
            let conn = conn_of(event.token, self.listeners.len() as u64);
            let Some(socket) = self.sockets.get_mut(&conn) else { continue };
            socket.writable |= event.writable;
            if event.readable {
                socket.readable = true;
                self.due_reads.push(conn);
            }
            if event.writable {
                self.flush_all(conn);
            }
        }
    }

    fn read_all(&mut self) {
        for conn in std::mem::take(&mut self.due_reads) {
            for _ in 0..MAX_READS_PER_CONN {
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

    /// Reads once; returns whether to read again.
    fn read_once(&mut self, conn: ConnId) -> bool {
        let Some(socket) = self.sockets.get_mut(&conn) else { return false };
        // What the engine does not accept is read again when an answer has left.
        if !socket.readable || socket.eof || !self.engine.is_accepting_input(conn) {
            return false;
        }
        match socket.read(&mut self.read_buffer) {
            Ok(ReadOutcome::Bytes(read)) => {
                let now = self.time.now();
                self.observer.read(conn, read, now);
                self.engine.handle_input(conn, &self.read_buffer[..read], now);
                true
            }
            Ok(ReadOutcome::Nothing) => false,
            Ok(ReadOutcome::Eof) => {
                socket.eof = true;
                // Answers that are due leave before the hang-up counts.
                self.run_due_events();
                self.observer.hung_up(conn);
                if self.engine.handle_half_closed(conn, self.time.now()) {
                    self.run_due_events();
                } else {
                    self.drop_socket(conn, CloseReason::Eof);
                }
                false
            }
            Err(_) => {
                self.drop_socket(conn, CloseReason::Error);
                false
            }
        }
    }

    /// Lets the events that are due happen, in bursts, and carries out what the engine demands; returns whether there are more.
    fn run_due_events(&mut self) -> bool {
        let mut known = self.time.now();
        let mut left = MAX_EVENTS_PER_ROUND;
        while left > 0 {
            let (events, now) = self.run_burst(self.burst.min(left), known);
            if events == 0 {
                return false;
            }
            left -= events;
            known = self.carry_out_all(now);
        }
        true
    }

    /// Lets up to `max_events` happen; returns how many did, and the instant of the last one.
    fn run_burst(&mut self, max_events: usize, mut known: Instant) -> (usize, Instant) {
        let mut events = 0;
        while events < max_events
            // No further than to an action that is not output, since it may end a connection.
            && matches!(self.actions.last(), None | Some(Action::Write { .. }))
            && let Some(now) = self.engine.poll_due().and_then(|due| self.time.admits(due, known))
            && let Some(stream) = self.engine.poll_batch(now, self.batch, &mut self.actions)
        {
            (events, known) = (events + 1, now);
            self.observer.stepped(&stream);
        }
        (events, known)
    }

    /// Carries out what the engine demanded; returns the instant of the last of it, and at least `known`. What goes to one
    /// connection leaves in one write.
    fn carry_out_all(&mut self, mut known: Instant) -> Instant {
        let mut actions = std::mem::take(&mut self.actions);
        // The sockets of all actions before the first one is used: their reads overlap.
        prefetch(actions.iter().filter_map(|action| self.sockets.get(&action.conn())), Socket::touch);
        let mut left = actions.drain(..).peekable();
        while let Some(action) = left.next() {
            let conn = action.conn();
            self.carry_out(action);
            if left.peek().is_none_or(|next| next.conn() != conn) {
                known = self.flush_all(conn);
            }
        }
        drop(left);
        self.actions = actions;
        known
    }

    fn carry_out(&mut self, action: Action) {
        let Some(socket) = self.sockets.get_mut(&action.conn()) else { return };
        match action {
            Action::Write { bytes, .. } => socket.push(bytes),
            Action::Shutdown { .. } => socket.set_after_flush(AfterFlush::Shutdown),
            Action::Close { .. } => socket.set_after_flush(AfterFlush::Close),
            Action::Reset { .. } => socket.set_after_flush(AfterFlush::Reset),
            Action::Abandon { conn } => {
                socket.abandon();
                self.drop_socket(conn, CloseReason::Error);
            }
        }
    }

    /// Writes what a connection has to write, in as many writes as it takes; returns the instant of the last of them.
    fn flush_all(&mut self, conn: ConnId) -> Instant {
        let mut now = self.flush(conn);
        while self.batch.separate_writes && self.sockets.get(&conn).is_some_and(Socket::has_output) {
            now = self.flush(conn);
        }
        now
    }

    /// Writes what a connection has to write, or its next piece where writes are separate; returns when.
    fn flush(&mut self, conn: ConnId) -> Instant {
        // Read before the call: bytes leave when the transport is handed them, and a client may see them before it returns.
        let now = self.time.now();
        let Some(socket) = self.sockets.get_mut(&conn) else { return now };
        match socket.flush(&mut self.scratch, self.batch.separate_writes) {
            Ok(FlushOutcome { bytes, close }) => {
                let read_again = socket.readable && !socket.eof;
                if bytes > 0 {
                    self.observer.wrote(conn, bytes, now);
                    self.engine.handle_written(conn, bytes, now);
                }
                if close {
                    self.drop_socket(conn, CloseReason::Local);
                } else if read_again && self.engine.is_accepting_input(conn) && !self.due_reads.contains(&conn) {
                    // Edge-triggered: nothing else tells of input that was left unread.
                    self.due_reads.push(conn);
                }
            }
            Err(_) => self.drop_socket(conn, CloseReason::Error),
        }
        now
    }

    fn drop_socket(&mut self, conn: ConnId, reason: CloseReason) {
        if let Some(mut socket) = self.sockets.remove(&conn) {
            self.poller.remove_stream(&mut socket.stream);
            let now = self.time.now();
            self.observer.closed(conn, reason, now);
            self.engine.handle_closed(conn, now);
        }
    }
}

/// Returns the token of a connection; connections count from one, and the tokens before theirs are those of the listeners.
fn token_of(conn: ConnId, listeners: u64) -> u64 {
    conn.0 - 1 + listeners
}

fn conn_of(token: u64, listeners: u64) -> ConnId {
    ConnId(token + 1 - listeners)
}

/// Carries out what happens to the rules, and returns the rule that was stated.
fn apply_rule(engine: &mut Engine, command: RuleCommand) -> Option<RuleId> {
    match command {
        RuleCommand::State(rule) => return Some(engine.rules_mut().state(rule)),
        RuleCommand::Change(id, rule) => engine.rules_mut().change(id, rule),
        RuleCommand::Reset => engine.reset(),
    }
    None
}
