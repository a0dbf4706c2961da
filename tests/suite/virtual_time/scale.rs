//! Many agents, in small: `cargo run --release -p gates --bin scale` runs a hundred thousand in memory and a million in the model.

use mock_ollama::schedule::Pace;
use mock_ollama::seed::Seed;
use runtime_lab::runtimes::of;
use runtime_lab::sim::model;
use runtime_lab::variant::Variant;
use runtime_lab::workload::Workload;

use super::recordings::steady;
use super::util::in_memory;
use crate::util::Scenario;

fn many(agents: usize) -> Scenario {
    Scenario::each(agents, vec![steady("many", 100, 10, 11)], Pace::recorded())
}

fn workload(scenario: &Scenario) -> Workload {
    Workload {
        name: "many".to_owned(),
        description: "Many agents that ask for the same.".to_owned(),
        agents: scenario.agents.clone(),
        limit: None,
        backend: mock_ollama::backend::Settings::default(),
        pace: scenario.pace.to_string(),
        recordings: scenario.recordings.clone(),
    }
}

#[test]
fn a_thousand_agents_at_the_same_milliseconds_are_what_the_model_says() {
    let scenario = many(1_000);
    let memory = in_memory(of(Variant::ALL[0]), &scenario).unwrap();
    let model = model::run(&workload(&scenario), scenario.pace, Seed(0)).unwrap();
    assert_eq!((memory.log.events().len() as u64, memory.log.digest()), (model.events, model.digest));
}

#[test]
fn twenty_thousand_agents_in_the_model_have_one_digest() {
    let scenario = many(20_000);
    let found = [0, 0].map(|seed| model::run(&workload(&scenario), scenario.pace, Seed(seed)).unwrap());
    assert_eq!(found[0], found[1]);
    insta::assert_snapshot!("digest_of_twenty_thousand", format!("{} events\n{}", found[0].events, found[0].digest));
}
