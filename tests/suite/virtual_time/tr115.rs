//! Published runs of TR115: the same under every variant, and as published where nothing is left to the client.
//!
//! A few of them; `cargo run --release -p gates --bin tr115` replays all.

use mock_ollama::schedule::Pace;
use runtime_lab::for_each_variant;
use runtime_lab::papers::Published;
use runtime_lab::runtimes::of;

use super::util::{Played, in_memory, over_sockets};
use super::variants::assert_same_story;
use crate::util::Scenario;

/// Every n-th of the 125 runs; 31 has no factor in common with their five scenarios, five runtimes and five repeats.
const EVERY: usize = 31;

fn casts() -> impl Iterator<Item = Scenario> {
    let published = Published::built_in().unwrap();
    let names: Vec<String> =
        published.runs.iter().map(|run| format!("{}:{}:{}", run.scenario, run.runtime, run.run)).collect();
    assert_eq!(names.len(), 125);
    names.into_iter().step_by(EVERY).map(move |name| {
        let workload = published.workload(&name).unwrap();
        Scenario { recordings: workload.recordings, pace: Pace::recorded(), agents: workload.agents, limit: None }
    })
}

for_each_variant! {
    fn published_runs_are_the_same_under_every_variant(variant: Variant) {
        let played: Vec<Played> = casts().map(|scenario| in_memory(of(variant), &scenario).unwrap()).collect();
        compare(&played.iter().map(|played| played.log.digest()).collect::<Vec<_>>().join("\n"));
        let sockets = over_sockets(of(variant), &casts().next().unwrap()).unwrap();
        assert_same_story(&played[0], &sockets);
    }
}

/// One function, hence one snapshot, however many variants call it.
fn compare(digests: &str) {
    insta::assert_snapshot!("digests_of_published_runs", digests);
}
