//! The events that do not come next, as a heap.

use std::hint::select_unpredictable;

use rustc_hash::FxHashSet;

use super::slots::{Node, Slots};
use crate::engine::event::Key;

/// How many children a node of the heap has: as many as share a line of the cache.
const ARITY: usize = 4;

/// Events, so that the next one is at hand and the others are not in order.
#[derive(Debug, Default)]
pub(super) struct Heap(Vec<Node>);

impl Heap {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn push(&mut self, node: Node, slots: &Slots) {
        let mut place = self.0.len();
        self.0.push(node);
        while place > 0 {
            let parent = (place - 1) / ARITY;
            if !slots.precedes(node, self.0[parent]) {
                break;
            }
            self.0[place] = self.0[parent];
            place = parent;
        }
        self.0[place] = node;
    }

    pub(super) fn pop(&mut self, slots: &Slots) -> Option<Node> {
        let last = self.0.pop()?;
        let Some(top) = self.0.first().copied() else { return Some(last) };
        self.sink(last, slots);
        Some(top)
    }

    /// Puts a node in the top's place, and then where it belongs, below those that come before it.
    fn sink(&mut self, node: Node, slots: &Slots) {
        let mut place = 0;
        loop {
            let children = place * ARITY + 1;
            let Some(siblings) = self.0.get(children..self.0.len().min(children + ARITY)) else { break };
            let numbered = siblings.iter().copied().zip(children..);
            // Which of two comes first is anyone's guess: to guess wrong costs more than to look at both.
            let first = numbered.reduce(|one, other| select_unpredictable(slots.precedes(other.0, one.0), other, one));
            let Some((child, at)) = first.filter(|(child, _)| slots.precedes(*child, node)) else { break };
            self.0[place] = child;
            place = at;
        }
        self.0[place] = node;
    }

    /// Takes out all places that are removed.
    pub(super) fn sweep(&mut self, slots: &mut Slots, removed: &mut FxHashSet<Key>) {
        self.0.retain(|node| {
            let stays = !removed.contains(slots.key(*node));
            if !stays {
                slots.take(*node);
            }
            stays
        });
        removed.clear();
        // What is sorted is a heap.
        self.0.sort_unstable_by(|one, other| slots.key(*one).cmp(slots.key(*other)));
    }
}
