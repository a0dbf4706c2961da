//! What the events of the timeline are.

use slab::Slab;

use crate::clock::Instant;
use crate::engine::event::{Event, Key};
use crate::journal::ConnId;

/// An event that has not fired: when it is due, and its slot. Small, since each of them moves past many others.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    pub(super) at: Instant,
    slot: usize,
}

/// What the events are, and the rest of their places.
#[derive(Debug, Default)]
pub(super) struct Slots(Slab<Placed>);

/// One line of the cache, so that to look at one waits for memory once.
#[derive(Debug)]
#[repr(align(64))]
struct Placed {
    key: Key,
    event: Event,
}

impl Slots {
    #[inline]
    pub(super) fn insert(&mut self, key: Key, event: Event) -> Node {
        let at = key.0;
        Node { at, slot: self.0.insert(Placed { key, event }) }
    }

    #[inline]
    pub(super) fn take(&mut self, node: Node) -> (Key, Event) {
        let Placed { key, event } = self.0.remove(node.slot);
        (key, event)
    }

    #[inline]
    pub(super) fn key(&self, node: Node) -> &Key {
        &self.0[node.slot].key
    }

    pub(super) fn conn(&self, node: Node) -> ConnId {
        self.0[node.slot].event.conn
    }

    #[inline]
    pub(super) fn precedes(&self, one: Node, other: Node) -> bool {
        if one.at == other.at { self.key(one) < self.key(other) } else { one.at < other.at }
    }
}

#[cfg(test)]
mod tests {
    use super::Placed;

    #[test]
    fn a_slot_is_one_line_of_the_cache_also_where_it_may_be_free() {
        assert_eq!(size_of::<Option<Placed>>(), 64);
    }
}
