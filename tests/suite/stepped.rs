//! What has been released is seen, and nothing else: no clock takes part in it.

use std::collections::BTreeSet;

use mock_ollama::schedule::Pace;
use runtime_lab::for_each_variant;
use runtime_lab::runtimes::of;
use runtime_lab::variant::Variant;

use crate::steps::{Stepped, step};
use crate::util::{PATIENCE, Scenario, fixture};

/// Chunks of one line each, and each of them shorter than any cap on reads.
const RECORDING: &str = "tiny-short";

/// The stream of each agent, a chunk at a time in `order`; what `order` leaves comes at once at the end.
fn stepped(variant: Variant, agents: usize, order: &[usize]) -> Stepped {
    step(of(variant), Scenario::each(agents, vec![fixture(RECORDING)], Pace::stepped()), order, PATIENCE)
}

fn chunks() -> usize {
    fixture(RECORDING).exchanges[0].chunks.len()
}

for_each_variant! {
    fn the_first_token_is_observable_after_exactly_one_released_chunk(variant: Variant) {
        let stepped = stepped(variant, 1, &[0, 0]);
        let token = stepped.lines(0).iter().find(|line| line.token).unwrap();
        assert_eq!(stepped.released_before(0, token.at), 1);
    }
}

for_each_variant! {
    fn k_released_chunks_are_k_seen_lines(variant: Variant) {
        let stepped = stepped(variant, 1, &vec![0; chunks()]);
        assert_eq!(stepped.released_per_line(0), (1..=chunks()).collect::<Vec<_>>());
        stepped.run.all_done().unwrap();
    }
}

for_each_variant! {
    fn two_agents_are_in_flight_together(variant: Variant) {
        let stepped = stepped(variant, 2, &[]);
        assert_eq!(stepped.run.journal.max_in_flight, 2);
        stepped.run.all_done().unwrap();
    }
}

for_each_variant! {
    fn a_chunk_that_is_released_on_one_stream_reaches_its_agent_alone(variant: Variant) {
        let stepped = stepped(variant, 2, &[1, 1, 1]);
        let last = stepped.released[2].1;
        let seen = |agent: usize| stepped.lines(agent).iter().filter(|line| line.at < last).count();
        assert_eq!([seen(0), seen(1)], [0, 2]);
        assert_eq!(stepped.left, [0, 3]);
    }
}

for_each_variant! {
    fn lines_of_several_streams_are_seen_in_the_order_of_their_release(variant: Variant) {
        let order = [0, 1, 1, 2, 0, 0, 2, 1, 2, 2, 0, 1];
        let stepped = stepped(variant, 3, &order);
        let lines = (0..3).flat_map(|agent| stepped.lines(agent).iter().map(move |line| (line.at, agent)));
        let seen: Vec<usize> = lines.collect::<BTreeSet<_>>().into_iter().map(|(_, agent)| agent).collect();
        assert!(seen.starts_with(&order), "{seen:?}");
    }
}
