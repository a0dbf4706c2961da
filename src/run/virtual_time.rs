//! Runs in virtual time: in this process, since nothing is measured that another run could disturb.

use std::num::NonZeroUsize;
use std::time::Duration;

use mock_ollama::journal::Journal;
use mock_ollama::{MockOllama, Per};

use super::measurement::{Measurement, ProgressObserver};
use super::{ClockKind, Plan, RunError, model_run};
use crate::runtimes::{Environment, of};
use crate::sim::{Sim, SimSettings};
use crate::transcript::Transcript;
use crate::variant::Variant;
use crate::workload::Job;

/// The name of the model where reports name variants.
const MODEL: &str = "model";

/// Where clients are told that the server in memory is. Nothing listens there.
const NOWHERE: &str = "http://127.0.0.1:11434";

/// Every run of the plan: each variant, or the model.
pub(super) fn measurements(plan: &Plan, progress: &mut dyn ProgressObserver) -> Result<Vec<Measurement>, RunError> {
    let variants: Vec<Option<Variant>> = match plan.clock {
        ClockKind::Model => vec![None],
        _ => plan.variants.iter().copied().map(Some).collect(),
    };
    progress.begin(variants.len() * 2 * plan.blocks);
    let mut all = Vec::new();
    for variant in variants {
        let name = variant.map_or(MODEL, Variant::name);
        for block in 0..plan.blocks {
            progress.run(name);
            let perform = |limit| match variant {
                Some(variant) => replay(plan, variant, limit),
                None => model_run::run(plan, limit),
            };
            let (transcript, journal) = perform(plan.workload.limit)?;
            progress.run(&format!("{name}, one after the other"));
            let (serial, _) = perform(NonZeroUsize::new(1))?;
            let [serial_wall, code_wall] = [&serial, &transcript].map(wall);
            all.push(Measurement { variant: name, block, transcript, journal, serial_wall, code_wall });
        }
    }
    progress.end();
    Ok(all)
}

/// How long a variant's code takes in virtual time, in memory.
pub(super) fn code_wall(plan: &Plan, variant: Variant) -> Result<Duration, RunError> {
    let mut plan = plan.clone();
    plan.clock = ClockKind::Virtual;
    let (transcript, _) = replay(&plan, variant, plan.workload.limit)?;
    Ok(wall(&transcript))
}

fn wall(transcript: &Transcript) -> Duration {
    transcript.ended.saturating_since(transcript.started)
}

/// Runs the agents of a plan once, on a variant in virtual time. Returns what the agents saw and what the server did.
pub fn replay(plan: &Plan, variant: Variant, limit: Option<NonZeroUsize>) -> Result<(Transcript, Journal), RunError> {
    let settings = SimSettings { seed: plan.seed, repeat: plan.command(variant), ..SimSettings::default() };
    let job = |url: String| Job { url, agents: plan.workload.agents.clone(), limit };
    if plan.clock == ClockKind::VirtualSockets {
        let sim = Sim::over_sockets(settings);
        let server = MockOllama::builder()
            .count_per(Per::Caller)
            .recordings(plan.workload.recordings.iter().cloned())
            .pace(plan.pace)
            .seed(plan.seed)
            .backend(plan.workload.backend.clone())
            .journal_bytes(NonZeroUsize::MAX)
            .time_source(sim.time_source())
            .observer(sim.observer())
            .start()?;
        let transcript = of(variant).run(&job(server.url()), &Environment::Sockets(sim))?;
        return Ok((transcript, server.finish()?));
    }
    let sim = Sim::in_memory(plan.config(), settings);
    let transcript = of(variant).run(&job(NOWHERE.to_owned()), &Environment::Memory(sim.clone()))?;
    Ok((transcript, sim.journal()))
}
