//! What is going to happen, in the order in which it will.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::action::Seq;
use crate::clock::Instant;
use crate::journal::{ConnId, ServerId, StreamId};

/// The place of an event: events of one instant are in the order of their streams, those of a stream in sequence.
pub(super) type Key = (Instant, StreamId, Seq);

/// Something that is going to happen on a connection.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) conn: ConnId,
    pub(super) what: What,
}

/// What happens.
#[derive(Debug)]
pub(super) enum What {
    /// Bytes outside any response leave.
    Send(Bytes),
    /// The next chunk of the response leaves; it was due then.
    Chunk {
        /// Where a client is slower than its stream, the chunk's place on the timeline is later than this.
        due: Instant,
    },
    /// The response ends.
    End,
    /// The output ends.
    Shutdown,
    /// The connection ends.
    Close,
    /// The connection ends as a reset.
    Reset,
    /// A server has loaded a model.
    Loaded(ServerId),
}

/// All events that have not fired.
#[derive(Debug, Default)]
pub(super) struct Timeline(BTreeMap<Key, Event>);

impl Timeline {
    pub(super) fn insert(&mut self, key: Key, event: Event) {
        self.0.insert(key, event);
    }

    pub(super) fn remove(&mut self, key: &Key) {
        self.0.remove(key);
    }

    /// The place of the next event.
    pub(super) fn first(&self) -> Option<&Key> {
        self.0.first_key_value().map(|(key, _)| key)
    }

    /// Takes the next event if it is due by `now`.
    pub(super) fn pop_due(&mut self, now: Instant) -> Option<(Key, Event)> {
        let first = self.0.first_entry()?;
        (first.key().0 <= now).then(|| first.remove_entry())
    }
}
