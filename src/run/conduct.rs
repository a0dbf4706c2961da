//! Blocks of runs.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use mock_ollama::journal::Journal;

use super::environment::{anywhere, environment, load};
use super::measurement::{Measurement, ProgressObserver};
use super::plan::ScheduledRun;
use super::workdir::Workdir;
use super::{ClockKind, Plan, RunError, virtual_time};
use crate::measure::bounds::Bound;
use crate::measure::decision::DecisionRule;
use crate::report::model::{Environment, Kind};
use crate::report::{Inputs, Report, Run, build};
use crate::transcript::Transcript;
use crate::variant::Variant;
use crate::workload::Job;

/// The confidence of all comparisons together.
const CONFIDENCE: f64 = 0.95;

/// The smallest difference in wall time that matters, as a part of the ideal wall time: one hundredth …
const SMALLEST_EFFECT_DIVISOR: u32 = 100;

/// … but at least this much: what a shared host does to a run by itself.
const SMALLEST_EFFECT: Duration = Duration::from_millis(1);

/// How much longer than planned a run may take before it is given up: this many times …
const RUN_TIMEOUT_FACTOR: u32 = 4;

/// … and this much on top.
const RUN_TIMEOUT_MARGIN: Duration = Duration::from_secs(30);

/// Runs everything the plan asks for and makes the report.
///
/// `program` is this program's own executable, which runs servers and agents as child processes in real time.
pub fn conduct(
    program: &Path,
    plan: &Plan,
    bounds: &[Bound],
    progress: &mut dyn ProgressObserver,
) -> Result<Report, RunError> {
    if plan.clock != ClockKind::Wall {
        let measurements = virtual_time::measurements(plan, progress)?;
        return report(plan, bounds, &measurements, Kind::Virtual, anywhere(plan.clock.describe()));
    }
    let load_before = load();
    let measurements = measure(program, plan, progress)?;
    report(plan, bounds, &measurements, Kind::Measured, environment(load_before, load()))
}

/// Every run of the plan in real time, in the order of reports.
fn measure(program: &Path, plan: &Plan, progress: &mut dyn ProgressObserver) -> Result<Vec<Measurement>, RunError> {
    let code_walls = plan.variants.iter().map(|variant| Ok((*variant, virtual_time::code_wall(plan, *variant)?)));
    let code_walls = code_walls.collect::<Result<_, RunError>>()?;
    let conductor = Conductor { program: program.to_owned(), plan, workdir: Workdir::for_plan(plan)?, code_walls };
    progress.begin(plan.variants.len() * (1 + 2 * plan.blocks));
    for variant in &plan.variants {
        progress.run(&format!("warm-up {variant}"));
        conductor.perform(*variant, plan.workload.limit)?;
    }
    let mut measurements = Vec::new();
    for block in 0..plan.blocks {
        for scheduled in plan.order(block) {
            measurements.push(conductor.measure(block, scheduled, progress)?);
        }
    }
    progress.end();
    measurements.sort_by_key(|one| (plan.variants.iter().position(|known| known.name() == one.variant), one.block));
    Ok(measurements)
}

fn report(
    plan: &Plan,
    bounds: &[Bound],
    measurements: &[Measurement],
    clock: Kind,
    environment: Environment,
) -> Result<Report, RunError> {
    let runs: Vec<Run<'_>> = measurements
        .iter()
        .map(|one| Run {
            variant: one.variant,
            block: one.block,
            transcript: &one.transcript,
            journal: &one.journal,
            serial_wall: Some(one.serial_wall),
            code_wall: Some(one.code_wall),
        })
        .collect();
    let smallest_effect = (plan.ideal_wall() / SMALLEST_EFFECT_DIVISOR).max(SMALLEST_EFFECT);
    Ok(build(&Inputs {
        workload: &plan.workload,
        pace: &plan.pace.to_string(),
        seed: Some(plan.seed.0),
        alone: &plan.alone,
        scripts_wall: plan.scripts_wall,
        clock,
        runs: &runs,
        rule: DecisionRule { confidence: CONFIDENCE, smallest_effect },
        bounds,
        environment,
    })?)
}

struct Conductor<'a> {
    program: PathBuf,
    plan: &'a Plan,
    workdir: Workdir,
    /// How long each variant's code takes in virtual time.
    code_walls: BTreeMap<Variant, Duration>,
}

impl Conductor<'_> {
    fn measure(
        &self,
        block: usize,
        scheduled: ScheduledRun,
        progress: &mut dyn ProgressObserver,
    ) -> Result<Measurement, RunError> {
        let ScheduledRun { variant, serial_first } = scheduled;
        let serial = |progress: &mut dyn ProgressObserver| {
            progress.run(&format!("block {}: {variant}, one after the other", block + 1));
            let (transcript, _) = self.perform(variant, NonZeroUsize::new(1))?;
            Ok::<_, RunError>(transcript.ended.saturating_since(transcript.started))
        };
        let together = |progress: &mut dyn ProgressObserver| {
            progress.run(&format!("block {}: {variant}", block + 1));
            self.perform(variant, self.plan.workload.limit)
        };
        let (serial_wall, (transcript, journal)) = if serial_first {
            (serial(progress)?, together(progress)?)
        } else {
            let run = together(progress)?;
            (serial(progress)?, run)
        };
        let code_wall = self.code_walls.get(&variant).copied().unwrap_or_default();
        Ok(Measurement { variant: variant.name(), block, transcript, journal, serial_wall, code_wall })
    }

    /// One run: a server in its own process, the agents in theirs.
    fn perform(&self, variant: Variant, limit: Option<NonZeroUsize>) -> Result<(Transcript, Journal), RunError> {
        let purpose = format!("run the agents on {variant}");
        let job = |url| Job { url, agents: self.plan.workload.agents.clone(), limit };
        let time = self.plan.serial_wall() * RUN_TIMEOUT_FACTOR + RUN_TIMEOUT_MARGIN;
        self.workdir.run_children(&self.program, ["__agents", variant.name(), &purpose], job, time)
    }
}
