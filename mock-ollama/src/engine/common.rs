//! What the shards of a server have in common, and what they leave for each other.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustc_hash::FxHashMap;

use super::callers::Callers;
use super::config::Config;
use crate::backend::{Backend, Turn};
use crate::clock::Instant;
use crate::journal::{Redactor, ServerId, StreamId};
use crate::models::{Card, Store};

/// What the shards of a server have in common: one of them at a time has it, when a stream begins and when it ends.
#[derive(Debug)]
pub(super) struct Common {
    pub(super) models: Store,
    pub(super) callers: Callers,
    pub(super) backend: Backend,
    /// Common, so that a credential has one number on all shards.
    pub(super) redactor: Redactor,
    /// Streams in progress on all shards.
    pub(super) in_flight: usize,
    /// The ends of loads that are going on, each on the timeline of some shard.
    load_ends: BTreeMap<ServerId, Instant>,
    /// Requests that wait for a load or for a slot.
    waiting: FxHashMap<StreamId, Waiting>,
    boxes: Vec<Inbox>,
}

/// A request that waits.
#[derive(Debug)]
pub(super) struct Waiting {
    /// Whose it is.
    pub(super) shard: usize,
    pub(super) server: ServerId,
    pub(super) card: Arc<Card>,
}

/// What one shard is told by another, or by itself.
#[derive(Debug)]
pub(super) enum Notice {
    /// The model of a request has been loaded.
    Loaded(StreamId, Instant),
    /// A request has its slot.
    Served(StreamId, Instant),
    /// An answer has come to the device or left it.
    Flow,
}

#[derive(Debug, Default)]
struct Inbox {
    notices: Vec<Notice>,
    /// Whether somebody sees to it that the shard looks.
    rung: bool,
}

/// Takes what is common; whoever had it before left it whole.
pub(super) fn lock(common: &Mutex<Common>) -> MutexGuard<'_, Common> {
    common.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Common {
    pub(super) fn new(config: &Config, shards: usize) -> Self {
        Self {
            models: Store::new(config.catalog.cards().cloned()),
            callers: Callers::default(),
            backend: Backend::new(config.backend.clone(), config.keep_alive),
            redactor: Redactor::default(),
            in_flight: 0,
            load_ends: BTreeMap::new(),
            waiting: FxHashMap::default(),
            boxes: (0..shards).map(|_| Inbox::default()).collect(),
        }
    }

    /// A request waits for its model to be loaded.
    pub(super) fn waits(&mut self, stream: StreamId, waiting: Waiting) {
        self.waiting.insert(stream, waiting);
    }

    /// The model of a request is loaded: it has its slot now, or waits for it.
    pub(super) fn has_model(&mut self, stream: StreamId, waiting: Waiting, now: Instant) {
        let Waiting { shard, server, card } = &waiting;
        let slots = &mut self.backend.scheduler(*server).slots;
        let is_served = slots.arrive(card.name.as_str(), card.batching(), stream.clone());
        self.tell(*shard, Notice::Loaded(stream.clone(), now));
        if is_served {
            self.tell(*shard, Notice::Served(stream, now));
        } else {
            self.waiting.insert(stream, waiting);
        }
    }

    /// The queue of loads of a server goes on as far as it can. Says when the load that is going on then ends, and whether
    /// no shard knows of it yet: then the one that asked is to see to it.
    pub(super) fn proceed(&mut self, server: ServerId, now: Instant) -> (Option<Instant>, bool) {
        for Turn { stream, .. } in self.backend.scheduler(server).proceed(now) {
            if let Some(waiting) = self.waiting.remove(&stream) {
                self.has_model(stream, waiting, now);
            }
        }
        let due = self.backend.scheduler(server).loads.next_due();
        let known = match due {
            Some(due) => self.load_ends.insert(server, due),
            None => self.load_ends.remove(&server),
        };
        (due, known != due)
    }

    /// A request is gone, wherever it was.
    pub(super) fn depart(&mut self, server: ServerId, stream: &StreamId, card: &Card, now: Instant) {
        self.waiting.remove(stream);
        let scheduler = self.backend.scheduler(server);
        if scheduler.loads.leave(stream) {
            return;
        }
        let next = scheduler.slots.leave(card.name.as_str(), stream);
        scheduler.runners.end(card, now);
        if let Some(next) = next
            && let Some(waiting) = self.waiting.remove(&next)
        {
            self.tell(waiting.shard, Notice::Served(next, now));
        }
    }

    /// How the device serves its streams has changed, and `shard` knows.
    pub(super) fn flow_turned(&mut self, shard: usize) {
        for (other, inbox) in self.boxes.iter_mut().enumerate() {
            if other != shard && !matches!(inbox.notices.last(), Some(Notice::Flow)) {
                inbox.notices.push(Notice::Flow);
            }
        }
    }

    /// Takes what was left for a shard, against an empty list.
    pub(super) fn take(&mut self, shard: usize, empty: Vec<Notice>) -> Vec<Notice> {
        let Some(inbox) = self.boxes.get_mut(shard) else { return empty };
        inbox.rung = false;
        std::mem::replace(&mut inbox.notices, empty)
    }

    /// Shards for which something was left, and of which nobody has taken it upon himself to say so.
    pub(super) fn unrung(&mut self) -> impl Iterator<Item = usize> {
        let silent = self.boxes.iter_mut().enumerate().filter(|(_, inbox)| !inbox.notices.is_empty() && !inbox.rung);
        silent.map(|(shard, inbox)| {
            inbox.rung = true;
            shard
        })
    }

    fn tell(&mut self, shard: usize, notice: Notice) {
        if let Some(inbox) = self.boxes.get_mut(shard) {
            inbox.notices.push(notice);
        }
    }
}
