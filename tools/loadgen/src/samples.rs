//! Quantiles of what was sampled.

use lab_stats::quantile::Sorted;

use crate::report::Quantiles;

/// The most samples that are kept of one quantity; later ones are counted, not kept.
const MAX_SAMPLES: usize = 1 << 24;

/// Samples of one quantity, in nanoseconds.
#[derive(Debug, Default)]
pub(crate) struct Samples {
    kept: Vec<i64>,
    dropped: u64,
}

impl Samples {
    /// Room for `n` samples before memory must be asked for.
    pub(crate) fn with_capacity(n: usize) -> Self {
        Self { kept: Vec::with_capacity(n.min(MAX_SAMPLES)), dropped: 0 }
    }

    pub(crate) fn note(&mut self, nanos: i64) {
        if self.kept.len() < MAX_SAMPLES {
            self.kept.push(nanos);
        } else {
            self.dropped += 1;
        }
    }

    /// The quantiles; `None` without samples.
    pub(crate) fn quantiles(self) -> Option<Quantiles> {
        let sorted = Sorted::new(self.kept)?;
        let at = |permille| micros(sorted.permille(permille));
        Some(Quantiles { samples: sorted.len(), dropped: self.dropped, p50: at(500), p99: at(990), max: at(1000) })
    }
}

#[expect(clippy::cast_precision_loss, reason = "a duration of 104 days is exact to the nanosecond")]
fn micros(nanos: i64) -> f64 {
    nanos as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
