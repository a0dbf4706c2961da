//! Variants against the limits that were asked for.
//!
//! A deterministic bound must be kept by every run. A wall-clock bound is judged once, on the median over runs: one
//! bad run among many is what a shared host does, and would make any limit worth stating fail.

use std::collections::BTreeMap;

use crate::stats::Verdict;
use crate::stats::quantile::{count, median};

use crate::measure::bounds::{Bound, BoundKind, Lateness, Metric, Observed};
use crate::report::inputs::Inputs;
use crate::report::model::{BoundVerdict, RunTimings, VariantTimings};

/// Each bound, variant by variant.
pub(super) fn judge(inputs: &Inputs<'_>, variants: &[VariantTimings]) -> Vec<BoundVerdict> {
    let all = inputs.bounds.iter().flat_map(|bound| variants.iter().map(move |variant| (bound, variant)));
    all.map(|(bound, variant)| {
        let runs = observed(inputs, variant);
        let (verdict, why) = match bound.kind {
            BoundKind::Deterministic => every_run(bound, variant, &runs),
            BoundKind::WallClock => bound.judge(&median_of(&runs)),
        };
        BoundVerdict {
            bound: bound.name.clone(),
            metric: bound.metric,
            kind: bound.kind,
            variant: variant.variant.clone(),
            verdict,
            why,
        }
    })
    .collect()
}

/// The first run that fails, else the first that cannot tell, else the first.
fn every_run(bound: &Bound, variant: &VariantTimings, runs: &[Observed]) -> (Verdict, String) {
    let judged: Vec<(Verdict, String)> = runs.iter().map(|run| bound.judge(run)).collect();
    let worst = [Verdict::Fail, Verdict::Inconclusive, Verdict::Pass]
        .into_iter()
        .find_map(|kept| judged.iter().position(|(found, _)| *found == kept));
    match worst {
        Some(at) => {
            let (kept, why) = &judged[at];
            (*kept, format!("block {}: {why}", variant.runs[at].block))
        }
        None => (Verdict::Inconclusive, "there is no run".to_owned()),
    }
}

fn median_of(runs: &[Observed]) -> Observed {
    let of = |metric| runs.iter().map(|run| run.values.get(&metric).copied()).collect::<Option<Vec<f64>>>();
    let values = Metric::ALL.into_iter().filter_map(|metric| Some((metric, median(of(metric)?)?)));
    Observed {
        values: values.collect(),
        lateness: Lateness {
            wall_share: median(runs.iter().map(|run| run.lateness.wall_share).collect()).unwrap_or(0.0),
            us: median(runs.iter().map(|run| run.lateness.us).collect()).unwrap_or(0.0),
        },
    }
}

fn observed(inputs: &Inputs<'_>, variant: &VariantTimings) -> Vec<Observed> {
    variant.runs.iter().map(|run| observe(inputs, variant, run)).collect()
}

fn observe(inputs: &Inputs<'_>, variant: &VariantTimings, run: &RunTimings) -> Observed {
    let (measured, derived) = (&run.measured, &run.derived);
    let witness = inputs
        .runs
        .iter()
        .find(|seen| seen.variant == variant.variant && seen.block == run.block)
        .map(|seen| crate::measure::concurrency::Concurrency::of(seen.journal, seen.transcript));
    let agents = inputs.workload.agents.len();
    let at_once = inputs.workload.limit.map_or(agents, |limit| limit.get().min(agents));
    let values = [
        (Metric::MaxInFlightShare, witness.as_ref().map(|w| count(w.server_max_in_flight) / count(at_once))),
        (Metric::TaskShare, witness.as_ref().map(|w| count(w.tasks) / count(agents))),
        (Metric::Overlap, Some(derived.overlap)),
        (Metric::OverheadShare, Some(derived.runtime_share + derived.server_share)),
        (Metric::FirstTokenChunks, measured.first_token_chunks.map(count)),
        (Metric::LagP99Us, measured.lag_us.map(|lag| micros(lag.p99))),
        (Metric::FailedExchanges, Some(count(measured.failed_exchanges))),
        (Metric::SpeedUp, derived.speed_up),
    ];
    let known: BTreeMap<Metric, f64> =
        values.into_iter().filter_map(|(metric, value)| Some((metric, value?))).collect();
    Observed {
        values: known,
        lateness: Lateness {
            wall_share: derived.server_share,
            us: measured.lateness_us.map_or(0.0, |late| micros(late.p99)),
        },
    }
}

#[expect(clippy::cast_precision_loss, reason = "microseconds of a run are far below 2^53")]
fn micros(time: i64) -> f64 {
    time as f64
}
