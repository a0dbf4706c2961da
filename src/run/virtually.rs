//! Runs in virtual time: in this process, since nothing is measured that another run could disturb.

use std::num::NonZeroUsize;

use mock_ollama::MockOllama;
use mock_ollama::catalog::Catalog;
use mock_ollama::engine::Config;
use mock_ollama::journal::Journal;

use super::measurement::{Measurement, Progress};
use super::{ClockKind, Plan, RunError, modelled};
use crate::runtimes::{World, of};
use crate::sim::{Settings, Sim};
use crate::transcript::Transcript;
use crate::variant::Variant;
use crate::workload::Job;

/// The name of the model where reports name variants.
const MODEL: &str = "model";

/// Where clients are told that the server in memory is. Nothing listens there.
const NOWHERE: &str = "http://127.0.0.1:11434";

/// Every run of the plan: each variant, or the model.
pub(super) fn measurements(plan: &Plan, progress: &mut dyn Progress) -> Result<Vec<Measurement>, RunError> {
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
            let (transcript, journal) = perform(plan, variant, plan.workload.limit)?;
            progress.run(&format!("{name}, one after the other"));
            let (serial, _) = perform(plan, variant, NonZeroUsize::new(1))?;
            let serial_wall = serial.ended.saturating_since(serial.started);
            all.push(Measurement { variant: name, block, transcript, journal, serial_wall });
        }
    }
    progress.end();
    Ok(all)
}

/// One run, of a variant or of the model.
fn perform(
    plan: &Plan,
    variant: Option<Variant>,
    limit: Option<NonZeroUsize>,
) -> Result<(Transcript, Journal), RunError> {
    let Some(variant) = variant else { return modelled::run(plan, limit) };
    let settings = Settings { seed: plan.seed, repeat: plan.command(variant), ..Settings::default() };
    let job = |url: String| Job { url, agents: plan.workload.agents.clone(), limit };
    if plan.clock == ClockKind::VirtualSockets {
        let sim = Sim::over_sockets(settings);
        let server = MockOllama::builder()
            .recordings(plan.workload.recordings.iter().cloned())
            .pace(plan.pace)
            .seed(plan.seed)
            .time_source(sim.time_source())
            .observer(sim.observer())
            .start()?;
        let transcript = of(variant).run(&job(server.url()), &World::Sockets(sim))?;
        return Ok((transcript, server.finish()?));
    }
    let catalog = Catalog::new(plan.workload.recordings.iter().cloned()).into();
    let sim = Sim::in_memory(Config { catalog, pace: plan.pace, seed: plan.seed, ..Config::default() }, settings);
    let transcript = of(variant).run(&job(NOWHERE.to_owned()), &World::Memory(sim.clone()))?;
    Ok((transcript, sim.journal()))
}
