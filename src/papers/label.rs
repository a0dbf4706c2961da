//! What a label explains of observations that were made in strata: published runs of runtimes in scenarios, say.
//!
//! Two questions, and a "no" to the first is not a "yes" to the second:
//!
//! - do the labels *separate*? A permutation test within strata ([`permute`]): the p value is at most
//!   `1 − confidence`;
//! - are they *equivalent*? A bootstrap interval of the difference in means of each pair of labels, Bonferroni-corrected
//!   over the pairs, lies within ± the smallest effect that matters.
//!
//! A stratum counts once however many runs it has: a mean is the mean over strata of the means within. Nothing is
//! ranked. What was recorded label by label, in sessions, separates by session just as it does by label: this test
//! cannot tell the two apart.

use std::collections::{BTreeMap, BTreeSet};

use crate::stats::quantile::count;
use mock_ollama::seed::Seed;

use super::fit::mean;
use super::permute::{self, Row, Scale};
use crate::measure::bootstrap::{self, DRAWS, Estimate};

/// The fewest values of a label in a stratum that say how much they spread. With fewer there are no intervals.
pub(crate) const MIN_REPEATS: usize = 3;

/// What is asked of a metric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Question {
    /// What labels are compared by; to be chosen before looking.
    pub scale: Scale,
    /// The confidence of all intervals together, and of the test; between 0 and 1.
    pub confidence: f64,
    /// The smallest difference in means that matters, in the unit of the values; absent where nothing was stated
    /// beforehand, and then nothing is equivalent.
    pub smallest_effect: Option<f64>,
    /// The seed of permutations and draws.
    pub seed: Seed,
}

/// What a label explains of one metric.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Explained {
    /// What was asked.
    pub question: Question,
    /// The p value of the permutation test, above 0 and at most 1.
    pub p_value: f64,
    /// Each pair of labels, in the order of names.
    pub pairs: Vec<Difference>,
}

/// Two labels compared.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Difference {
    /// The first label.
    pub a: String,
    /// The second label.
    pub b: String,
    /// The mean of `a` minus that of `b`, over the strata that have both, in the unit of the values.
    pub mean: f64,
    /// Its interval; absent with fewer than [`MIN_REPEATS`] values in a stratum.
    pub interval: Option<Estimate>,
}

impl Explained {
    /// Whether the labels are told apart.
    pub(crate) fn separated(&self) -> bool {
        self.p_value <= 1.0 - self.question.confidence + 1e-9
    }

    /// Whether every pair's interval lies within ± the smallest effect.
    pub(crate) fn equivalent(&self) -> bool {
        let within = |effect| self.pairs.iter().all(|pair| pair.interval.is_some_and(|found| found.within(effect)));
        self.question.smallest_effect.is_some_and(within)
    }
}

/// What the labels of `rows` explain. `None` with fewer than two labels, two labels without a stratum in common, a
/// value that is not finite, or a confidence that is not between 0 and 1.
pub(crate) fn explain(rows: &[Row<'_>], question: Question) -> Option<Explained> {
    explain_with(rows, question, DRAWS)
}

/// [`explain`] with a number of permutations and draws to choose.
fn explain_with(rows: &[Row<'_>], question: Question, draws: usize) -> Option<Explained> {
    if !(question.confidence > 0.0 && question.confidence < 1.0) {
        return None;
    }
    let p_value = permute::p_of(rows, question.scale, question.seed, draws)?;
    Some(Explained { question, p_value, pairs: Cells::of(rows).pairs(question, draws)? })
}

/// The values of each label in each stratum.
struct Cells<'a> {
    labels: Vec<&'a str>,
    /// By stratum and label; empty where a label was not observed.
    values: Vec<Vec<Vec<f64>>>,
}

impl<'a> Cells<'a> {
    fn of(rows: &[Row<'a>]) -> Self {
        let labels: Vec<&str> = rows.iter().map(|row| row.label).collect::<BTreeSet<_>>().into_iter().collect();
        let of_stratum = |cells: &BTreeMap<&str, Vec<f64>>| {
            labels.iter().map(|label| cells.get(label).cloned().unwrap_or_default()).collect()
        };
        let values = permute::strata(rows).values().map(of_stratum).collect();
        Self { labels, values }
    }

    fn pairs(&self, question: Question, draws: usize) -> Option<Vec<Difference>> {
        let observed: Vec<Vec<f64>> =
            self.values.iter().map(|stratum| stratum.iter().map(|cell| mean(cell.iter().copied())).collect()).collect();
        let redrawn = self.redrawn(&observed, question.seed, draws);
        let labels = 0..self.labels.len();
        let pairs: Vec<(usize, usize)> = labels.flat_map(|a| (a + 1..self.labels.len()).map(move |b| (a, b))).collect();
        let pair_confidence = 1.0 - (1.0 - question.confidence) / count(pairs.len());
        let compare = |&(a, b): &(usize, usize)| {
            let name = |label: usize| self.labels[label].to_owned();
            let strata: Vec<usize> = self.shared(a, b);
            if strata.is_empty() {
                return None;
            }
            let difference = |means: &Vec<Vec<f64>>| apart(means, &strata, a, b);
            let enough = strata.iter().all(|&s| [a, b].iter().all(|&l| self.values[s][l].len() >= MIN_REPEATS));
            let value = difference(&observed);
            let interval = || bootstrap::interval(value, redrawn.iter().map(difference).collect(), pair_confidence);
            Some(Difference { a: name(a), b: name(b), mean: value, interval: enough.then(interval).flatten() })
        };
        pairs.iter().map(compare).collect()
    }

    /// The strata in which both labels were observed.
    fn shared(&self, a: usize, b: usize) -> Vec<usize> {
        (0..self.values.len()).filter(|&s| !self.values[s][a].is_empty() && !self.values[s][b].is_empty()).collect()
    }

    /// Means of cells as they might have come out. Means of `n` drawn values spread less than those of `n` fresh ones,
    /// by the root of `(n − 1) / n`, which is a tenth at five: they are spread again by that much.
    fn redrawn(&self, observed: &[Vec<f64>], seed: Seed, draws: usize) -> Vec<Vec<Vec<f64>>> {
        let mut rng = seed.derive("bootstrap of labels", []).rng();
        let mut scratch = Vec::new();
        let mut of_cell = |values: &Vec<f64>, middle: f64| {
            if values.len() < 2 {
                return middle;
            }
            scratch.resize(values.len(), 0.0);
            bootstrap::draw(values, &mut scratch, &mut rng);
            let wider = (count(values.len()) / count(values.len() - 1)).sqrt();
            middle + wider * (mean(scratch.iter().copied()) - middle)
        };
        let mut of_stratum = |(cells, means): (&Vec<Vec<f64>>, &Vec<f64>)| {
            cells.iter().zip(means).map(|(v, &m)| of_cell(v, m)).collect()
        };
        (0..draws).map(|_| self.values.iter().zip(observed).map(&mut of_stratum).collect()).collect()
    }
}

/// The difference between two labels, as the mean over `strata`.
fn apart(means: &[Vec<f64>], strata: &[usize], a: usize, b: usize) -> f64 {
    strata.iter().map(|&stratum| means[stratum][a] - means[stratum][b]).sum::<f64>() / count(strata.len())
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod published_tests;
