//! The four factors, a known answer for each: only one cause changes, and only one factor moves.
//!
//! The runtime's is in `wall_clock`: in virtual time it costs nothing.

use std::num::NonZeroUsize;
use std::time::Duration;

use mock_ollama::backend::Settings;
use mock_ollama::catalog::Catalog;
use mock_ollama::engine::Config;
use mock_ollama::schedule::Pace;
use runtime_lab::measure::factors::{Factors, Walls};
use runtime_lab::runtimes::{Environment, Runtime, of};
use runtime_lab::sim::{Sim, scripts};
use runtime_lab::variant::Variant;
use runtime_lab::workload::Job;

use super::recordings::steady;
use super::util::settings;
use crate::util::{Scenario, requests_of};

/// Two agents, one answer each: of n tokens, 10 ms apart after 100 ms.
fn two(tokens: [u64; 2]) -> Scenario {
    let recordings = [steady("one", 100, 10, tokens[0]), steady("other", 100, 10, tokens[1])];
    let mut scenario = Scenario::each(2, recordings.to_vec(), Pace::recorded());
    for (agent, recording) in scenario.agents.iter_mut().zip(&recordings) {
        agent.requests = requests_of(recording).collect();
    }
    scenario
}

fn config(scenario: &Scenario, share: &str) -> Config {
    let backend = Settings { share: share.parse().unwrap(), ..Settings::default() };
    Config {
        catalog: Catalog::new(scenario.recordings.clone()).into(),
        pace: scenario.pace,
        per: mock_ollama::Per::Caller,
        backend,
        ..Config::default()
    }
}

/// The factors of a run in virtual time: of these agents, on a device with this share curve, at most n at once.
fn judge(runtime: &dyn Runtime, scenario: &Scenario, share: &str, limit: usize) -> Factors {
    let config = config(scenario, share);
    let alone: Vec<Duration> =
        scenario.agents.iter().map(|agent| scripts::wall(config.clone(), std::slice::from_ref(agent))).collect();
    let scripts = scripts::wall(config.clone(), &scenario.agents);
    let job = Job {
        url: "http://127.0.0.1:11434".to_owned(),
        agents: scenario.agents.clone(),
        limit: NonZeroUsize::new(limit),
    };
    let run = runtime.run(&job, &Environment::Memory(Sim::in_memory(config, settings()))).unwrap();
    let wall = run.ended.saturating_since(run.started);
    let contended: Vec<Duration> = run.agents.iter().map(|agent| agent.ended.saturating_since(agent.started)).collect();
    let walls = Walls {
        alone: &alone,
        contended: &contended,
        limit: None,
        wall,
        scripts,
        code: Some(wall),
        serial_wall: None,
        tokens: 0,
    };
    walls.factors().unwrap()
}

/// Balance, contention, structure and efficiency in ten-thousandths.
fn rounded(found: &Factors) -> [i64; 4] {
    let structure = found.structure.unwrap();
    #[expect(clippy::cast_possible_truncation, reason = "factors are small")]
    [found.balance, found.contention, structure, found.efficiency].map(|factor| (factor * 1e4).round() as i64)
}

fn clean() -> &'static dyn Runtime {
    of(Variant::ALL[0])
}

#[test]
fn nothing_is_lost_where_nothing_is_in_the_way() {
    assert_eq!(rounded(&judge(clean(), &two([91, 91]), "independent", 2)), [10_000; 4]);
}

#[test]
fn unequal_answers_move_balance_and_nothing_else() {
    // 1 s and 0.5 s.
    assert_eq!(rounded(&judge(clean(), &two([91, 41]), "independent", 2)), [7_500, 10_000, 10_000, 7_500]);
}

#[test]
fn a_shared_device_moves_contention_and_nothing_else() {
    // 0.1 s of prompt, and 0.9 s that become 1.8 s.
    let found = rounded(&judge(clean(), &two([91, 91]), "0.5", 2));
    assert_eq!(found, [10_000, 5_263, 10_000, 5_263]);
}

#[test]
fn a_limiter_moves_structure_and_nothing_else() {
    assert_eq!(rounded(&judge(clean(), &two([91, 91]), "independent", 1)), [10_000, 10_000, 5_000, 5_000]);
}

#[test]
fn on_a_shared_device_serialising_can_be_faster_and_structure_above_one() {
    let [balance, contention, structure, efficiency] = rounded(&judge(clean(), &two([191, 191]), "0.41", 1));
    // Together 0.1 s + 1.9 s / 0.41 = 4.734 s, one after the other 4 s.
    assert_eq!((balance, contention, structure, efficiency), (10_000, 4_225, 11_835, 5_000));
}

#[cfg(feature = "controls")]
#[test]
fn the_mutex_is_a_matter_of_structure_whatever_limit_it_claims() {
    let control = super::control("mutex-called-semaphore");
    assert_eq!(rounded(&judge(control.runtime, &two([91, 91]), "independent", 2)), [10_000, 10_000, 5_000, 5_000]);
}
