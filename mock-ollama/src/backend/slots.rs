//! How many requests a model serves at once.

use std::collections::{BTreeMap, VecDeque};
use std::num::NonZeroUsize;

use crate::journal::StreamId;
use crate::models::Batching;

/// The slots of each model of a server. Requests above their number wait, first in first out and without a bound
/// (`OLLAMA_NUM_PARALLEL`; `llm/llama_server.go`).
#[derive(Clone, Debug)]
pub struct Slots {
    /// Slots of each model; unlimited when absent.
    each: Option<NonZeroUsize>,
    models: BTreeMap<String, ModelQueue>,
}

#[derive(Clone, Debug, Default)]
struct ModelQueue {
    running: usize,
    waiting: VecDeque<StreamId>,
}

impl Slots {
    /// Returns `each` slots for each model; unlimited when absent.
    pub fn new(each: Option<NonZeroUsize>) -> Self {
        Self { each, models: BTreeMap::new() }
    }

    /// Takes a request for a model, and returns whether it has a slot. If not, a later [`Slots::leave`] gives it one.
    pub fn arrive(&mut self, model: &str, batching: Batching, stream: StreamId) -> bool {
        let queue = self.models.entry(model.to_owned()).or_default();
        let limit = self.each.map(|each| if batching == Batching::OneByOne { NonZeroUsize::MIN } else { each });
        if limit.is_some_and(|limit| queue.running >= limit.get()) {
            queue.waiting.push_back(stream);
            return false;
        }
        queue.running += 1;
        true
    }

    /// Removes a request, whether it holds a slot or is queued. Returns the request that got the freed slot.
    pub fn leave(&mut self, model: &str, stream: &StreamId) -> Option<StreamId> {
        let queue = self.models.get_mut(model)?;
        if let Some(place) = queue.waiting.iter().position(|waiting| waiting == stream) {
            queue.waiting.remove(place);
            return None;
        }
        let next = queue.waiting.pop_front();
        if next.is_none() {
            queue.running = queue.running.saturating_sub(1);
            if queue.running == 0 {
                self.models.remove(model);
            }
        }
        next
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TOGETHER: Batching = Batching::Together;

    fn stream(number: u32) -> StreamId {
        StreamId::of("a", number)
    }

    fn slots(each: usize) -> Slots {
        Slots::new(NonZeroUsize::new(each))
    }

    #[test]
    fn without_a_number_nobody_waits() {
        let mut slots = slots(0);
        assert!((0..100).all(|number| slots.arrive("m", TOGETHER, stream(number))));
    }

    #[test]
    fn w_115_slots_are_granted_in_the_order_of_arrival() {
        let mut slots = slots(1);
        assert!(slots.arrive("m", TOGETHER, stream(0)));
        assert!(!slots.arrive("m", TOGETHER, stream(1)) && !slots.arrive("m", TOGETHER, stream(2)));
        assert_eq!(slots.leave("m", &stream(0)), Some(stream(1)));
        assert_eq!(slots.leave("m", &stream(1)), Some(stream(2)));
        assert_eq!(slots.leave("m", &stream(2)), None);
        assert!(slots.arrive("m", TOGETHER, stream(3)));
    }

    #[test]
    fn each_model_has_its_own() {
        let mut slots = slots(1);
        assert!(slots.arrive("m", TOGETHER, stream(0)) && slots.arrive("n", TOGETHER, stream(1)));
    }

    #[test]
    fn a_model_that_answers_one_by_one_has_one_slot_where_slots_are_counted() {
        let mut counted = slots(4);
        assert!(counted.arrive("m", Batching::OneByOne, stream(0)));
        assert!(!counted.arrive("m", Batching::OneByOne, stream(1)));
        let mut uncounted = slots(0);
        assert!((0..9).all(|number| uncounted.arrive("m", Batching::OneByOne, stream(number))));
    }

    #[test]
    fn who_hangs_up_in_the_line_makes_nobody_lose_a_place() {
        let mut slots = slots(1);
        for number in 0..3 {
            slots.arrive("m", TOGETHER, stream(number));
        }
        assert_eq!(slots.leave("m", &stream(1)), None);
        assert_eq!(slots.leave("m", &stream(0)), Some(stream(2)));
    }

    proptest! {
        #[test]
        fn nobody_overtakes_and_no_more_run_than_there_are_slots(
            each in 1_usize..4, moves in prop::collection::vec(any::<bool>(), 1..60)
        ) {
            let mut slots = slots(each);
            let (mut running, mut order, mut next) = (Vec::new(), Vec::new(), 0);
            for comes in moves {
                if comes {
                    if slots.arrive("m", TOGETHER, stream(next)) {
                        running.push(next);
                        order.push(next);
                    }
                    next += 1;
                } else if let Some(done) = running.pop()
                    && let Some(granted) = slots.leave("m", &stream(done))
                {
                    running.push(granted.exchange);
                    order.push(granted.exchange);
                }
                prop_assert!(running.len() <= each);
            }
            prop_assert!(order.is_sorted(), "{order:?}");
        }
    }
}
