//! Runs judged as the program judges them, in this process.

use std::num::NonZeroUsize;

use mock_ollama::schedule::Pace;
use mock_ollama::seed::Seed;
use runtime_lab::measure::bounds::{Bound, built_in};
use runtime_lab::measure::decision::DecisionRule;
use runtime_lab::report::model::{BoundVerdict, Environment, Kind};
use runtime_lab::report::{Inputs, build};
use runtime_lab::run::{ClockKind, Plan, RunOptions, WorkloadChoice};
use runtime_lab::stats::Verdict;
use runtime_lab::variant::Variant;

use crate::util::{Run, Scenario};

/// What a run of a built-in workload is planned to be.
pub(crate) fn plan(workload: &str, pace: Pace, claims: Variant) -> Plan {
    let options = RunOptions {
        variants: vec![claims],
        workload: WorkloadChoice::parse(workload),
        agents: None,
        pace: Some(pace),
        runs: NonZeroUsize::new(1),
        seed: Seed(0),
        clock: ClockKind::Wall,
    };
    Plan::new(&options).unwrap()
}

/// Who takes part in a planned run, at the planned pace.
pub(crate) fn scenario(plan: &Plan) -> Scenario {
    let workload = plan.workload.clone();
    Scenario {
        recordings: workload.recordings,
        pace: plan.pace,
        agents: workload.agents,
        limit: workload.limit.map(Into::into),
    }
}

/// A built-in bound.
pub(crate) fn bound(name: &str) -> Bound {
    built_in().unwrap().into_iter().find(|bound| bound.name == name).expect("a built-in bound of that name")
}

/// What the report says of `bound` after `run`.
pub(crate) fn judge(plan: &Plan, run: &Run, bound: &Bound) -> (Verdict, String) {
    let report = build(&Inputs {
        workload: &plan.workload,
        pace: &plan.pace.to_string(),
        seed: None,
        alone: &plan.alone,
        scripts_wall: plan.scripts_wall,
        clock: Kind::Measured,
        runs: &[runtime_lab::report::Run::alone(plan.variants[0].name(), 0, &run.transcript, &run.journal)],
        rule: DecisionRule { confidence: 0.95, smallest_effect: std::time::Duration::from_millis(1) },
        bounds: std::slice::from_ref(bound),
        environment: Environment::default(),
    });
    let [BoundVerdict { verdict, why, .. }] =
        report.unwrap().timings.bounds.try_into().expect("one bound, one variant");
    (verdict, why)
}
