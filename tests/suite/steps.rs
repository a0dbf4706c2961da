//! One chunk after the other, and the order of what happened between.

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use mock_ollama::clock::{Clock, Instant};
use mock_ollama::journal::StreamId;
use runtime_lab::runtimes::{Environment, Runtime};
use runtime_lab::transcript::LineArrival;

use crate::util::{ALL, PATIENCE, Run, Scenario, name, perform};

/// A clock that counts how often it was asked.
///
/// Each answer is later than all before it, no matter who asked: stamps of agents and of the test stand in one order, and
/// that order is all there is to such an instant.
#[derive(Default)]
pub(crate) struct Steps {
    asked: Mutex<u64>,
    changed: Condvar,
}

impl Clock for Steps {
    fn now(&self) -> Instant {
        let mut asked = self.asked.lock().unwrap();
        *asked += 1;
        self.changed.notify_all();
        Instant::from_nanos(*asked)
    }
}

impl Steps {
    /// Waits until it was asked `times` more than at `since`. Returns whether that was within `patience`.
    fn wait(&self, since: Instant, times: u64, patience: Duration) -> bool {
        let (asked, _) = self
            .changed
            .wait_timeout_while(self.asked.lock().unwrap(), patience, |asked| *asked < since.as_nanos() + times)
            .unwrap();
        *asked >= since.as_nanos() + times
    }
}

/// A run whose chunks were released one at a time.
pub(crate) struct Stepped {
    pub(crate) run: Run,
    /// The agent whose chunk was released, and when, in order.
    pub(crate) released: Vec<(usize, Instant)>,
    /// The chunks of each agent that had left the server before the rest was released.
    pub(crate) left: Vec<usize>,
}

impl Stepped {
    /// The chunks of an agent that had been released when it was handed something at `at`.
    pub(crate) fn released_before(&self, agent: usize, at: Instant) -> usize {
        self.released.iter().filter(|(whose, when)| *whose == agent && *when < at).count()
    }

    /// The lines that an agent saw of its only exchange.
    pub(crate) fn lines(&self, agent: usize) -> &[LineArrival] {
        &self.run.transcript.agents[agent].exchanges[0].lines
    }

    /// For each line of an agent, the chunks of its stream that had been released when it was seen.
    pub(crate) fn released_per_line(&self, agent: usize) -> Vec<usize> {
        self.lines(agent).iter().map(|line| self.released_before(agent, line.at)).collect()
    }
}

/// Runs agents with one exchange each, and releases a chunk for the agents in `order`, each of which has to see it
/// before the next one is released. What `order` leaves is released at its end.
///
/// When an agent does not see a chunk within `patience`, all agents get the rest at once.
pub(crate) fn step(runtime: &dyn Runtime, scenario: Scenario, order: &[usize], patience: Duration) -> Stepped {
    let clock = Arc::new(Steps::default());
    let agents = scenario.agents.len();
    let mut released = Vec::new();
    let mut left = Vec::new();
    let mut kept_up = true;
    let run = perform(runtime, scenario, &Environment::Wall(Arc::clone(&clock) as Arc<dyn Clock>), |server| {
        // Every stamp that comes before a response has been taken when the server has the request.
        server.in_flight(agents).within(PATIENCE).wait().unwrap();
        for &agent in order {
            let first = released.iter().all(|(whose, _)| *whose != agent);
            let since = clock.now();
            released.push((agent, since));
            if kept_up {
                server.release_on(&StreamId::of(&name(agent), 0), 1);
                // The head is stamped as well as the piece, and comes with the first chunk.
                kept_up = clock.wait(since, if first { 2 } else { 1 }, patience);
            }
        }
        let journal = server.journal();
        let chunks = |agent| journal.stream(&StreamId::of(&name(agent), 0)).map_or(0, |entry| entry.chunks.len());
        left.extend((0..agents).map(chunks));
        server.release(ALL);
    });
    Stepped { run, released, left }
}
