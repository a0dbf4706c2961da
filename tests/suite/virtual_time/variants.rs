//! Every variant runs on its own executor, and all of them see the same.

use std::collections::BTreeSet;

use mock_ollama::schedule::Pace;
use runtime_lab::for_each_variant;
use runtime_lab::runtimes::of;
use runtime_lab::transcript::Transcript;
use runtime_lab::variant::Variant;

use super::util::{Played, in_memory, over_sockets};
use crate::util::{Scenario, fixture};

/// Three agents with three answers each, one of which breaks off.
fn scenario() -> Scenario {
    let recordings = ["small-greedy", "small-multibyte", "small-error-mid-stream"].map(fixture);
    Scenario::each(3, recordings.into(), Pace::recorded())
}

for_each_variant! {
    fn memory_and_sockets_tell_the_same_story(variant: Variant) {
        let memory = in_memory(of(variant), &scenario()).unwrap();
        assert_same_story(&memory, &over_sockets(of(variant), &scenario()).unwrap());
        compare(&memory);
    }
}

/// One function, hence one snapshot, however many variants call it.
fn compare(played: &Played) {
    insta::assert_snapshot!("digest_of_three_agents", played.log.digest());
}

/// Fails with the first event that differs.
pub(crate) fn assert_same_story(memory: &Played, sockets: &Played) {
    let both = memory.log.events().iter().zip(sockets.log.events()).enumerate();
    if let Some((number, (memory, sockets))) = both.into_iter().find(|(_, (a, b))| a != b) {
        panic!("event {number}: in memory {memory:?}, over sockets {sockets:?}");
    }
    assert_eq!(memory.log.events().len(), sockets.log.events().len());
    assert_eq!(memory.run.transcript.ended, sockets.run.transcript.ended);
}

for_each_variant! {
    fn virtual_time_runs_on_the_executor_that_the_variant_names(variant: Variant) {
        for played in [in_memory(of(variant), &scenario()).unwrap(), over_sockets(of(variant), &scenario()).unwrap()] {
            let Transcript { agents, introspection, .. } = &played.run.transcript;
            let tasks: BTreeSet<u32> = agents.iter().map(|agent| agent.task).collect();
            assert_eq!(tasks.len(), agents.len(), "a task of its own for each agent");
            for thread in agents.iter().flat_map(|agent| &agent.polled_on) {
                assert!(variant.owns_thread(thread), "{variant} polled on {thread}");
            }
            assert!(introspection.executor.contains(executor_of(variant)), "{}", introspection.executor);
        }
    }
}

/// What the executor of a variant says of itself.
fn executor_of(variant: Variant) -> &'static str {
    match variant.name() {
        "tokio-default" => "tokio, multi-thread",
        "tokio-localset" => "tokio, current-thread, 1 worker, LocalSet",
        "async-std" => "async-std, global executor",
        _ => "LocalExecutor",
    }
}

for_each_variant! {
    fn in_memory_nobody_but_the_executor_wakes_an_agent(variant: Variant) {
        let played = in_memory(of(variant), &scenario()).unwrap();
        for thread in played.run.transcript.agents.iter().flat_map(|agent| &agent.woken_by) {
            assert!(variant.owns_thread(thread), "{variant} was woken by {thread}");
        }
    }
}
