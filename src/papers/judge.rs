//! Every run beside its prediction.

use std::collections::BTreeSet;

use super::data::{DataSet, PapersError, Run};
use super::fit::{SUBSET, fit, is_fitted_on, mean};
use super::predict::{Constants, Setup, predict};
use crate::papers::published::{SUMMARY, TableError};
use crate::report::text::{Column, Table, or_dash};

/// A published run and what was predicted of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Judged<'a> {
    /// The run.
    pub run: Run<'a>,
    /// The constants of its set.
    pub constants: Constants,
    /// The efficiency that was predicted, in per cent.
    pub predicted_pct: f64,
}

/// How far predictions are from what was published, in percentage points of efficiency.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Errors {
    /// The number of runs.
    pub runs: usize,
    /// The mean distance.
    pub mean: f64,
    /// The largest distance.
    pub worst: f64,
    /// The mean distance of the runs that no constant was fitted on; absent when there are none.
    pub unseen_mean: Option<f64>,
}

/// The runs of each set, predicted.
pub(crate) fn judge<'a>(sets: &[DataSet<'a>], folder: &str) -> Result<Vec<Judged<'a>>, PapersError> {
    let constants = fit(sets).ok_or_else(|| TableError {
        file: format!("{folder}/{SUMMARY}"),
        line: 1,
        why: format!("none of {SUBSET} says how fast the device is, alone or shared"),
    })?;
    let judged = |(set, constants): (&DataSet<'a>, Constants)| {
        set.runs.iter().map(|run| Judged::new(*run, constants)).collect::<Vec<_>>()
    };
    Ok(sets.iter().zip(constants).flat_map(judged).collect())
}

impl<'a> Judged<'a> {
    fn new(run: Run<'a>, constants: Constants) -> Self {
        let mut judged = Self { run, constants, predicted_pct: 0.0 };
        judged.predicted_pct = judged.with(run.setup);
        judged
    }

    /// The efficiency that the same work is predicted to have in another setup, in per cent.
    pub(crate) fn with(&self, setup: Setup) -> f64 {
        predict(&self.run.input(self.constants), setup).efficiency_pct()
    }

    /// The wall time that the same work is predicted to have in another setup, in seconds.
    pub(crate) fn wall_with(&self, setup: Setup) -> f64 {
        predict(&self.run.input(self.constants), setup).wall().as_secs_f64()
    }

    /// The distance of prediction and publication, in percentage points.
    pub(crate) fn error(&self) -> f64 {
        (self.predicted_pct - self.run.row.efficiency_pct).abs()
    }
}

/// The errors of those of `judged` that `which` picks; absent when it picks none.
pub(crate) fn errors(judged: &[Judged<'_>], which: impl Fn(&Run<'_>) -> bool) -> Option<Errors> {
    let picked: Vec<&Judged<'_>> = judged.iter().filter(|judged| which(&judged.run)).collect();
    let unseen: Vec<f64> =
        picked.iter().filter(|judged| !is_fitted_on(&judged.run)).map(|judged| judged.error()).collect();
    (!picked.is_empty()).then(|| Errors {
        runs: picked.len(),
        mean: mean(picked.iter().map(|judged| judged.error())),
        worst: picked.iter().map(|judged| judged.error()).fold(0.0, f64::max),
        unseen_mean: (!unseen.is_empty()).then(|| mean(unseen.iter().copied())),
    })
}

/// A table of errors: a name in each row, then what `errors` found.
pub(super) fn errors_table([name, runs]: [&str; 2], rows: impl Iterator<Item = (String, Errors)>) -> String {
    let points = |value: f64| format!("{value:.3}");
    let columns: [Column<'_, (String, Errors)>; 5] = [
        (name, &|(name, _)| name.clone()),
        (runs, &|(_, errors)| errors.runs.to_string()),
        ("mean error", &|(_, errors)| points(errors.mean)),
        ("of runs not fitted on", &|(_, errors)| or_dash(errors.unseen_mean, points)),
        ("worst", &|(_, errors)| points(errors.worst)),
    ];
    Table::of(rows, &columns).markdown()
}

/// What the first column tells apart: runtimes or sets, by name.
pub(super) fn labels<'j>(judged: &'j [Judged<'_>]) -> Vec<&'j str> {
    judged.iter().map(|judged| judged.run.row.runtime.as_str()).collect::<BTreeSet<_>>().into_iter().collect()
}

/// The runs of one runtime or set.
pub(super) fn of<'a, 'j>(judged: &'j [Judged<'a>], label: &str) -> Vec<&'j Judged<'a>> {
    judged.iter().filter(|judged| judged.run.row.runtime == label).collect()
}

/// The warm ones among them.
pub(super) fn warm<'a, 'j>(judged: &'j [Judged<'a>], label: &str) -> Vec<&'j Judged<'a>> {
    of(judged, label).into_iter().filter(|judged| judged.run.is_warm()).collect()
}

/// The mean of their published efficiency, in per cent.
pub(super) fn published_pct(runs: &[&Judged<'_>]) -> f64 {
    mean(runs.iter().map(|judged| judged.run.row.efficiency_pct))
}

/// Tokens of both agents for each second that the runs took, all runs together.
pub(super) fn goodput(judged: &[&Judged<'_>]) -> f64 {
    let tokens: f64 = judged.iter().map(|judged| judged.run.tokens()).sum();
    tokens / judged.iter().map(|judged| judged.run.row.wall_s).sum::<f64>()
}

/// The number of runs whose published efficiency the published rule gives to the last digit.
pub(crate) fn recomputed(judged: &[Judged<'_>]) -> usize {
    judged
        .iter()
        .filter(|judged| judged.run.recomputed_pct().to_bits() == judged.run.row.efficiency_pct.to_bits())
        .count()
}

#[cfg(test)]
mod tests;
