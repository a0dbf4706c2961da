//! The facts of a run do not depend on the runtime: one snapshot for all variants.

use mock_ollama::schedule::Pace;
use runtime_lab::for_each_variant;
use runtime_lab::report::Run as JudgedRun;
use runtime_lab::report::facts_builder::facts;
use runtime_lab::runtimes::of;
use runtime_lab::variant::Variant;
use runtime_lab::workload::{AgentPlan, Workload};

use crate::util::{Run, Scenario, fixture, requests_of};

/// Each agent and the recordings that it asks for: every kind of answer, and every way to end.
const AGENTS: [(&str, &[&str]); 3] = [
    ("writer", &["tiny-emoji", "small-multibyte", "tiny-raw-no-context"]),
    ("thinker", &["conversation-four-turns", "think-length-cut", "tools-call"]),
    ("unlucky", &["small-error-mid-stream", "tiny-short", "small-client-closed"]),
];

fn workload() -> Workload {
    let agents = AGENTS.map(|(name, recordings)| {
        AgentPlan::new(
            name,
            recordings.iter().flat_map(|name| requests_of(&fixture(name)).collect::<Vec<_>>()).collect(),
        )
    });
    Workload {
        name: "all-sorts".to_owned(),
        description: "Every kind of answer, and every way to end.".to_owned(),
        agents: agents.into(),
        limit: None,
        backend: mock_ollama::backend::Settings::default(),
        pace: Pace::instant().to_string(),
        recordings: AGENTS.iter().flat_map(|(_, names)| names.iter().map(|name| fixture(name))).collect(),
    }
}

fn run(variant: Variant, workload: &Workload) -> Run {
    let Workload { recordings, agents, .. } = workload.clone();
    Scenario { recordings, pace: Pace::instant(), agents, limit: None }.play(of(variant))
}

for_each_variant! {
    fn the_facts_are_those_of_every_variant(variant: Variant) {
        let workload = workload();
        let run = run(variant, &workload);
        let seen = JudgedRun::alone(variant.name(), 0, &run.transcript, &run.journal);
        let (facts, disagreements) = facts(&workload, &workload.pace, None, &[seen]);
        assert_eq!(disagreements, []);
        compare(&serde_json::to_string_pretty(&facts).unwrap());
    }
}

/// One function, hence one snapshot, however many variants call it.
fn compare(facts: &str) {
    insta::assert_snapshot!("facts_of_every_variant", facts);
}
