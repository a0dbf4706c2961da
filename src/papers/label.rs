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

use mock_ollama::seed::Seed;

use super::fit::mean;
use super::permute::{self, Row, Scale};
use crate::measure::bootstrap::{self, DRAWS, Estimate, count};

/// The fewest values of a label in a stratum that say how much they spread. With fewer there are no intervals.
pub const MIN_REPEATS: usize = 3;

/// What is asked of a metric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Question {
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
pub struct Explained {
    /// What was asked.
    pub question: Question,
    /// The p value of the permutation test, above 0 and at most 1.
    pub p_value: f64,
    /// Each pair of labels, in the order of names.
    pub pairs: Vec<Difference>,
}

/// Two labels compared.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// The first label.
    pub a: String,
    /// The second label.
    pub b: String,
    /// The mean of `a` minus that of `b`, over the strata that have both, in the unit of the values.
    pub mean: f64,
    /// Its interval; absent with fewer than [`MIN_REPEATS`] values in a stratum.
    pub interval: Option<Estimate>,
}

/// Observations that cannot be compared.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum LabelError {
    /// There is nothing to compare.
    #[error("{0} labels cannot be compared: two are needed")]
    TooFewLabels(usize),
    /// A value that is infinite or not a number.
    #[error("a value of {label} in {stratum} is not a finite number")]
    NotFinite {
        /// The label.
        label: String,
        /// The stratum.
        stratum: String,
    },
    /// Two labels that were never observed under the same circumstances.
    #[error("{a} and {b} have no stratum in common")]
    NothingInCommon {
        /// The first label.
        a: String,
        /// The second label.
        b: String,
    },
    /// A confidence that is no probability, or one of 0 or 1.
    #[error("a confidence of {0} is not between 0 and 1")]
    Confidence(f64),
}

impl Explained {
    /// Whether the labels are told apart.
    pub fn separated(&self) -> bool {
        self.p_value <= 1.0 - self.question.confidence + 1e-9
    }

    /// Whether every pair's interval lies within ± the smallest effect.
    pub fn equivalent(&self) -> bool {
        let within = |effect| self.pairs.iter().all(|pair| pair.interval.is_some_and(|found| found.within(effect)));
        self.question.smallest_effect.is_some_and(within)
    }
}

/// What the labels of `rows` explain.
pub fn explain(rows: &[Row<'_>], question: Question) -> Result<Explained, LabelError> {
    explain_with(rows, question, DRAWS)
}

/// [`explain`] with a number of permutations and draws to choose.
fn explain_with(rows: &[Row<'_>], question: Question, draws: usize) -> Result<Explained, LabelError> {
    if !(question.confidence > 0.0 && question.confidence < 1.0) {
        return Err(LabelError::Confidence(question.confidence));
    }
    if let Some(row) = rows.iter().find(|row| !row.value.is_finite()) {
        return Err(LabelError::NotFinite { label: row.label.into(), stratum: row.stratum.into() });
    }
    let cells = Cells::of(rows);
    let too_few = LabelError::TooFewLabels(cells.labels.len());
    let p_value = permute::p_of(rows, question.scale, question.seed, draws).ok_or(too_few)?;
    Ok(Explained { question, p_value, pairs: cells.pairs(question, draws)? })
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
        let mut strata: BTreeMap<&str, BTreeMap<&str, Vec<f64>>> = BTreeMap::new();
        for row in rows {
            strata.entry(row.stratum).or_default().entry(row.label).or_default().push(row.value);
        }
        let of_stratum = |cells: &BTreeMap<&str, Vec<f64>>| {
            // The order of rows must not decide which value is drawn.
            let sorted = |mut values: Vec<f64>| {
                values.sort_unstable_by(f64::total_cmp);
                values
            };
            labels.iter().map(|label| sorted(cells.get(label).cloned().unwrap_or_default())).collect()
        };
        let values = strata.values().map(of_stratum).collect();
        Self { labels, values }
    }

    fn pairs(&self, question: Question, draws: usize) -> Result<Vec<Difference>, LabelError> {
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
                return Err(LabelError::NothingInCommon { a: name(a), b: name(b) });
            }
            let difference = |means: &Vec<Vec<f64>>| apart(means, &strata, a, b);
            let enough = strata.iter().all(|&s| [a, b].iter().all(|&l| self.values[s][l].len() >= MIN_REPEATS));
            let value = difference(&observed);
            let interval = || bootstrap::interval(value, redrawn.iter().map(difference).collect(), pair_confidence);
            Ok(Difference { a: name(a), b: name(b), mean: value, interval: enough.then(interval).flatten() })
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
