//! Answers from the sample itself, drawn again with a seed: bootstrap intervals and permutation tests.
//!
//! [`decision`](super::decision) needs neither, since its interval is exact. These serve where there are no blocks to
//! pair: published runs, groups of unequal size, the mean instead of the median. Nothing here assumes a distribution,
//! and nothing depends on the machine: the same seed gives the same bits everywhere.
//!
//! Values carry whatever unit the caller measured in, and so do differences and intervals; p values are shares.

pub mod bootstrap;
pub mod permute;

/// How often a sample is drawn again, or labels are permuted. One more is a round number, so that the ranks of common
/// intervals are whole, and the smallest p value is 0.0001.
pub const DRAWS: usize = 9_999;

/// A number of samples as a factor.
pub(super) fn count(samples: usize) -> f64 {
    f64::from(u32::try_from(samples).unwrap_or(u32::MAX))
}

/// The mean, summed in order; not a number of none.
pub(super) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / count(values.len())
}
