//! The measured half of a report.

mod bounds;
mod one_run;
mod spread;

use crate::stats::quantile::Sorted;

use super::error::BuildError;
use super::inputs::{Inputs, Run};
use super::model::{
    Concurrency, Decision, Disagreement, FactorMedians, Kind, Medians, Pair, RunTimings, Spread, Timings,
    VariantTimings,
};
use crate::measure::decision::{self, Blocks};
use crate::transcript::Introspection;
use one_run::run_timings;
use spread::{micros_signed, share, spread};

/// The timings of the runs in `inputs`.
pub(crate) fn timings(inputs: &Inputs<'_>, disagreements: Vec<Disagreement>) -> Result<Timings, BuildError> {
    let names = variants(inputs)?;
    let variants: Vec<VariantTimings> =
        names.iter().map(|name| variant_timings(inputs, name)).collect::<Result<_, _>>()?;
    Ok(Timings {
        kind: inputs.clock,
        decision: decide(inputs, &variants)?,
        disagreements,
        bounds: bounds::judge(inputs, &variants),
        variants,
    })
}

/// The variants in the order of their first run.
fn variants<'a>(inputs: &Inputs<'a>) -> Result<Vec<&'a str>, BuildError> {
    let mut names = Vec::new();
    for (number, run) in inputs.runs.iter().enumerate() {
        if inputs.runs[..number].iter().any(|other| (other.variant, other.block) == (run.variant, run.block)) {
            return Err(BuildError::Twice { variant: run.variant.to_owned(), block: run.block });
        }
        if !names.contains(&run.variant) {
            names.push(run.variant);
        }
    }
    if names.is_empty() { Err(BuildError::NoRuns) } else { Ok(names) }
}

fn variant_timings(inputs: &Inputs<'_>, variant: &str) -> Result<VariantTimings, BuildError> {
    let mut of_variant: Vec<&Run<'_>> = inputs.runs.iter().filter(|run| run.variant == variant).collect();
    of_variant.sort_by_key(|run| run.block);
    let runs: Vec<RunTimings> = of_variant
        .iter()
        .map(|run| {
            run_timings(inputs, run).map_err(|source| BuildError::Run {
                variant: variant.to_owned(),
                block: run.block,
                source,
            })
        })
        .collect::<Result<_, _>>()?;
    let witness = of_variant.iter().map(|run| Concurrency::of(run.journal, run.transcript)).reduce(Concurrency::and);
    let witness = witness.ok_or(BuildError::NoRuns)?;
    let shown = of_variant[0].transcript.introspection.clone();
    // Threads and workers are the host's: a report of virtual time is the same on all.
    let (concurrency, introspection) = match inputs.clock {
        Kind::Virtual => {
            (witness.in_virtual_time(), Introspection { client: shown.client, ..Introspection::default() })
        }
        _ => (witness, shown),
    };
    Ok(VariantTimings {
        variant: variant.to_owned(),
        medians: medians(inputs.rule.confidence, &runs).ok_or(BuildError::NoRuns)?,
        concurrency,
        introspection,
        runs,
    })
}

/// `None` only without a run.
fn medians(confidence: f64, runs: &[RunTimings]) -> Option<Medians> {
    let shares =
        |of: fn(&RunTimings) -> f64| Some(spread(&Sorted::of_floats(runs.iter().map(of).collect())?, confidence));
    let times = |of: fn(&RunTimings) -> i64| Some(spread(&Sorted::new(runs.iter().map(of).collect())?, confidence));
    // Of what not every run has, there is no median: it would be one of other runs than its neighbours are of.
    let known_shares = |of: fn(&RunTimings) -> Option<f64>| {
        Some(spread(&Sorted::of_floats(runs.iter().map(of).collect::<Option<_>>()?)?, confidence))
    };
    let known_times = |of: fn(&RunTimings) -> Option<i64>| {
        Some(spread(&Sorted::new(runs.iter().map(of).collect::<Option<_>>()?)?, confidence))
    };
    Some(Medians {
        kind: Kind::Derived,
        wall_us: times(|run| i64::try_from(run.measured.wall_us).unwrap_or(i64::MAX))?,
        overhead_us: times(|run| run.derived.overhead_us)?,
        runtime_share: shares(|run| run.derived.runtime_share)?,
        server_share: shares(|run| run.derived.server_share)?,
        factors: FactorMedians {
            // The same in every run.
            balance: runs.first()?.derived.balance,
            contention: runs.first()?.derived.contention,
            structure: known_shares(|run| run.derived.structure),
            runtime: known_shares(|run| run.derived.runtime),
            efficiency: shares(|run| run.derived.efficiency)?,
        },
        overlap: shares(|run| run.derived.overlap)?,
        goodput_tokens_per_s: shares(|run| run.derived.goodput_tokens_per_s)?,
        speed_up: known_shares(|run| run.derived.speed_up),
        ttft_p50_us: known_times(|run| run.measured.ttft_us.map(|found| found.p50)),
        itl_p50_us: known_times(|run| run.measured.itl_us.map(|found| found.p50)),
        itl_p99_us: known_times(|run| run.measured.itl_us.map(|found| found.p99)),
        lateness_p99_us: known_times(|run| run.measured.lateness_us.map(|found| found.p99)),
        lag_p99_us: known_times(|run| run.measured.lag_us.map(|found| found.p99)),
        legacy_efficiency: shares(|run| run.derived.legacy_efficiency)?,
    })
}

/// Compares the variants over complete blocks; `None` where there is nothing to compare.
fn decide(inputs: &Inputs<'_>, variants: &[VariantTimings]) -> Result<Option<Decision>, BuildError> {
    let wall_of = |variant: &VariantTimings, block: usize| {
        let run = variant.runs.iter().find(|run| run.block == block)?;
        let whole = run.measured.failed_exchanges == 0;
        let seen = inputs.runs.iter().find(|seen| seen.variant == variant.variant && seen.block == block)?;
        whole.then(|| seen.transcript.ended.saturating_since(seen.transcript.started))
    };
    let mut blocks: Vec<usize> = inputs.runs.iter().map(|run| run.block).collect();
    blocks.sort_unstable();
    blocks.dedup();
    let walls: Vec<Vec<_>> =
        blocks.iter().filter_map(|&block| variants.iter().map(|variant| wall_of(variant, block)).collect()).collect();
    // Without costs there is nothing to compare; see `conclusions`.
    if variants.len() < 2 || walls.is_empty() || inputs.clock == Kind::Virtual {
        return Ok(None);
    }
    let incomplete_blocks = blocks.len() - walls.len();
    let names = variants.iter().map(|variant| variant.variant.clone()).collect();
    let found = decision::decide(inputs.rule, &Blocks { variants: names, walls })?;
    Ok(Some(Decision {
        kind: Kind::Derived,
        confidence: share(found.rule.confidence),
        pair_confidence: share(found.pair_confidence),
        smallest_effect_us: u64::try_from(found.rule.smallest_effect.as_micros()).unwrap_or(u64::MAX),
        blocks: found.blocks,
        incomplete_blocks,
        blocks_needed: found.blocks_needed,
        verdict: found.verdict,
        pairs: found.pairs.iter().map(pair).collect(),
    }))
}

fn pair(found: &decision::PairDecision) -> Pair {
    Pair {
        a: found.a.clone(),
        b: found.b.clone(),
        difference_us: Spread {
            median: micros_signed(found.median_ns),
            low: found.interval_ns.map(|interval| micros_signed(interval.low)),
            high: found.interval_ns.map(|interval| micros_signed(interval.high)),
        },
        coverage: found.interval_ns.map(|interval| interval.coverage),
        verdict: found.verdict,
        faster: found.faster().map(str::to_owned),
    }
}

#[cfg(test)]
mod tests;
