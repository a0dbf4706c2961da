//! The events that have not happened, in order.

mod heap;
mod slots;

use std::collections::VecDeque;

use rustc_hash::FxHashSet;

use self::heap::Heap;
use self::slots::{Node, Slots};
use super::event::{Event, Key};
use crate::clock::Instant;
use crate::journal::ConnId;

/// How many of the next events are sorted at once. About as many as are prefetched for.
const SORTED_EVENTS: usize = 16;

/// The heap is swept when more removed places than this are in it, and they are more than half of all. The number keeps a
/// small heap from being swept at every removal.
const MIN_SWEPT: usize = 64;

/// All events that have not happened.
///
/// The next few are sorted, the others in a heap. The event and the rest of its place are in a slot beside, which is read only
/// where two are due at one instant. What is removed from the heap stays in it as a removed place, until it is at the top or
/// most places are removed. It allocates only while it grows.
#[derive(Debug, Default)]
pub(super) struct Timeline {
    /// The next events: all that come before the heap's. Empty only where there are none at all.
    next: VecDeque<Node>,
    heap: Heap,
    slots: Slots,
    removed: FxHashSet<Key>,
}

impl Timeline {
    pub(super) fn insert(&mut self, key: Key, event: Event) {
        let node = self.slots.insert(key, event);
        // What is behind all that are sorted may be behind the first of the heap, too: it goes there, unless that is empty.
        if self.next.back().is_none_or(|last| self.slots.precedes(*last, node)) {
            if !self.heap.is_empty() {
                return self.heap.push(node, &self.slots);
            }
            self.next.push_back(node);
        } else {
            let place = self.next.partition_point(|other| self.slots.precedes(*other, node));
            self.next.insert(place, node);
        }
        // Not before they are twice as many: else each insertion would move one to the heap.
        if self.next.len() > 2 * SORTED_EVENTS {
            for later in self.next.drain(SORTED_EVENTS..) {
                self.heap.push(later, &self.slots);
            }
        }
    }

    /// Removes an event that has not happened.
    pub(super) fn remove(&mut self, key: Key) {
        if let Some(place) = self.next.iter().position(|node| node.at == key.0 && *self.slots.key(*node) == key) {
            self.next.remove(place).map(|node| self.slots.take(node));
            return self.refill();
        }
        self.removed.insert(key);
        if self.removed.len() > MIN_SWEPT && self.removed.len() > self.heap.len() / 2 {
            self.heap.sweep(&mut self.slots, &mut self.removed);
        }
    }

    /// The place of the next event.
    pub(super) fn first(&self) -> Option<&Key> {
        self.next.front().map(|node| self.slots.key(*node))
    }

    /// When the next event is due.
    pub(super) fn first_due(&self) -> Option<Instant> {
        self.next.front().map(|node| node.at)
    }

    /// The connections of the next few events.
    pub(super) fn coming(&self) -> impl ExactSizeIterator<Item = ConnId> {
        self.next.iter().map(|node| self.slots.conn(*node))
    }

    /// Takes the next event if it is due by `now`.
    pub(super) fn pop_due(&mut self, now: Instant) -> Option<(Key, Event)> {
        if self.first_due()? > now {
            return None;
        }
        let node = self.next.pop_front()?;
        self.refill();
        Some(self.slots.take(node))
    }

    /// Sorts the next events where none are sorted.
    fn refill(&mut self) {
        if !self.next.is_empty() {
            return;
        }
        while self.next.len() < SORTED_EVENTS
            && let Some(node) = self.heap.pop(&self.slots)
        {
            // The first test spares the hash of a key where nothing was removed, which is nearly always.
            if !self.removed.is_empty() && self.removed.remove(self.slots.key(node)) {
                self.slots.take(node);
            } else {
                self.next.push_back(node);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::engine::action::Seq;
    use crate::engine::event::EventKind;
    use crate::journal::StreamId;

    fn key(instant: u64, stream: u32, seq: u64) -> Key {
        (Instant::from_nanos(instant), StreamId::of("a", stream), Seq(seq))
    }

    fn end(conn: u64) -> Event {
        Event { conn: ConnId(conn), kind: EventKind::ResponseEnd }
    }

    #[test]
    fn what_is_removed_does_not_pile_up_and_what_stays_is_in_order() {
        let (mut timeline, mut stay) = (Timeline::default(), Vec::new());
        for seq in 0..10_000 {
            // All over the place, and no two alike.
            let at = seq * 7_919 % 10_007;
            timeline.insert(key(at, 0, seq), end(at));
            if seq % 100 == 0 {
                stay.push(at);
            } else {
                timeline.remove(key(at, 0, seq));
            }
        }
        assert!(timeline.heap.len() <= stay.len() + 2 * MIN_SWEPT + 2, "{}", timeline.heap.len());
        stay.sort_unstable();
        assert_eq!(rest(timeline), stay);
    }

    /// What is left, in the order in which it fires.
    fn rest(mut timeline: Timeline) -> Vec<u64> {
        std::iter::from_fn(|| timeline.pop_due(Instant::from_nanos(u64::MAX))).map(|(_, event)| event.conn.0).collect()
    }

    proptest! {
        /// The model: an ordered map.
        #[test]
        fn events_fire_in_the_order_of_their_places_and_what_was_removed_never_does(
            // More than stand in a row, so that some are in the heap.
            moves in prop::collection::vec((0_u64..20, 0_u32..3, 0_u8..10), 1..400)
        ) {
            let (mut timeline, mut model) = (Timeline::default(), BTreeMap::new());
            for (seq, (instant, stream, which)) in (0_u64..).zip(moves) {
                match which {
                    0..=5 => {
                        let key = key(instant, stream, seq);
                        timeline.insert(key.clone(), end(seq));
                        model.insert(key, seq);
                    }
                    6 | 7 => {
                        let nth = usize::try_from(instant).unwrap();
                        let some = if which == 6 { model.keys().nth(nth) } else { model.keys().nth_back(nth) };
                        if let Some(key) = some.cloned() {
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
                prop_assert!(timeline.coming().len() <= 2 * SORTED_EVENTS);
                prop_assert!(timeline.coming().map(|conn| conn.0).eq(model.values().copied().take(timeline.coming().len())));
            }
            prop_assert_eq!(rest(timeline), model.into_values().collect::<Vec<_>>());
        }
    }
}
