//! Quantiles of what was sampled.

use serde::Serialize;

/// The most samples that are kept of one quantity; later ones are counted, not kept.
const MOST: usize = 1 << 24;

/// Samples of one quantity, in nanoseconds.
#[derive(Debug, Default)]
pub(crate) struct Samples {
    kept: Vec<i64>,
    dropped: u64,
}

/// What is said about samples, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Quantiles {
    pub(crate) samples: usize,
    /// Samples beyond the most that are kept.
    pub(crate) dropped: u64,
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) max: f64,
}

impl Samples {
    /// Room for `n` samples before memory must be asked for.
    pub(crate) fn with_capacity(n: usize) -> Self {
        Self { kept: Vec::with_capacity(n.min(MOST)), dropped: 0 }
    }

    pub(crate) fn note(&mut self, nanos: i64) {
        if self.kept.len() < MOST {
            self.kept.push(nanos);
        } else {
            self.dropped += 1;
        }
    }

    /// The quantiles; `None` without samples.
    pub(crate) fn quantiles(mut self) -> Option<Quantiles> {
        self.kept.sort_unstable();
        let at = |per_cent| percentile(&self.kept, per_cent).map(micros);
        let (p50, p99, max) = (at(50)?, at(99)?, at(100)?);
        Some(Quantiles { samples: self.kept.len(), dropped: self.dropped, p50, p99, max })
    }
}

/// The smallest value that at least `per_cent` of the values do not exceed (nearest rank).
pub(crate) fn percentile(sorted: &[i64], per_cent: usize) -> Option<i64> {
    let rank = (sorted.len() * per_cent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied()
}

#[expect(clippy::cast_precision_loss, reason = "a duration of 104 days is exact to the nanosecond")]
fn micros(nanos: i64) -> f64 {
    nanos as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_percentile_is_one_of_the_values_by_nearest_rank() {
        let values: Vec<i64> = (1..=100).collect();
        assert_eq!(percentile(&values, 50), Some(50));
        assert_eq!(percentile(&values, 99), Some(99));
        assert_eq!(percentile(&values, 100), Some(100));
        assert_eq!(percentile(&values, 0), Some(1));
        assert_eq!(percentile(&[1, 2, 3], 50), Some(2));
        assert_eq!(percentile(&[7], 99), Some(7));
        assert_eq!(percentile(&[], 50), None);
    }

    #[test]
    fn quantiles_are_in_microseconds_and_of_samples_in_any_order() {
        let mut samples = Samples::with_capacity(3);
        for nanos in [3000, -1000, 2500] {
            samples.note(nanos);
        }
        let found = samples.quantiles().unwrap();
        assert_eq!(found, Quantiles { samples: 3, dropped: 0, p50: 2.5, p99: 3.0, max: 3.0 });
        assert_eq!(Samples::default().quantiles(), None);
    }

    proptest! {
        #[test]
        fn at_least_so_many_are_not_above_a_percentile(mut values in prop::collection::vec(any::<i64>(), 1..200), per_cent in 1_usize..=100) {
            values.sort_unstable();
            let found = percentile(&values, per_cent).unwrap();
            let not_above = values.iter().filter(|value| **value <= found).count();
            let below = values.iter().filter(|value| **value < found).count();
            prop_assert!(not_above * 100 >= values.len() * per_cent);
            prop_assert!(below * 100 < values.len() * per_cent);
        }
    }
}
