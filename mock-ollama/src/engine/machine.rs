//! Requests on their way through the machine behind the server, and the chunks that it moves.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::action::Seq;
use super::common::{Common, Notice, Waiting, lock};
use super::conn::State;
use super::run::Engine;
use super::stream::Answering;
use super::timeline::{Event, Key, What};
use crate::backend::{Device, Flow, Place};
use crate::clock::Instant;
use crate::journal::{Caller, ConnId, ServerId, StreamId};
use crate::models::Card;

/// No client has this connection: events of the machine itself are under it.
const MACHINE: ConnId = ConnId(0);

/// What a shard knows of the machine.
#[derive(Debug)]
pub(super) struct Machine {
    /// Whether answers slow each other down.
    is_shared: bool,
    /// How the device serves, as far as this shard has heard.
    flow: Flow,
    /// The ends of loads that are on this shard's timeline.
    load_ends: BTreeMap<ServerId, Key>,
}

/// Where an answer is on the device.
#[derive(Clone, Copy, Debug)]
pub(super) struct OnDevice {
    /// When it came, by its own timeline.
    came: Instant,
    place: Place,
}

impl Machine {
    pub(super) fn new(device: &Device) -> Self {
        Self { is_shared: device.is_shared(), flow: device.flow(), load_ends: BTreeMap::new() }
    }

    /// Whether an answer comes to the device with its next chunk.
    pub(super) fn waits_for(&self, answering: &Answering) -> bool {
        self.is_shared && answering.on_device.is_none()
    }

    /// When the next chunk of an answer leaves that would leave at `solo` were it alone.
    pub(super) fn due(&self, answering: &Answering, solo: Instant, now: Instant) -> Instant {
        let Some(OnDevice { came, place }) = answering.on_device else { return solo };
        self.flow.due(place, solo.saturating_since(came), now)
    }
}

/// The stream of the ends of a server's loads. Each server has its own, so that loads which end at one instant keep
/// the order of the servers.
fn loads_of(server: ServerId) -> StreamId {
    StreamId { caller: Caller::Connection(MACHINE), exchange: server.0 }
}

/// How far a request has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// It waits for the machine.
    Waiting,
    /// It is answered.
    Served,
}

impl Engine {
    /// Takes what the other shards have left for this one. To be called when one of them rang.
    pub fn heed(&mut self, now: Instant) {
        self.share(now, |_, _| ());
    }

    /// The shards for which this one has left something since it was last asked: they are to be rung.
    pub fn rings(&mut self) -> impl Iterator<Item = usize> {
        self.rings.drain(..)
    }

    /// Does something with what the shards have in common, and then what that means for this shard.
    pub(super) fn share<R>(&mut self, now: Instant, act: impl FnOnce(&mut Self, &mut Common) -> R) -> R {
        let common = Arc::clone(&self.common);
        let mut common = lock(&common);
        let outcome = act(self, &mut common);
        let empty = std::mem::take(&mut self.notices);
        let mut notices = common.take(self.shard, empty);
        for notice in notices.drain(..) {
            match notice {
                Notice::Loaded(stream, at) => {
                    if let Some((_, answering)) = self.answering(&stream) {
                        answering.model_was_there(at);
                    }
                }
                Notice::Served(stream, at) => self.serve(&mut common, &stream, at),
                Notice::Flow => self.flow_turned(&common, now),
            }
        }
        self.notices = notices;
        self.rings.extend(common.unrung());
        outcome
    }

    fn answering(&mut self, stream: &StreamId) -> Option<(ConnId, &mut Answering)> {
        let conn = *self.streams.get(stream)?;
        match &mut self.conns.get_mut(&conn)?.state {
            State::Answering(answering) => Some((conn, answering)),
            State::Reading | State::Leaving => None,
        }
    }

    /// A request has come to a server; its model is loaded, or not yet.
    pub(super) fn admit(
        &mut self,
        common: &mut Common,
        (server, stream, card): (ServerId, StreamId, Arc<Card>),
        is_loaded: bool,
        now: Instant,
    ) {
        let waiting = Waiting { shard: self.shard, server, card };
        if is_loaded {
            common.has_model(stream, waiting, now);
        } else {
            common.waits(stream, waiting);
        }
        self.proceed(common, server, now);
    }

    /// A server's queue of loads goes on as far as it can.
    fn proceed(&mut self, common: &mut Common, server: ServerId, now: Instant) {
        let (due, is_news) = common.proceed(server, now);
        if self.machine.load_ends.get(&server).is_some_and(|key| Some(key.0) != due)
            && let Some(key) = self.machine.load_ends.remove(&server)
        {
            self.timeline.remove(key);
        }
        if let Some(due) = due.filter(|_| is_news) {
            let key = (due, loads_of(server), Seq(0));
            self.machine.load_ends.insert(server, key.clone());
            self.timeline.insert(key, Event { conn: MACHINE, what: What::Loaded(server) });
        }
    }

    /// A load of a server has ended.
    pub(super) fn loaded(&mut self, server: ServerId, now: Instant) {
        self.machine.load_ends.remove(&server);
        self.share(now, |this, common| this.proceed(common, server, now));
    }

    /// A request has its slot: its answer begins.
    fn serve(&mut self, common: &mut Common, stream: &StreamId, now: Instant) {
        let Some((conn, answering)) = self.answering(stream) else { return };
        answering.serve(now);
        if !answering.is_streamed() {
            // What nobody sees piece by piece takes its time on the device all the same.
            self.enter(common, conn, now);
        }
        self.schedule_next(conn, now);
    }

    /// The first chunk of an answer leaves, and the answer comes to the device.
    pub(super) fn comes_to_device(&mut self, conn: ConnId, now: Instant) {
        self.share(now, |this, common| this.enter(common, conn, now));
    }

    /// An answer comes to the device; the others are slower from now on.
    fn enter(&mut self, common: &mut Common, conn: ConnId, now: Instant) {
        let Some(State::Answering(answering)) = self.conns.get_mut(&conn).map(|conn| &mut conn.state) else { return };
        if !self.machine.is_shared || answering.model.is_none() {
            return;
        }
        let came = answering.solo.unwrap_or(answering.start);
        answering.on_device = Some(OnDevice { came, place: common.backend.device.enter(now) });
        common.flow_turned(self.shard);
        self.flow_turned(common, now);
    }

    /// An answer of a server has ended, or its client has hung up, wherever it was.
    pub(super) fn depart(
        &mut self,
        common: &mut Common,
        server: ServerId,
        answering: &Answering,
        card: &Card,
        now: Instant,
    ) {
        common.depart(server, &answering.stream, card, now);
        if answering.on_device.is_some() {
            common.backend.device.leave(now);
            common.flow_turned(self.shard);
            self.flow_turned(common, now);
        }
        self.proceed(common, server, now);
    }

    /// The device serves otherwise from now on: puts the next chunks of the answers on it where they belong.
    fn flow_turned(&mut self, common: &Common, now: Instant) {
        self.machine.flow = common.backend.device.flow();
        let conns: Vec<ConnId> = self.streams.values().copied().collect();
        for conn in conns {
            let Some(state) = self.conns.get_mut(&conn) else { continue };
            let State::Answering(answering) = &mut state.state else { continue };
            let Some(solo) = answering.solo.filter(|_| answering.on_device.is_some()) else { continue };
            // An answer that has just come, is held back, or waits to be released, has no place on the timeline.
            let Some(key) = answering.take_next_key() else { continue };
            self.timeline.remove(key);
            let due = self.machine.due(answering, solo, now);
            state.place_chunk(&mut self.timeline, conn, due, due);
        }
    }
}
