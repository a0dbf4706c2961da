//! Runs of a scenario in virtual time.

use mock_ollama::backend::Settings;
use mock_ollama::catalog::Catalog;
use mock_ollama::engine::Config;
use mock_ollama::seed::Seed;
use mock_ollama::{MockOllama, Per};
use runtime_lab::runtimes::{Environment, RunError, Runtime};
use runtime_lab::sim::{EventLog, Sim};
use runtime_lab::workload::Job;

use crate::util::{Run, Scenario};

/// What failures of these tests say how to repeat them.
pub(crate) fn settings() -> runtime_lab::sim::SimSettings {
    let test = std::thread::current().name().unwrap_or_default().to_owned();
    let repeat = format!("cargo nextest run -E 'test(={test})'");
    runtime_lab::sim::SimSettings { seed: Seed(0), repeat, ..runtime_lab::sim::SimSettings::default() }
}

/// What both sides saw, and every event in order.
pub(crate) struct Played {
    pub(crate) run: Run,
    pub(crate) log: EventLog,
}

/// A simulation of the scenario's server in memory, with this backend behind it.
pub(crate) fn memory(scenario: &Scenario, backend: &Settings) -> Sim {
    let catalog = Catalog::new(scenario.recordings.clone()).into();
    Sim::in_memory(
        Config { catalog, pace: scenario.pace, backend: backend.clone(), per: Per::Caller, ..Config::default() },
        settings(),
    )
}

pub(crate) fn job(scenario: &Scenario, url: String) -> Job {
    Job { url, agents: scenario.agents.clone(), limit: scenario.limit.map(|limit| limit.try_into().unwrap()) }
}

/// Runs it to its end in memory.
pub(crate) fn in_memory(runtime: &dyn Runtime, scenario: &Scenario) -> Result<Played, RunError> {
    in_memory_on(runtime, scenario, &Settings::default())
}

/// Runs it to its end in memory, with this backend behind the server.
pub(crate) fn in_memory_on(runtime: &dyn Runtime, scenario: &Scenario, backend: &Settings) -> Result<Played, RunError> {
    let sim = memory(scenario, backend);
    let transcript =
        runtime.run(&job(scenario, "http://127.0.0.1:11434".to_owned()), &Environment::Memory(sim.clone()))?;
    Ok(Played { run: Run { transcript, journal: sim.journal() }, log: sim.log() })
}

/// Runs it to its end over sockets.
pub(crate) fn over_sockets(runtime: &dyn Runtime, scenario: &Scenario) -> Result<Played, RunError> {
    over_sockets_on(runtime, scenario, &Settings::default())
}

/// Runs it to its end over sockets, with this backend behind the server.
pub(crate) fn over_sockets_on(
    runtime: &dyn Runtime,
    scenario: &Scenario,
    backend: &Settings,
) -> Result<Played, RunError> {
    let sim = Sim::over_sockets(settings());
    let server = MockOllama::builder()
        .count_per(Per::Caller)
        .recordings(scenario.recordings.clone())
        .pace(scenario.pace)
        .backend(backend.clone())
        .time_source(sim.time_source())
        .observer(sim.observer())
        .lenient()
        .start()
        .unwrap();
    let transcript = runtime.run(&job(scenario, server.url()), &Environment::Sockets(sim.clone()))?;
    Ok(Played { run: Run { transcript, journal: server.finish().unwrap() }, log: sim.log() })
}
