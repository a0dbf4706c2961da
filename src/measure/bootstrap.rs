//! Percentile intervals of the bootstrap (Efron and Tibshirani, *An Introduction to the Bootstrap*, 1993, chapter 13).
//!
//! They are too narrow for small samples: of ten values a 95 % interval of the mean holds it about nine times in ten.
//! Where values come in pairs and few, [`Sorted::median_interval`](crate::stats::quantile::Sorted::median_interval)
//! keeps what it promises.

use crate::stats::quantile::count;
use mock_ollama::seed::Seed;
use rand::{Rng, RngExt as _};

/// The number of times that a sample is drawn again, or labels are permuted. One more is a round number, so that the
/// ranks of common intervals are whole, and the smallest p value is 0.0001.
pub(crate) const DRAWS: usize = 9_999;

/// A number and its interval, both ends included, in the unit of the samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Estimate {
    /// What the sample itself gives.
    pub value: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Estimate {
    /// Whether the whole interval lies within `±effect`: then what is left of the difference does not matter.
    pub(crate) fn within(&self, effect: f64) -> bool {
        -effect <= self.low && self.high <= effect
    }
}

/// A statistic of `sample` and its interval with `confidence` (between 0 and 1); `None` of no sample, of values that
/// are not finite, and for a confidence that [`DRAWS`] draws cannot reach.
pub(crate) fn of_one(sample: &[f64], statistic: fn(&[f64]) -> f64, confidence: f64, seed: Seed) -> Option<Estimate> {
    if sample.is_empty() || !sample.iter().all(|value| value.is_finite()) {
        return None;
    }
    let mut scratch = sample.to_vec();
    let mut rng = seed.derive("bootstrap of one", []).rng();
    let drawn = (0..DRAWS).map(|_| {
        draw(sample, &mut scratch, &mut rng);
        statistic(&scratch)
    });
    interval(statistic(sample), drawn.collect(), confidence)
}

/// The interval that leaves out as many of `drawn` below as above; `None` where it would have to leave out less than
/// one.
pub(crate) fn interval(value: f64, mut drawn: Vec<f64>, confidence: f64) -> Option<Estimate> {
    if !(confidence > 0.0 && confidence < 1.0) {
        return None;
    }
    let tail = (1.0 - confidence) / 2.0 * count(drawn.len() + 1);
    // `1 − 0.95` is a little more than 0.05 or a little less; the rank must not hang on it.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at least 0 and at most a length")]
    let rank = (tail + 1e-9).floor() as usize;
    if rank == 0 || rank > drawn.len() {
        return None;
    }
    drawn.sort_unstable_by(f64::total_cmp);
    Some(Estimate { value, low: drawn[rank - 1], high: drawn[drawn.len() - rank] })
}

/// Fills `into` with values of `sample`, drawn with replacement.
pub(crate) fn draw(sample: &[f64], into: &mut [f64], rng: &mut impl Rng) {
    for slot in into {
        *slot = sample[rng.random_range(0..sample.len())];
    }
}

#[cfg(test)]
mod tests;
