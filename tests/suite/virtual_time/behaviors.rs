//! Agents that think, time out, hang up and ask again, all on the virtual clock.

use std::num::NonZeroU32;
use std::time::Duration;

use mock_ollama::journal::Fate;
use mock_ollama::recording::{End, Recording};
use mock_ollama::schedule::Pace;
use runtime_lab::for_each_variant;
use runtime_lab::runtimes::of;
use runtime_lab::transcript::{ExchangeLog, ExchangeOutcome};
use runtime_lab::workload::AgentBehavior;

use super::recordings::steady;
use super::util::{Played, in_memory, over_sockets};
use super::variants::assert_same_story;
use crate::util::Scenario;

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn scenario(agents: usize, recordings: Vec<Recording>, behavior: AgentBehavior) -> Scenario {
    let mut scenario = Scenario::each(agents, recordings, Pace::recorded());
    scenario.agents.iter_mut().for_each(|agent| agent.behavior = behavior);
    scenario
}

/// The same story in memory and over sockets; the one in memory is told on.
fn both(runtime: &dyn runtime_lab::runtimes::Runtime, scenario: &Scenario) -> Played {
    let memory = in_memory(runtime, scenario).unwrap();
    assert_same_story(&memory, &over_sockets(runtime, scenario).unwrap());
    memory
}

fn sent_and_ended(exchange: &ExchangeLog) -> (u64, u64) {
    (exchange.sent.as_nanos() / 1_000_000, exchange.ended.as_nanos() / 1_000_000)
}

fn kinds(played: &Played) -> Vec<&str> {
    played.run.exchanges().map(|exchange| exchange.outcome.kind()).collect()
}

for_each_variant! {
    fn thinking_comes_before_each_request(variant: Variant) {
        let behavior = AgentBehavior { think: ms(300), ..AgentBehavior::default() };
        let played = both(of(variant), &scenario(1, vec![steady("a", 100, 10, 11), steady("b", 50, 10, 6)], behavior));
        let spans: Vec<_> = played.run.exchanges().map(sent_and_ended).collect();
        assert_eq!(spans, [(300, 500), (800, 900)]);
    }
}

for_each_variant! {
    fn a_timeout_ends_an_exchange_at_its_instant_and_the_server_sees_a_hang_up(variant: Variant) {
        let behavior = AgentBehavior { timeout: Some(ms(145)), ..AgentBehavior::default() };
        let played = both(of(variant), &scenario(2, vec![steady("slow", 100, 10, 11), steady("quick", 20, 1, 2)], behavior));
        assert_eq!(kinds(&played), [ExchangeOutcome::TIMED_OUT, "done", ExchangeOutcome::TIMED_OUT, "done"]);
        let spans: Vec<_> = played.run.exchanges().map(sent_and_ended).collect();
        assert_eq!(spans, [(0, 145), (145, 166), (0, 145), (145, 166)]);
        assert_eq!(played.run.journal.entries[0].fate, Fate::Aborted { after_chunk: 5 });
    }
}

for_each_variant! {
    fn what_comes_at_the_instant_of_the_timeout_has_come_in_time(variant: Variant) {
        let behavior = AgentBehavior { timeout: Some(ms(200)), ..AgentBehavior::default() };
        let played = both(of(variant), &scenario(2, vec![steady("even", 100, 10, 11)], behavior));
        assert_eq!(kinds(&played), ["done", "done"]);
    }
}

for_each_variant! {
    fn an_agent_that_has_seen_enough_hangs_up_and_asks_the_next_thing(variant: Variant) {
        let behavior = AgentBehavior { cancel_after: NonZeroU32::new(3), ..AgentBehavior::default() };
        let played = both(of(variant), &scenario(3, vec![steady("long", 100, 10, 90), steady("short", 5, 1, 3)], behavior));
        assert_eq!(kinds(&played), [ExchangeOutcome::HUNG_UP, "done"].repeat(3));
        let first = played.run.exchanges().next().unwrap();
        assert_eq!((sent_and_ended(first), first.lines.len()), ((0, 120), 3));
        assert_eq!(played.run.journal.entries[0].fate, Fate::Aborted { after_chunk: 3 });
    }
}

for_each_variant! {
    fn a_request_that_failed_is_sent_again_after_a_pause(variant: Variant) {
        let mut broken = steady("broken", 100, 10, 5);
        broken.exchanges[0].end = End::Reset;
        broken.exchanges[0].chunks.pop();
        let behavior = AgentBehavior { retries: 2, retry_pause: ms(70), ..AgentBehavior::default() };
        let played = both(of(variant), &scenario(2, vec![broken], behavior));
        assert_eq!(kinds(&played), ["body-reset"; 6]);
        let spans: Vec<_> = played.run.exchanges().take(3).map(sent_and_ended).collect();
        assert_eq!(spans, [(0, 130), (200, 330), (400, 530)]);
        assert!(played.run.exchanges().all(|exchange| exchange.request == 0));
    }
}

for_each_variant! {
    fn a_timeout_is_worth_another_try(variant: Variant) {
        let behavior = AgentBehavior { timeout: Some(ms(150)), retries: 1, ..AgentBehavior::default() };
        let played = both(of(variant), &scenario(2, vec![steady("slow", 100, 10, 11)], behavior));
        assert_eq!(kinds(&played), [ExchangeOutcome::TIMED_OUT; 4]);
        assert_eq!(played.run.transcript.ended.as_nanos(), 300_000_000);
    }
}
