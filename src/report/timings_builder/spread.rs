//! Samples to the numbers of a report.

use std::time::Duration;

use crate::stats::quantile::Sorted;

use crate::report::model::{Distribution, Spread};

/// The median of `samples` with its interval.
pub(super) fn spread<T: Copy>(samples: &Sorted<T>, confidence: f64) -> Spread<T> {
    let interval = samples.median_interval(confidence);
    Spread {
        median: samples.median(),
        low: interval.as_ref().map(|found| found.low),
        high: interval.as_ref().map(|found| found.high),
    }
}

/// The quantiles of `nanos`, in microseconds; `None` without samples.
pub(super) fn distribution(nanos: Vec<i64>) -> Option<Distribution> {
    let sorted = Sorted::new(nanos)?;
    let at = |permille| micros_signed(sorted.permille(permille));
    Some(Distribution { count: sorted.len(), min: at(0), p50: at(500), p90: at(900), p99: at(990), max: at(1000) })
}

/// The quantiles of `times`, in microseconds; `None` without samples.
pub(super) fn distribution_of_times(times: impl Iterator<Item = Duration>) -> Option<Distribution> {
    distribution(times.map(|time| i64::try_from(time.as_nanos()).unwrap_or(i64::MAX)).collect())
}

/// Nanoseconds to microseconds, to the nearest.
pub(super) fn micros_signed(nanos: i64) -> i64 {
    let half = if nanos < 0 { -500 } else { 500 };
    nanos.saturating_add(half) / 1_000
}

/// A time in microseconds, to the nearest.
pub(super) fn micros(time: Duration) -> u64 {
    u64::try_from((time.as_nanos() + 500) / 1_000).unwrap_or(u64::MAX)
}

/// A share or factor to a millionth: more digits would be noise in a file that people read.
pub(super) fn share(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}
