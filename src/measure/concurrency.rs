//! Whether agents overlapped, and on what: the witness against "it looks concurrent".

use std::collections::BTreeSet;

use mock_ollama::clock::Instant;
use mock_ollama::journal::Journal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::kind::Kind;
use crate::transcript::Transcript;

/// What showed of concurrency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Concurrency {
    /// `measured` or `virtual`.
    pub kind: Kind,
    /// Agents.
    pub agents: usize,
    /// Over the runs the least of: the most streams that the server had in progress at once.
    pub server_max_in_flight: usize,
    /// Over the runs the least of: the most exchanges that agents had open at once.
    pub client_max_in_flight: usize,
    /// Distinct tasks that agents ran in.
    pub tasks: usize,
    /// Threads that polled agents. Which ones is chance, so in virtual time a report does not say.
    pub polled_on: BTreeSet<String>,
    /// Threads that woke agents.
    pub woken_by: BTreeSet<String>,
}

impl Concurrency {
    /// The witness of one run in real time.
    pub fn of(journal: &Journal, transcript: &Transcript) -> Self {
        let agents = &transcript.agents;
        let open = agents.iter().flat_map(|agent| &agent.exchanges).map(|log| (log.sent, log.ended));
        Self {
            kind: Kind::Measured,
            agents: agents.len(),
            server_max_in_flight: journal.max_in_flight,
            client_max_in_flight: max_overlap(open),
            tasks: agents.iter().map(|agent| agent.task).collect::<BTreeSet<_>>().len(),
            polled_on: agents.iter().flat_map(|agent| agent.polled_on.iter().cloned()).collect(),
            woken_by: agents.iter().flat_map(|agent| agent.woken_by.iter().cloned()).collect(),
        }
    }

    /// The witness of both runs: the least overlap that either showed, and all threads.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.server_max_in_flight = self.server_max_in_flight.min(other.server_max_in_flight);
        self.client_max_in_flight = self.client_max_in_flight.min(other.client_max_in_flight);
        self.tasks = self.tasks.min(other.tasks);
        self.polled_on.extend(other.polled_on);
        self.woken_by.extend(other.woken_by);
        self
    }

    /// The witness of runs in virtual time, where chance alone says which threads they were.
    #[must_use]
    pub fn in_virtual_time(self) -> Self {
        Self { kind: Kind::Virtual, polled_on: BTreeSet::new(), woken_by: BTreeSet::new(), ..self }
    }
}

/// The most of `spans` (from, to) that are open at one instant; a span that ends where another begins does not
/// overlap it.
pub fn max_overlap(spans: impl Iterator<Item = (Instant, Instant)>) -> usize {
    // Ends sort before starts of the same instant.
    let mut edges: Vec<(Instant, bool)> =
        spans.filter(|(from, to)| from < to).flat_map(|(from, to)| [(from, true), (to, false)]).collect();
    edges.sort_unstable();
    let (mut open, mut most) = (0_usize, 0);
    for (_, starts) in edges {
        open = if starts { open + 1 } else { open - 1 };
        most = most.max(open);
    }
    most
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::measure::fixture::{agent, at_ms, exchange, journal, transcript};

    fn two(first: (u64, u64), second: (u64, u64)) -> Transcript {
        let log = |name: &str, (from, to)| agent(name, from, vec![exchange(from, &[(to, true)])]);
        transcript(vec![log("a0", first), log("a1", second)])
    }

    #[test]
    fn agents_one_after_the_other_never_overlap() {
        // What a mutex in the place of a semaphore does.
        let witness = Concurrency::of(&journal(1, vec![]), &two((0, 10), (10, 20)));
        assert_eq!((witness.client_max_in_flight, witness.server_max_in_flight), (1, 1));
    }

    #[test]
    fn agents_that_overlap_are_counted_together() {
        assert_eq!(Concurrency::of(&journal(2, vec![]), &two((0, 10), (9, 20))).client_max_in_flight, 2);
    }

    #[test]
    fn agents_that_share_a_task_are_told_from_agents_that_were_spawned() {
        let mut seen = two((0, 1), (0, 1));
        assert_eq!(Concurrency::of(&journal(2, vec![]), &seen).tasks, 1);
        seen.agents[1].task = 1;
        assert_eq!(Concurrency::of(&journal(2, vec![]), &seen).tasks, 2);
    }

    #[test]
    fn several_runs_show_their_least_overlap_and_all_their_threads() {
        let mut other = two((0, 10), (5, 20));
        other.agents[0].polled_on = BTreeSet::from(["worker-1".to_owned()]);
        let first = Concurrency::of(&journal(1, vec![]), &two((0, 10), (10, 20)));
        let both = first.and(Concurrency::of(&journal(2, vec![]), &other));
        assert_eq!((both.server_max_in_flight, both.client_max_in_flight), (1, 1));
        assert_eq!(both.polled_on, BTreeSet::from(["worker-0".to_owned(), "worker-1".to_owned()]));
    }

    proptest! {
        #[test]
        fn overlap_equals_a_count_at_every_millisecond(spans in prop::collection::vec((0_u64..30, 0_u64..10), 0..20)) {
            let naive = (0..45)
                .map(|now| spans.iter().filter(|(from, len)| (*from..from + len).contains(&now)).count())
                .max();
            let found = max_overlap(spans.iter().map(|(from, len)| (at_ms(*from), at_ms(from + len))));
            prop_assert_eq!(Some(found), naive);
        }
    }
}
