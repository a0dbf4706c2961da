//! Medians, intervals, ratios to the floor, and what the evidence separates.

use std::time::Duration;

use crate::stats::quantile::{count, median};
use mock_ollama::seed::Seed;

use crate::measure::bootstrap::of_one;
use crate::measure::decision::{Blocks, DecisionRule, Separation, decide};
use crate::report::model::Environment;

use super::measurements::Measured;
use super::metric::RESIDENT_ERROR;
use super::model::MedianInterval;
use super::{CostPlan, CostReport, CostRow, Decided, Estimate, Format, Metric, SeparatedPair, Size, Subject};

/// The confidence of each interval, and of all pairs of a decision together.
const CONFIDENCE: f64 = 0.95;

/// The fewest rounds of which an interval is worth printing.
const LEAST_ROUNDS: usize = 3;

/// The smallest difference that matters, as a part of the floor's own value; [`Metric::least_effect`] where that is more.
const EFFECT_OF_FLOOR: f64 = 0.1;

/// A floor below this many times its error is nothing to compare with.
const CLEAR_OF_ERROR: f64 = 4.0;

/// The decision rule counts in whole nanoseconds; this many of them stand for one of a metric's unit.
const SCALE: f64 = 1000.0;

/// What all measurements of a plan say, those of the round to warm up (number 0) by what is kept of it; `kept` tells
/// whether the children kept to their cores.
pub(super) fn summarise(plan: &CostPlan, all: &[Measured], kept: bool, environment: Environment) -> CostReport {
    let sizes = plan.sizes.iter().map(|(agents, pace)| {
        let of_size: Vec<&Measured> = all.iter().filter(|one| one.agents == *agents).collect();
        let rows = plan.everyone().into_iter().map(|subject| row(plan.seed, subject, &of_size)).collect();
        let decisions = Metric::DECIDED.iter().filter_map(|metric| decided(plan, *metric, &of_size)).collect();
        Size { agents: *agents, pace: pace.to_string(), rows, decisions }
    });
    let (server, agents) = plan.cores.clone().filter(|_| kept).unzip();
    CostReport {
        format: Format::V1,
        seed: plan.seed.0,
        tokens: plan.tokens,
        rounds: plan.rounds,
        server_core: server,
        agent_cores: agents.unwrap_or_default(),
        allocations_counted: all.iter().any(|one| one.values.contains_key(&Metric::Allocations)),
        system_calls_uncounted: all.iter().find_map(|one| one.uncounted.clone()),
        left_out: plan.left_out.clone(),
        sizes: sizes.collect(),
        environment,
    }
}

fn row(seed: Seed, subject: Subject, all: &[&Measured]) -> CostRow {
    let metrics = Metric::ALL.iter().filter_map(|&metric| {
        let rounds = values(subject, metric, all)?;
        let ratio = ratios(subject, metric, all).and_then(|ratios| middle(&ratios, seed));
        Some(Estimate { metric: metric.key(), value: middle(&rounds, seed)?, ratio, rounds })
    });
    let executor = all.iter().find(|one| one.subject == subject).map_or_else(String::new, |one| one.executor.clone());
    CostRow { who: subject.name().to_owned(), executor, metrics: metrics.collect() }
}

/// The value of each round that `metric` is of; none where there is no such round, or any lacks one.
fn values(subject: Subject, metric: Metric, all: &[&Measured]) -> Option<Vec<f64>> {
    let is_of = |one: &&&Measured| one.subject == subject && (one.round == 0) == metric.is_of_the_warm_up();
    let mut rounds: Vec<_> = all.iter().filter(is_of).collect();
    rounds.sort_by_key(|one| one.round);
    let values: Option<Vec<f64>> = rounds.iter().map(|one| one.values.get(&metric).copied()).collect();
    values.filter(|values| !values.is_empty())
}

/// The ratio to the floor in each round; none where the floor has nothing to compare with.
fn ratios(subject: Subject, metric: Metric, all: &[&Measured]) -> Option<Vec<f64>> {
    if subject == Subject::Floor || !Metric::RATIOS.contains(&metric) {
        return None;
    }
    let (mine, floor) = (values(subject, metric, all)?, values(Subject::Floor, metric, all)?);
    let least = error(metric, all) * CLEAR_OF_ERROR;
    mine.iter().zip(floor).map(|(mine, floor)| (floor > least).then(|| mine / floor)).collect()
}

/// How far a value of this size may be off by the way it is counted.
fn error(metric: Metric, all: &[&Measured]) -> f64 {
    let agents = count(all.first().map_or(1, |one| one.agents.max(1)));
    if metric == Metric::Resident { RESIDENT_ERROR / agents } else { 0.0 }
}

fn middle(rounds: &[f64], seed: Seed) -> Option<MedianInterval> {
    let found = of_one(rounds, |rounds| median(rounds.to_vec()).unwrap_or(f64::NAN), CONFIDENCE, seed)?;
    let ends = (rounds.len() >= LEAST_ROUNDS).then_some((found.low, found.high));
    let (low, high) = ends.unzip();
    Some(MedianInterval { median: found.value, low, high })
}

fn decided(plan: &CostPlan, metric: Metric, all: &[&Measured]) -> Option<Decided> {
    let columns = plan.variants.iter().map(|variant| values(Subject::Variant(*variant), metric, all));
    let columns: Vec<Vec<f64>> = columns.collect::<Option<_>>()?;
    let floor = middle(&values(Subject::Floor, metric, all)?, plan.seed)?.median;
    let smallest_effect = (floor * EFFECT_OF_FLOOR).max(metric.least_effect()).max(error(metric, all));
    let blocks = Blocks {
        variants: plan.variants.iter().map(|variant| variant.name().to_owned()).collect(),
        walls: (0..plan.rounds).map(|round| columns.iter().map(|column| scaled(column[round])).collect()).collect(),
    };
    let rule = DecisionRule { confidence: CONFIDENCE, smallest_effect: scaled(smallest_effect) };
    // One variant alone is compared with nothing.
    let found = decide(rule, &blocks).ok()?;
    let pairs = |verdict| found.pairs.iter().filter(move |pair| pair.verdict == verdict);
    let separated = pairs(Separation::Separated).map(|pair| {
        let (less, more) = if pair.median_ns < 0 { (&pair.a, &pair.b) } else { (&pair.b, &pair.a) };
        SeparatedPair { less: less.clone(), more: more.clone(), by: unscaled(pair.median_ns) }
    });
    Some(Decided {
        metric: metric.key(),
        smallest_effect,
        rounds_needed: found.blocks_needed,
        pairs: found.pairs.len(),
        separated: separated.collect(),
        same: pairs(Separation::NoDifference).map(|pair| [pair.a.clone(), pair.b.clone()]).collect(),
    })
}

/// A value as the decision rule takes it. A lag below zero (seen before the server had noted the write) counts as none.
fn scaled(value: f64) -> Duration {
    Duration::try_from_secs_f64((value * SCALE).max(0.0) / 1e9).unwrap_or(Duration::MAX)
}

#[expect(clippy::cast_precision_loss, reason = "what was scaled before")]
fn unscaled(nanos: i64) -> f64 {
    nanos.unsigned_abs() as f64 / SCALE
}

// With every variant: `controls` brings the other four.
#[cfg(all(test, feature = "controls", feature = "runtime-tokio-localset"))]
mod tests;
