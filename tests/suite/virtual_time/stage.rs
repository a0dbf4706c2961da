//! A runtime on stage in virtual time.

use mock_ollama::MockOllama;
use mock_ollama::backend::Settings;
use mock_ollama::catalog::Catalog;
use mock_ollama::engine::Config;
use mock_ollama::seed::Seed;
use runtime_lab::runtimes::{RunError, Runtime, World};
use runtime_lab::sim::{Log, Sim};
use runtime_lab::workload::Job;

use crate::stage::{Cast, Run};

/// What failures of these tests say how to repeat them.
pub(crate) fn settings() -> runtime_lab::sim::Settings {
    let test = std::thread::current().name().unwrap_or_default().to_owned();
    let repeat = format!("cargo nextest run -E 'test(={test})'");
    runtime_lab::sim::Settings { seed: Seed(0), repeat, ..runtime_lab::sim::Settings::default() }
}

/// What both sides saw, and every event in order.
pub(crate) struct Played {
    pub(crate) run: Run,
    pub(crate) log: Log,
}

/// A simulation of the cast's server in memory, with this machine behind it.
pub(crate) fn memory(cast: &Cast, backend: &Settings) -> Sim {
    let catalog = Catalog::new(cast.recordings.clone()).into();
    Sim::in_memory(Config { catalog, pace: cast.pace, backend: backend.clone(), ..Config::default() }, settings())
}

pub(crate) fn job(cast: &Cast, url: String) -> Job {
    Job { url, agents: cast.agents.clone(), limit: cast.limit.map(|limit| limit.try_into().unwrap()) }
}

/// Runs it to its end in memory.
pub(crate) fn in_memory(runtime: &dyn Runtime, cast: &Cast) -> Result<Played, RunError> {
    in_memory_on(runtime, cast, &Settings::default())
}

/// Runs it to its end in memory, with this machine behind the server.
pub(crate) fn in_memory_on(runtime: &dyn Runtime, cast: &Cast, backend: &Settings) -> Result<Played, RunError> {
    let sim = memory(cast, backend);
    let transcript = runtime.run(&job(cast, "http://127.0.0.1:11434".to_owned()), &World::Memory(sim.clone()))?;
    Ok(Played { run: Run { transcript, journal: sim.journal() }, log: sim.log() })
}

/// Runs it to its end over sockets.
pub(crate) fn over_sockets(runtime: &dyn Runtime, cast: &Cast) -> Result<Played, RunError> {
    over_sockets_on(runtime, cast, &Settings::default())
}

/// Runs it to its end over sockets, with this machine behind the server.
pub(crate) fn over_sockets_on(runtime: &dyn Runtime, cast: &Cast, backend: &Settings) -> Result<Played, RunError> {
    let sim = Sim::over_sockets(settings());
    let server = MockOllama::builder()
        .recordings(cast.recordings.clone())
        .pace(cast.pace)
        .backend(backend.clone())
        .time_source(sim.time_source())
        .observer(sim.observer())
        .allow_misses()
        .start()
        .unwrap();
    let transcript = runtime.run(&job(cast, server.url()), &World::Sockets(sim.clone()))?;
    Ok(Played { run: Run { transcript, journal: server.finish().unwrap() }, log: sim.log() })
}
