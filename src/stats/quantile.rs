//! Exact order statistics: nearest-rank quantiles, and confidence intervals that assume no distribution.
//!
//! Every value that comes out was put in. Nothing is interpolated and nothing is bucketed, so snapshots are stable
//! and a quantile can be found again in the raw data.

use std::cmp::Ordering;

/// Samples in ascending order; at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sorted<T>(Vec<T>);

impl<T: Copy + Ord> Sorted<T> {
    /// Sorts `samples`; `None` when there are none.
    pub fn new(samples: Vec<T>) -> Option<Self> {
        Self::by(samples, T::cmp)
    }
}

impl Sorted<f64> {
    /// Sorts `samples` by [`f64::total_cmp`]; `None` when there are none.
    pub fn of_floats(samples: Vec<f64>) -> Option<Self> {
        Self::by(samples, f64::total_cmp)
    }
}

/// Returns the nearest-rank median of `samples`; `None` when there are none.
pub fn median(samples: Vec<f64>) -> Option<f64> {
    Sorted::of_floats(samples).map(|sorted| sorted.median())
}

impl<T: Copy> Sorted<T> {
    fn by(mut samples: Vec<T>, compare: fn(&T, &T) -> Ordering) -> Option<Self> {
        samples.sort_unstable_by(compare);
        (!samples.is_empty()).then_some(Self(samples))
    }

    /// The number of samples, never zero.
    #[expect(clippy::len_without_is_empty, reason = "there is at least one sample by construction")]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The nearest-rank quantile: the smallest sample such that at least `permille` thousandths of all samples are not
    /// above it; the smallest sample for 0, the largest for 1000 and more.
    pub fn permille(&self, permille: u16) -> T {
        let rank = (self.0.len() * usize::from(permille)).div_ceil(1000);
        self.0[rank.clamp(1, self.0.len()) - 1]
    }

    /// The nearest-rank median: of an even number of samples the lower middle one.
    pub fn median(&self) -> T {
        self.permille(500)
    }

    /// The smallest sample.
    pub fn min(&self) -> T {
        self.0[0]
    }

    /// The largest sample.
    pub fn max(&self) -> T {
        self.0[self.0.len() - 1]
    }

    /// An interval that holds the median of the population with at least `confidence` (between 0 and 1), from order
    /// statistics alone; `None` when there are too few samples for it, see [`samples_needed`].
    pub fn median_interval(&self, confidence: f64) -> Option<Interval<T>> {
        let (low_rank, coverage) = median_ranks(self.0.len(), confidence)?;
        Some(Interval { low: self.0[low_rank - 1], high: self.0[self.0.len() - low_rank], coverage })
    }
}

/// A confidence interval; both ends belong to it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval<T> {
    /// The lower end.
    pub low: T,
    /// The upper end.
    pub high: T,
    /// The probability that such an interval holds the median, 0..=1: at least what was asked for. It is rounded down to
    /// a millionth, so what is printed is never more than what was reached.
    pub coverage: f64,
}

/// The most samples an interval is computed for; beyond it the smallest binomial term leaves the range of an `f64`.
pub const MAX_SAMPLES: usize = 1_000;

/// The rank `l` (from 1) such that the l-th smallest and the l-th largest of `samples` samples enclose the median with
/// at least `confidence`, the largest such `l`, and the coverage it reaches.
///
/// The coverage is `1 − 2·P(Bin(n, ½) < l)`: the interval misses when fewer than `l` samples lie on one side. It is
/// exact for a continuous distribution and a lower limit where values tie.
fn median_ranks(samples: usize, confidence: f64) -> Option<(usize, f64)> {
    let mut best = None;
    for rank in 1..=samples.min(MAX_SAMPLES).div_ceil(2) {
        let coverage = median_coverage(samples, rank);
        if coverage < confidence {
            break;
        }
        best = Some((rank, (coverage * 1e6).floor() / 1e6));
    }
    best.filter(|_| samples <= MAX_SAMPLES)
}

/// The probability that the `rank`-th smallest and the `rank`-th largest of `samples` samples enclose the median.
///
/// `samples` is at most [`MAX_SAMPLES`].
fn median_coverage(samples: usize, rank: usize) -> f64 {
    let mut term = (0..samples).fold(1.0, |power, _| power * 0.5);
    let mut tail = 0.0;
    for hits in 0..rank {
        tail += term;
        term *= count(samples - hits) / count(hits + 1);
    }
    (1.0 - 2.0 * tail).max(0.0)
}

/// The fewest samples whose range holds the median with at least `confidence`; `None` when more than [`MAX_SAMPLES`]
/// would be needed.
pub fn samples_needed(confidence: f64) -> Option<usize> {
    (1..=MAX_SAMPLES).find(|&samples| median_coverage(samples, 1) >= confidence)
}

/// Returns a number of samples as a factor.
pub fn count(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nearest_rank_gives_the_textbook_values() {
        // The five-value example of the nearest-rank method: 15, 20, 35, 40, 50.
        let sorted = Sorted::new(vec![35, 20, 15, 50, 40]).unwrap();
        let found: Vec<i32> = [0, 50, 300, 400, 500, 1000].map(|p| sorted.permille(p)).to_vec();
        assert_eq!(found, [15, 15, 20, 20, 35, 50]);
    }

    #[test]
    fn no_samples_have_no_quantile() {
        assert_eq!(Sorted::<u64>::new(Vec::new()), None);
    }

    #[test]
    fn published_ranks_of_the_sign_test_interval_are_found() {
        // 95 % ranks and coverages as in tables of the distribution-free interval of the median.
        for (samples, rank, coverage) in [(6, 1, 0.968_75), (10, 2, 0.978_515), (20, 6, 0.958_610), (50, 18, 0.967_160)]
        {
            assert_eq!(median_ranks(samples, 0.95), Some((rank, coverage)), "{samples} samples");
        }
        assert_eq!(median_ranks(5, 0.95), None);
    }

    #[test]
    fn coverage_equals_a_count_over_all_sign_patterns() {
        for samples in 1_usize..=12 {
            for rank in 1..=samples.div_ceil(2) {
                let held = (0_u32..1 << samples)
                    .filter(|signs| {
                        let below = signs.count_ones() as usize;
                        below >= rank && samples - below >= rank
                    })
                    .count();
                let exact = count(held) / f64::from(1_u32 << samples);
                assert!((median_coverage(samples, rank) - exact).abs() < 1e-12, "n={samples} rank={rank}");
            }
        }
    }

    #[test]
    fn six_samples_are_needed_for_95_per_cent_and_nine_for_ten_pairs() {
        assert_eq!(samples_needed(0.95), Some(6));
        assert_eq!(samples_needed(1.0 - 0.05 / 10.0), Some(9));
    }

    #[test]
    fn certainty_needs_more_samples_than_there_can_be() {
        // Short of 1, but closer to it than an f64 can tell the coverage from.
        assert_eq!(samples_needed(1.5), None);
    }

    proptest! {
        #[test]
        fn a_quantile_is_a_sample_with_enough_samples_below_and_not_one_more(
            samples in prop::collection::vec(-50_i32..50, 1..60),
            permille in 1_u16..=1000,
        ) {
            let sorted = Sorted::new(samples.clone()).unwrap();
            let found = sorted.permille(permille);
            prop_assert!(samples.contains(&found));
            let up_to = samples.iter().filter(|&&s| s <= found).count();
            let below = samples.iter().filter(|&&s| s < found).count();
            prop_assert!(up_to * 1000 >= usize::from(permille) * samples.len());
            prop_assert!(below * 1000 < usize::from(permille) * samples.len());
        }

        #[test]
        fn a_quantile_does_not_depend_on_the_order_of_samples(samples in prop::collection::vec(0_u64..1000, 1..40)) {
            let mut reversed = samples.clone();
            reversed.reverse();
            prop_assert_eq!(Sorted::new(samples), Sorted::new(reversed));
        }

        #[test]
        fn the_interval_holds_the_sample_median_and_reaches_its_confidence(
            samples in prop::collection::vec(0_u64..1000, 1..120),
            confidence in 0.5_f64..0.999,
        ) {
            let count = samples.len();
            let sorted = Sorted::new(samples).unwrap();
            match sorted.median_interval(confidence) {
                Some(found) => {
                    prop_assert!(found.low <= sorted.median() && sorted.median() <= found.high);
                    prop_assert!(found.coverage >= confidence - 1e-6);
                }
                None => prop_assert!(count < samples_needed(confidence).unwrap()),
            }
        }

        #[test]
        fn more_confidence_never_narrows_the_interval(samples in prop::collection::vec(0_u64..1000, 12..120)) {
            let sorted = Sorted::new(samples).unwrap();
            let narrow = sorted.median_interval(0.8).unwrap();
            let wide = sorted.median_interval(0.99).unwrap();
            prop_assert!(wide.low <= narrow.low && narrow.high <= wide.high);
        }
    }
}
