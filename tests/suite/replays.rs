//! Real streams, replayed at once through every variant: what comes out is what is in the file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use mock_ollama::recording::{Exchange, read_file};
use mock_ollama::schedule::Pace;
use runtime_lab::for_each_variant;
use runtime_lab::runtimes::of;
use runtime_lab::variant::Variant;
use runtime_lab::workload::AgentPlan;

use crate::bodies::{Body, captured, collected};
use crate::util::{Scenario, name, requests_of};

/// Agents that ask at the same time.
const AGENTS: usize = 4;

for_each_variant! {
    fn streams_of_the_catalog_come_back_as_recorded(variant: Variant) {
        let bodies = catalog();
        replay(variant, &bodies);
        let ends = count(&bodies);
        assert!(["done", "body-cut", "error-line"].iter().all(|end| ends.contains_key(end)), "{ends:?}");
    }
}

for_each_variant! {
    fn streams_of_our_own_servers_come_back_as_captured(variant: Variant) {
        let Some(folder) = shared("own-recordings") else { return };
        let bodies = captured(&folder);
        replay(variant, &bodies);
        let ends = count(&bodies);
        assert!(ends["done"] >= 150 && ends["body-cut"] >= 2 && ends["error-line"] >= 2, "{ends:?}");
    }
}

for_each_variant! {
    fn streams_that_other_projects_recorded_come_back_as_published(variant: Variant) {
        let Some(folder) = shared("recordings") else { return };
        let bodies = collected(&folder);
        replay(variant, &bodies);
        let ends = count(&bodies);
        assert!(ends["done"] >= 100, "{ends:?}");
    }
}

for_each_variant! {
    fn a_stream_without_its_final_object_comes_back_with_a_typed_error(variant: Variant) {
        // No real server was caught at it with a clean end, so the last line is taken away.
        let mut bodies = catalog();
        bodies.retain(|body| body.ends_as() == "done");
        let bodies: Vec<Body> = bodies.into_iter().filter_map(Body::without_last_chunk).collect();
        replay(variant, &bodies);
        assert_eq!(count(&bodies), BTreeMap::from([("missing-done", bodies.len())]));
    }
}

/// Asks for every body, by several agents at once, and compares.
fn replay(variant: Variant, bodies: &[Body]) {
    let mut agents: Vec<AgentPlan> = (0..AGENTS).map(|index| AgentPlan::new(name(index), Vec::new())).collect();
    for (index, body) in bodies.iter().enumerate() {
        agents[index % AGENTS].requests.extend(requests_of(&body.recording));
    }
    let recordings = bodies.iter().map(|body| body.recording.clone()).collect();
    let run = Scenario { recordings, pace: Pace::instant(), agents, limit: None }.play(of(variant));
    let seen: BTreeMap<&str, _> = run.exchanges().map(|exchange| (exchange.recording.as_str(), exchange)).collect();
    assert_eq!(seen.len(), bodies.len(), "every body was asked for, each by its own name");
    let wrong: Vec<String> =
        bodies.iter().filter_map(|body| body.compare(seen[body.recording.name.as_str()]).err()).collect();
    assert!(wrong.is_empty(), "{} of {} bodies: {wrong:#?}", wrong.len(), bodies.len());
    println!("{} bodies replayed through {variant}", bodies.len());
}

/// How many bodies end in which way.
fn count(bodies: &[Body]) -> BTreeMap<&'static str, usize> {
    let mut count = BTreeMap::new();
    for body in bodies {
        *count.entry(body.ends_as()).or_default() += 1;
    }
    count
}

/// The streams of the built-in catalog.
fn catalog() -> Vec<Body> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("mock-ollama/fixtures/recordings");
    let mut bodies = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let recording = read_file(entry.unwrap().path()).unwrap();
        let is_ndjson = |exchange: &Exchange| exchange.response.header("content-type") == Some("application/x-ndjson");
        for (index, exchange) in recording.exchanges.iter().enumerate().filter(|(_, exchange)| is_ndjson(exchange)) {
            bodies.push(Body::new(&format!("{}#{index}", recording.name), &recording, index, exchange.body()));
        }
    }
    bodies
}

/// A folder of recordings that lies beside the workspace, where there is one.
///
/// Without it the test is skipped; under `REQUIRE_SHARED=1` that is a failure.
fn shared(folder: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared").join(folder);
    if path.is_dir() {
        return Some(path);
    }
    let required = std::env::var_os("REQUIRE_SHARED").is_some_and(|value| value == "1");
    assert!(!required, "there is no ../shared/{folder}, and REQUIRE_SHARED=1 asks for it");
    println!("skipped: there is no ../shared/{folder}");
    None
}
