//! The constants of a device, fitted on the runs with an odd number.

use std::time::Duration;

use crate::stats::quantile::median;

use super::data::{DataSet, Run};
use super::predict::{Backend, Constants, predict};
use crate::papers::published::{AgentRow, time};

/// The runs that constants are fitted on, in words.
pub(crate) const SUBSET: &str = "the runs with an odd number";

/// How fine the share of each of two is searched.
const STEPS: [f64; 3] = [0.05, 0.005, 0.000_5];

/// How much faster than the median of its agents a device that nobody had alone is supposed to be, at most.
const MOST_SPEED_UP: f64 = 4.0;

/// Whether constants are fitted on a run.
pub(super) fn is_fitted_on(run: &Run<'_>) -> bool {
    run.row.run % 2 == 1
}

/// The constants for each of the sets: the device's are the same for all of them, the gap is the set's own.
///
/// Absent when there is no run with an odd number, or none that says how fast the device is.
pub(crate) fn fit(sets: &[DataSet<'_>]) -> Option<Vec<Constants>> {
    let gaps: Vec<Duration> = sets.iter().map(gap).collect();
    let overlapping: Vec<(Run<'_>, Duration)> = sets
        .iter()
        .zip(&gaps)
        .flat_map(|(set, gap)| set.runs.iter().map(|run| (*run, *gap)))
        .filter(|(run, _)| is_fitted_on(run) && run.overlaps() && run.is_warm())
        .collect();
    let (alone, together) = match median(alone(sets)) {
        Some(alone) => (alone, best_share(&overlapping, alone).1 * alone),
        None => best_pair(&overlapping)?,
    };
    Some(gaps.into_iter().map(|gap| Constants { alone, together, gap }).collect())
}

/// The tokens a second of agents that had the device alone: those of one server with one slot, and those that a mutex
/// kept apart.
fn alone(sets: &[DataSet<'_>]) -> Vec<f64> {
    let runs = sets.iter().flat_map(|set| &set.runs).filter(|run| is_fitted_on(run) && !run.overlaps());
    runs.flat_map(|run| run.agents.map(decode_speed)).collect()
}

/// The tokens a second of an agent by the server's counters.
pub(super) fn decode_speed(agent: &AgentRow) -> f64 {
    f64::from(agent.tokens) / agent.eval_ms * 1e3
}

/// The median of what a first token took besides load and prompt evaluation. An agent that waits for another's slot
/// says nothing of it.
fn gap(set: &DataSet<'_>) -> Duration {
    let millis = set.runs.iter().filter(|run| is_fitted_on(run)).flat_map(|run| {
        let waits = usize::from(run.setup.backend == Backend::OneSlot);
        run.agents.into_iter().take(2 - waits).map(|agent| agent.ttft_ms - agent.load_ms - agent.prompt_eval_ms)
    });
    median(millis.collect()).and_then(time).unwrap_or_default()
}

/// The mean of numbers, 0 of none.
pub(super) fn mean(numbers: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = numbers.fold((0.0, 0.0), |(sum, count), number| (sum + number, count + 1.0));
    if count > 0.0 { sum / count } else { 0.0 }
}

/// The mean distance of predicted from published efficiency, and the share of its speed that each of two has left, for
/// the share with which it is least. Half of it without runs.
fn best_share(runs: &[(Run<'_>, Duration)], alone: f64) -> (f64, f64) {
    let mut best = (f64::INFINITY, 0.5);
    let mut around = (0.525_f64, 0.475_f64);
    for step in STEPS {
        let (middle, reach) = around;
        let mut share: f64 = (middle - reach).max(step);
        while share <= (middle + reach).min(1.0) + step / 2.0 {
            let error = mean(runs.iter().map(|(run, gap)| {
                let constants = Constants { alone, together: alone * share, gap: *gap };
                let predicted = predict(&run.input(constants), run.setup).efficiency_pct();
                (predicted - run.row.efficiency_pct).abs()
            }));
            if error < best.0 && !runs.is_empty() {
                best = (error, share);
            }
            share += step;
        }
        around = (best.1, step);
    }
    best
}

/// Both speeds, where no agent had the device alone.
fn best_pair(runs: &[(Run<'_>, Duration)]) -> Option<(f64, f64)> {
    let slowest = median(runs.iter().flat_map(|(run, _)| run.agents.map(decode_speed)).collect())?;
    let mut best = (f64::INFINITY, (slowest, slowest));
    let mut alone = slowest;
    while alone <= slowest * MOST_SPEED_UP {
        let (error, share) = best_share(runs, alone);
        if error < best.0 {
            best = (error, (alone, alone * share));
        }
        alone *= 1.02;
    }
    Some(best.1)
}

#[cfg(test)]
mod tests;
