//! Requests on their way through the machine behind the server, and the chunks that it moves.

use std::collections::BTreeMap;

use super::action::Seq;
use super::conn::{Conn, State};
use super::run::Engine;
use super::stream::Answering;
use super::timeline::{Event, Key, What};
use crate::backend::{Backend, Scheduler};
use crate::clock::Instant;
use crate::journal::{Caller, ConnId, ServerId, StreamId};
use crate::models::Card;

/// No client has this connection: events of the machine itself are under it.
const MACHINE: ConnId = ConnId(0);

/// The machine, and what the timeline knows of it.
#[derive(Debug)]
pub(super) struct Machine {
    backend: Backend,
    /// The place of the end of the load that is going on, on each server where one is.
    pending: BTreeMap<ServerId, Key>,
}

impl Machine {
    pub(super) fn new(backend: Backend) -> Self {
        Self { backend, pending: BTreeMap::new() }
    }

    /// What a server has for itself.
    pub(super) fn scheduler(&mut self, server: ServerId) -> &mut Scheduler {
        self.backend.scheduler(server)
    }

    /// When the next chunk of an answer leaves that would leave at `solo` were it alone.
    pub(super) fn due(&self, answering: &Answering, solo: Instant, now: Instant) -> Instant {
        let Some(came) = answering.on_device else { return solo };
        self.backend.device.due(&answering.stream, solo.saturating_since(came), now)
    }
}

/// The stream of the ends of a server's loads. Each server has its own, so that loads which end at one instant keep
/// the order of the servers.
fn loads_of(server: ServerId) -> StreamId {
    StreamId { caller: Caller::Connection(MACHINE), exchange: server.0 }
}

/// Where a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// It waits until its model is loaded.
    Loading,
    /// It waits for a slot.
    Waiting,
    /// It is answered.
    Served,
}

impl Engine {
    /// A request has come to a server; its model is loaded, or not yet.
    pub(super) fn admit(&mut self, server: ServerId, stream: &StreamId, is_loaded: bool, now: Instant) {
        if is_loaded {
            self.queue_for_slot(stream, now);
        }
        self.proceed(server, now);
    }

    /// A server's queue of loads goes on as far as it can.
    pub(super) fn proceed(&mut self, server: ServerId, now: Instant) {
        for turn in self.machine.scheduler(server).proceed(now) {
            self.queue_for_slot(&turn.stream, now);
        }
        let due = self.machine.scheduler(server).loads.next_due();
        if self.machine.pending.get(&server).map(|key| key.0) == due {
            return;
        }
        if let Some(key) = self.machine.pending.remove(&server) {
            self.timeline.remove(key);
        }
        if let Some(due) = due {
            let key = (due, loads_of(server), Seq(0));
            self.machine.pending.insert(server, key.clone());
            self.timeline.insert(key, Event { conn: MACHINE, what: What::Loaded(server) });
        }
    }

    /// A load of a server has ended.
    pub(super) fn loaded(&mut self, server: ServerId, now: Instant) {
        self.machine.pending.remove(&server);
        self.proceed(server, now);
    }

    fn queue_for_slot(&mut self, stream: &StreamId, now: Instant) {
        let Some(conn) = self.streams.get(stream).copied() else { return };
        let Some(Conn { server, state: State::Answering(answering), .. }) = self.conns.get_mut(&conn) else { return };
        let Some(card) = answering.model.clone() else { return };
        answering.model_was_there(now);
        let slots = &mut self.machine.scheduler(*server).slots;
        if slots.arrive(card.name.as_str(), card.batching(), stream.clone()) {
            self.serve(conn, now);
        }
    }

    /// A request has its slot: its answer begins.
    fn serve(&mut self, conn: ConnId, now: Instant) {
        let Some(State::Answering(answering)) = self.conns.get_mut(&conn).map(|conn| &mut conn.state) else { return };
        answering.serve(now);
        if !answering.is_streamed() {
            // What nobody sees piece by piece takes its time on the device all the same.
            self.enter(conn, now);
        }
        self.schedule_next(conn, now);
    }

    /// An answer comes to the device with its first chunk; the others are slower from now on.
    pub(super) fn enter(&mut self, conn: ConnId, now: Instant) {
        if !self.machine.backend.device.is_shared() {
            return;
        }
        let Some(State::Answering(answering)) = self.conns.get_mut(&conn).map(|conn| &mut conn.state) else { return };
        if answering.model.is_none() || answering.on_device.is_some() {
            return;
        }
        answering.on_device = Some(answering.solo.unwrap_or(answering.start));
        let stream = answering.stream.clone();
        self.machine.backend.device.enter(stream.clone(), now);
        self.move_others(&stream, now);
    }

    /// An answer of a server has ended, or its client has hung up, wherever it was.
    pub(super) fn depart(&mut self, server: ServerId, stream: &StreamId, card: &Card, phase: Phase, now: Instant) {
        let scheduler = self.machine.scheduler(server);
        if phase == Phase::Loading {
            scheduler.loads.leave(stream);
        } else {
            let next = scheduler.slots.leave(card.name.as_str(), stream);
            scheduler.runners.end(card, now);
            if self.machine.backend.device.leave(stream, now) {
                self.move_others(stream, now);
            }
            if let Some(conn) = next.and_then(|next| self.streams.get(&next).copied()) {
                self.serve(conn, now);
            }
        }
        self.proceed(server, now);
    }

    /// Puts the next chunks of all other answers on the device where they belong now.
    fn move_others(&mut self, stream: &StreamId, now: Instant) {
        let others: Vec<StreamId> =
            self.machine.backend.device.streams().filter(|other| *other != stream).cloned().collect();
        for other in others {
            let Some(conn) = self.streams.get(&other).copied() else { continue };
            let Some(Conn { state: State::Answering(answering), .. }) = self.conns.get_mut(&conn) else { continue };
            let Some(solo) = answering.solo else { continue };
            // An answer that is held back, or waits to be released, has no place on the timeline.
            let Some(key) = answering.take_next_key() else { continue };
            self.timeline.remove(key);
            let due = self.machine.due(answering, solo, now);
            self.place_chunk(conn, due, due);
        }
    }

    /// Puts the next chunk of an answer on the timeline, at `at`; it is due at `due`.
    pub(super) fn place_chunk(&mut self, conn: ConnId, at: Instant, due: Instant) {
        let Some(state) = self.conns.get_mut(&conn) else { return };
        let seq = Seq(state.next_seq());
        let State::Answering(answering) = &mut state.state else { return };
        answering.next_chunk_at = Some((at, seq));
        self.timeline.insert((at, answering.stream.clone(), seq), Event { conn, what: What::Chunk { due } });
    }
}
