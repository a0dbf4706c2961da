//! The same agents in real time, by the timers of each runtime. How exact those are is not judged here.

use std::time::Duration;

use mock_ollama::schedule::Pace;
use runtime_lab::for_each_variant;
use runtime_lab::runtimes::of;
use runtime_lab::transcript::Outcome;
use runtime_lab::workload::Manner;

use super::made::steady;
use crate::stage::Cast;

const SHORT: Duration = Duration::from_millis(40);

for_each_variant! {
    fn agents_think_and_time_out_by_the_timers_of_their_runtime(variant: Variant) {
        // Far too long to be waited for.
        let mut cast = Cast::each(2, vec![steady("slow", 60_000, 10, 3)], Pace::recorded());
        let manner = Manner { think: SHORT, timeout: Some(SHORT), retries: 1, retry_pause: SHORT, ..Manner::default() };
        cast.agents.iter_mut().for_each(|agent| agent.manner = manner);
        let run = cast.play(of(variant));
        for agent in &run.transcript.agents {
            let [first, second] = agent.exchanges.as_slice() else { panic!("two tries: {agent:?}") };
            assert_eq!([first, second].map(|exchange| exchange.outcome.kind()), [Outcome::TIMED_OUT; 2]);
            assert!(first.sent.saturating_since(agent.started) >= SHORT);
            assert!(first.ended.saturating_since(first.sent) >= SHORT);
            assert!(second.sent.saturating_since(first.ended) >= SHORT);
        }
    }
}
