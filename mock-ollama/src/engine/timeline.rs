//! What is going to happen, in the order in which it will.

use bytes::Bytes;
use rustc_hash::FxHashSet;
use slab::Slab;

use super::action::Seq;
use crate::clock::Instant;
use crate::journal::{ConnId, ServerId, StreamId};

/// The place of an event: events of one instant are in the order of their streams, those of a stream in sequence. No
/// two events ever have the same place.
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
    /// The next chunk of the response leaves.
    Chunk {
        /// When it is due. Its place is later than that where its stream has let others have their turn.
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
    /// The connection may have reached a limit.
    Look,
    /// A model has been loaded on this server.
    Loaded(ServerId),
}

/// With more places gone than this, and more than half of all, those that are gone are taken out.
const MANY: usize = 64;

/// How many children a node of the heap has: as many as share a line of the cache.
const ARITY: usize = 4;

/// All events that have not fired.
///
/// A heap, which allocates only while it grows. Its nodes are small, since each event moves past several of them; what an event
/// is, and the rest of its place, is in a slot beside, and is looked at only where two are due at one instant. What is removed
/// before it fires stays in it, as a place that is gone, until it comes to the top or most are gone; the top itself is never
/// gone.
#[derive(Debug, Default)]
pub(super) struct Timeline {
    heap: Vec<Node>,
    slots: Slab<Placed>,
    gone: FxHashSet<Key>,
}

/// An event in the heap: when it is due, and its slot.
#[derive(Clone, Copy, Debug)]
struct Node {
    at: Instant,
    slot: usize,
}

#[derive(Debug)]
struct Placed {
    key: Key,
    event: Event,
}

impl Timeline {
    pub(super) fn insert(&mut self, key: Key, event: Event) {
        let at = key.0;
        let slot = self.slots.insert(Placed { key, event });
        self.heap.push(Node { at, slot });
        self.rise(self.heap.len() - 1);
    }

    /// Takes off an event that has not fired.
    pub(super) fn remove(&mut self, key: Key) {
        self.gone.insert(key);
        if self.gone.len() > MANY && self.gone.len() > self.heap.len() / 2 {
            self.sweep();
        }
        self.clear_top();
    }

    /// The place of the next event.
    pub(super) fn first(&self) -> Option<&Key> {
        self.heap.first().map(|top| self.key(*top))
    }

    /// When the next event is due.
    pub(super) fn first_due(&self) -> Option<Instant> {
        self.heap.first().map(|top| top.at)
    }

    /// Takes the next event if it is due by `now`.
    pub(super) fn pop_due(&mut self, now: Instant) -> Option<(Key, Event)> {
        if self.first_due()? > now {
            return None;
        }
        let Placed { key, event } = self.pop()?;
        self.clear_top();
        Some((key, event))
    }

    fn clear_top(&mut self) {
        while !self.gone.is_empty()
            && let Some(top) = self.heap.first()
            && self.gone.remove(&self.slots[top.slot].key)
        {
            self.pop();
        }
    }

    /// Takes out all places that are gone.
    fn sweep(&mut self) {
        let Self { heap, slots, gone } = self;
        heap.retain(|node| {
            let stays = !gone.contains(&slots[node.slot].key);
            if !stays {
                slots.remove(node.slot);
            }
            stays
        });
        gone.clear();
        // What is sorted is a heap.
        heap.sort_unstable_by(|one, other| slots[one.slot].key.cmp(&slots[other.slot].key));
    }

    fn key(&self, node: Node) -> &Key {
        &self.slots[node.slot].key
    }

    fn precedes(&self, one: Node, other: Node) -> bool {
        one.at < other.at || (one.at == other.at && self.key(one) < self.key(other))
    }

    fn pop(&mut self) -> Option<Placed> {
        let last = self.heap.pop()?;
        let top = match self.heap.first().copied() {
            Some(top) => {
                self.sink(last);
                top
            }
            None => last,
        };
        Some(self.slots.remove(top.slot))
    }

    /// Puts the node at `place` where it belongs, above those that come after it.
    fn rise(&mut self, mut place: usize) {
        let node = self.heap[place];
        while place > 0 {
            let parent = (place - 1) / ARITY;
            if !self.precedes(node, self.heap[parent]) {
                break;
            }
            self.heap[place] = self.heap[parent];
            place = parent;
        }
        self.heap[place] = node;
    }

    /// Puts a node in the top's place, and then where it belongs, below those that come before it.
    fn sink(&mut self, node: Node) {
        let mut place = 0;
        loop {
            let children = place * ARITY + 1;
            let Some(siblings) = self.heap.get(children..self.heap.len().min(children + ARITY)) else { break };
            let numbered = siblings.iter().copied().zip(children..);
            let first = numbered.reduce(|one, other| if self.precedes(other.0, one.0) { other } else { one });
            let Some((child, at)) = first.filter(|(child, _)| self.precedes(*child, node)) else { break };
            self.heap[place] = child;
            place = at;
        }
        self.heap[place] = node;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn key(instant: u64, stream: u32, seq: u64) -> Key {
        (Instant::from_nanos(instant), StreamId::of("a", stream), Seq(seq))
    }

    #[test]
    fn what_is_removed_does_not_pile_up() {
        let mut timeline = Timeline::default();
        for seq in 0..10_000 {
            timeline.insert(key(1_000_000 + seq, 0, seq), Event { conn: ConnId(seq), what: What::End });
            timeline.remove(key(1_000_000 + seq, 0, seq));
        }
        timeline.insert(key(0, 0, 0), Event { conn: ConnId(0), what: What::End });
        for seq in 1..10_000 {
            timeline.insert(key(1_000_000 + seq, 0, seq), Event { conn: ConnId(seq), what: What::End });
            timeline.remove(key(1_000_000 + seq, 0, seq));
        }
        assert!(timeline.heap.len() <= 2 * MANY + 2, "{}", timeline.heap.len());
    }

    proptest! {
        /// The model: an ordered map.
        #[test]
        fn events_fire_in_the_order_of_their_places_and_what_was_removed_never_does(
            moves in prop::collection::vec((0_u64..20, 0_u32..3, 0_u8..4), 1..100)
        ) {
            let (mut timeline, mut model) = (Timeline::default(), BTreeMap::new());
            for (seq, (instant, stream, which)) in (0_u64..).zip(moves) {
                match which {
                    0 | 1 => {
                        let key = key(instant, stream, seq);
                        timeline.insert(key.clone(), Event { conn: ConnId(seq), what: What::End });
                        model.insert(key, seq);
                    }
                    2 => {
                        let some = model.keys().nth(usize::try_from(instant).unwrap()).cloned();
                        if let Some(key) = some {
                            model.remove(&key);
                            timeline.remove(key);
                        }
                    }
                    _ => {
                        let now = Instant::from_nanos(instant);
                        let due = model.first_key_value().filter(|(key, _)| key.0 <= now).map(|(key, _)| key.clone());
                        let expected = due.map(|key| (key.clone(), model.remove(&key).unwrap()));
                        let fired = timeline.pop_due(now).map(|(key, event)| (key, event.conn.0));
                        prop_assert_eq!(fired, expected);
                    }
                }
                prop_assert_eq!(timeline.first(), model.keys().next());
            }
        }
    }
}
