//! Requests on their way to a model: first the queue of loads, then a slot.

use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::action::Seq;
use super::event::{Event, EventKind, Key};
use super::timeline::Timeline;
use crate::backend::{LoadRequest, Scheduler, Settings};
use crate::clock::Instant;
use crate::journal::{Caller, ConnId, ServerId, StreamId};
use crate::models::{Card, KeepAlive};

/// No client has this connection: events of the backend are under it.
const BACKEND_CONN: ConnId = ConnId(0);

/// The scheduler of each server, and the requests that wait in them.
#[derive(Debug)]
pub(super) struct Admission {
    settings: Settings,
    keep_alive: KeepAlive,
    schedulers: BTreeMap<ServerId, Scheduler>,
    /// Requests that wait for a load or for a slot.
    waiting: FxHashMap<StreamId, (ServerId, Arc<Card>)>,
    /// Where the end of each server's load is on the timeline.
    load_ends: BTreeMap<ServerId, Key>,
}

/// How far a request has come.
#[derive(Debug)]
pub(super) enum Admitted {
    /// Its model is loaded.
    Loaded(StreamId),
    /// It has a slot.
    Started(StreamId),
}

impl Admission {
    pub(super) fn new(settings: Settings, keep_alive: KeepAlive) -> Self {
        let (schedulers, load_ends) = (BTreeMap::new(), BTreeMap::new());
        Self { settings, keep_alive, schedulers, waiting: FxHashMap::default(), load_ends }
    }

    /// Returns the scheduler of a server; all servers have the same settings.
    pub(super) fn scheduler(&mut self, server: ServerId) -> &mut Scheduler {
        self.schedulers.entry(server).or_insert_with(|| Scheduler::new(&self.settings, self.keep_alive))
    }

    /// Takes a request whose model is loaded, or is in the queue of loads.
    pub(super) fn enqueue(
        &mut self,
        server: ServerId,
        (stream, card): (StreamId, Arc<Card>),
        is_loaded: bool,
        admitted: &mut Vec<Admitted>,
    ) {
        if is_loaded {
            self.take_slot(server, stream, card, admitted);
        } else {
            self.waiting.insert(stream, (server, card));
        }
    }

    /// Gives a request whose model is loaded its slot, or lets it wait for one.
    fn take_slot(&mut self, server: ServerId, stream: StreamId, card: Arc<Card>, admitted: &mut Vec<Admitted>) {
        let slots = &mut self.scheduler(server).slots;
        let has_slot = slots.arrive(card.name.as_str(), card.batching(), stream.clone());
        admitted.push(Admitted::Loaded(stream.clone()));
        if has_slot {
            admitted.push(Admitted::Started(stream));
        } else {
            self.waiting.insert(stream, (server, card));
        }
    }

    /// Removes a request, wherever it is. Its slot goes to the next one in line.
    pub(super) fn remove(
        &mut self,
        server: ServerId,
        (stream, card): (&StreamId, &Card),
        now: Instant,
        admitted: &mut Vec<Admitted>,
    ) {
        self.waiting.remove(stream);
        let scheduler = self.scheduler(server);
        // What was in the queue of loads has neither a slot nor a runner.
        if scheduler.loads.leave(stream) {
            return;
        }
        let next = scheduler.slots.leave(card.name.as_str(), stream);
        scheduler.runners.end(card, now);
        if let Some(next) = next
            && self.waiting.remove(&next).is_some()
        {
            admitted.push(Admitted::Started(next));
        }
    }

    /// Lets a server's queue of loads proceed as far as it can, and puts the end of the current load on the timeline.
    pub(super) fn proceed(
        &mut self,
        server: ServerId,
        now: Instant,
        timeline: &mut Timeline,
        admitted: &mut Vec<Admitted>,
    ) {
        for LoadRequest { stream, .. } in self.scheduler(server).proceed(now) {
            if let Some((server, card)) = self.waiting.remove(&stream) {
                self.take_slot(server, stream, card, admitted);
            }
        }
        let due = self.scheduler(server).loads.next_due();
        // An end that is on the timeline already keeps its place.
        if self.load_ends.get(&server).map(|key| key.0) == due {
            return;
        }
        if let Some(key) = self.load_ends.remove(&server) {
            timeline.remove(key);
        }
        if let Some(due) = due {
            // Each server has its own stream here, so that loads that end at one instant keep the order of the servers.
            let stream = StreamId { caller: Caller::Connection(BACKEND_CONN), exchange: server.0 };
            let key = (due, stream, Seq(0));
            self.load_ends.insert(server, key.clone());
            timeline.insert(key, Event { conn: BACKEND_CONN, kind: EventKind::LoadEnds(server) });
        }
    }

    /// Forgets the end of a load that has left the timeline.
    pub(super) fn load_ended(&mut self, server: ServerId) {
        self.load_ends.remove(&server);
    }
}
