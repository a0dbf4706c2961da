//! Would labels dealt by chance have explained as much?
//!
//! Labels are permuted within strata, such as scenarios or blocks, so that what strata differ by proves nothing. With
//! strata of one pair each this is the paired test, with a single stratum the test of independent groups. The p value
//! is two-sided and counts the labels as they were among the permutations, so that it is never 0 and no more than the
//! stated share of experiments without an effect come out below it (Phipson and Smyth 2010, *Permutation p-values
//! should never be zero*).

use std::collections::{BTreeMap, BTreeSet};

use crate::stats::quantile::count;
use mock_ollama::seed::Seed;
use rand::seq::SliceRandom as _;

use super::fit::mean;
use crate::measure::bootstrap::DRAWS;

/// One observation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Row<'a> {
    /// What is suspected to matter, such as a runtime.
    pub label: &'a str,
    /// What is known to matter, such as a scenario or a block.
    pub stratum: &'a str,
    /// What was observed, in any one unit.
    pub value: f64,
}

/// What labels are compared by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Scale {
    /// The values: a question about means, and one extreme value weighs as much as it is extreme.
    Values,
    /// Their ranks within the stratum (equal values share a rank): a question about typical values.
    Ranks,
}

/// The p value (above 0, at most 1) of the labels of `rows` under [`DRAWS`] permutations; `None` with fewer than two
/// labels or with a value that is not finite. It depends neither on the order of rows nor on what labels are called.
pub(crate) fn p_value(rows: &[Row<'_>], scale: Scale, seed: Seed) -> Option<f64> {
    p_of(rows, scale, seed, DRAWS)
}

/// [`p_value`] with a number of permutations to choose.
pub(super) fn p_of(rows: &[Row<'_>], scale: Scale, seed: Seed, draws: usize) -> Option<f64> {
    if rows.iter().any(|row| !row.value.is_finite()) {
        return None;
    }
    let Deal { counts, mut strata } = Deal::of(rows, scale);
    if counts.len() < 2 {
        return None;
    }
    let spread: f64 = strata.iter().flat_map(|stratum| &stratum.values).map(|value| value * value).sum();
    // Sums in another order differ in their last bits: what ties on paper ties here.
    let observed = between(&strata, &counts) - 1e-12 * spread;
    for stratum in &mut strata {
        stratum.values.sort_unstable_by(f64::total_cmp);
    }
    let mut rng = seed.derive("permutation", []).rng();
    let mut as_much = 0;
    for _ in 0..draws {
        for stratum in &mut strata {
            stratum.values.shuffle(&mut rng);
        }
        as_much += usize::from(between(&strata, &counts) >= observed);
    }
    Some(count(as_much + 1) / count(draws + 1))
}

/// Values of one stratum about their mean, and whose each is: an index into the labels.
struct Stratum {
    labels: Vec<usize>,
    values: Vec<f64>,
}

/// The values of each label in each stratum, ascending: the order of rows decides neither the last bits of a sum nor
/// which value is drawn.
pub(super) fn strata<'a>(rows: &[Row<'a>]) -> BTreeMap<&'a str, BTreeMap<&'a str, Vec<f64>>> {
    let mut sorted = rows.to_vec();
    sorted.sort_by(|a, b| a.value.total_cmp(&b.value));
    let mut strata: BTreeMap<&str, BTreeMap<&str, Vec<f64>>> = BTreeMap::new();
    for row in sorted {
        strata.entry(row.stratum).or_default().entry(row.label).or_default().push(row.value);
    }
    strata
}

/// The observations, dealt out in an order that knows labels only by how many values they have in which stratum.
struct Deal {
    /// Values of each label.
    counts: Vec<usize>,
    strata: Vec<Stratum>,
}

impl Deal {
    fn of(rows: &[Row<'_>], scale: Scale) -> Self {
        let cells = strata(rows);
        let names: BTreeSet<&str> = rows.iter().map(|row| row.label).collect();
        // Labels with the same numbers of values are interchangeable, so their names may break the tie.
        let mut labels: Vec<(Vec<usize>, &str)> = names
            .into_iter()
            .map(|name| (cells.values().map(|stratum| stratum.get(name).map_or(0, Vec::len)).collect(), name))
            .collect();
        labels.sort_unstable();
        let strata = cells.values().map(|cell| {
            let (mut owners, mut values) = (Vec::new(), Vec::new());
            for (index, (_, name)) in labels.iter().enumerate() {
                let own = cell.get(name).map_or(&[][..], Vec::as_slice);
                owners.extend(own.iter().map(|_| index));
                values.extend_from_slice(own);
            }
            Stratum { labels: owners, values: centred(&values, scale) }
        });
        Self { strata: strata.collect(), counts: labels.iter().map(|(counts, _)| counts.iter().sum()).collect() }
    }
}

/// The sum over labels of values times squared mean, about the means of strata. The sum of squares is the same in
/// every permutation, so this orders permutations as the F ratio of an analysis of variance does.
fn between(strata: &[Stratum], counts: &[usize]) -> f64 {
    let mut sums = vec![0.0; counts.len()];
    for stratum in strata {
        for (&label, value) in stratum.labels.iter().zip(&stratum.values) {
            sums[label] += value;
        }
    }
    sums.iter().zip(counts).map(|(sum, &values)| sum * sum / count(values)).sum()
}

/// The values or their ranks, about their mean.
fn centred(values: &[f64], scale: Scale) -> Vec<f64> {
    let scaled = match scale {
        Scale::Values => values.to_vec(),
        Scale::Ranks => values.iter().map(|&value| rank(value, values)).collect(),
    };
    let middle = mean(scaled.iter().copied());
    scaled.into_iter().map(|value| value - middle).collect()
}

/// The mid-rank of `value` among `values`, less one half.
fn rank(value: f64, values: &[f64]) -> f64 {
    let below = values.iter().filter(|&&other| other < value).count();
    let not_above = values.iter().filter(|&&other| other <= value).count();
    f64::midpoint(count(below), count(not_above))
}

#[cfg(test)]
mod tests;
