//! The offsets of one stream.

use std::time::Duration;

use rand::RngExt as _;
use rand_pcg::Pcg64Mcg;

use super::pace::{Base, Pace};
use crate::journal::StreamId;
use crate::seed::Seed;

/// Turns the recorded times of one stream into offsets from the start of its replay, in order.
///
/// Offsets are absolute, so that pacing never drifts, and they never decrease.
#[derive(Clone, Debug)]
pub struct Schedule {
    pace: Pace,
    rng: Pcg64Mcg,
    last: Option<Last>,
}

#[derive(Clone, Copy, Debug)]
struct Last {
    /// The base's offset of the last chunk.
    base: Duration,
    /// The offset that was handed out for it.
    due: Duration,
}

impl Schedule {
    /// Returns the schedule of a stream; `seed` must be the stream's own.
    pub fn new(pace: Pace, seed: Seed) -> Self {
        Self { pace, rng: seed.rng(), last: None }
    }

    /// Returns the schedule of `stream` on a server with this seed.
    pub fn of_stream(pace: Pace, seed: Seed, stream: &StreamId) -> Self {
        Self::new(pace, seed.derive("pace", [stream.to_string().as_bytes()]))
    }

    /// Returns whether chunks leave when a test releases them.
    pub fn is_stepped(&self) -> bool {
        self.pace.base == Base::Stepped
    }

    /// Touches the fields that [`Schedule::next`] uses, to pull them into the cache. The result is meaningless.
    pub(crate) fn touch(&self) -> u64 {
        let last = self.last.map_or(0, |last| last.due.subsec_nanos() ^ last.base.subsec_nanos());
        u64::from(last) ^ u64::from(self.is_stepped()) ^ self.pace.jitter.to_bits()
    }

    /// Returns the offset of the next chunk, which was recorded at `recorded`; `None` when only a release makes it due.
    pub fn next(&mut self, recorded: Duration) -> Option<Duration> {
        let base = match self.pace.base {
            Base::Recorded { speed } => scale(recorded, speed),
            Base::Gap(gap) => self.last.map_or(Duration::ZERO, |last| last.base).saturating_add(gap),
            Base::Instant | Base::Stated => Duration::ZERO,
            Base::Stepped => return None,
        };
        let due = match self.last {
            None => self.pace.ttft.unwrap_or(base),
            Some(last) => {
                let gap = base.saturating_sub(last.base);
                let gap = if self.pace.jitter > 0.0 { self.vary(gap) } else { gap };
                last.due.saturating_add(gap)
            }
        };
        self.last = Some(Last { base, due });
        Some(due)
    }

    /// The gap times a factor within 1 − jitter ..= 1 + jitter.
    fn vary(&mut self, gap: Duration) -> Duration {
        let factor = 1.0 + self.pace.jitter * self.rng.random_range(-1.0..=1.0);
        gap.mul_f64(factor)
    }

    /// Returns the offsets of all chunks that were recorded at these times.
    pub fn offsets(mut self, recorded: impl IntoIterator<Item = Duration>) -> Vec<Duration> {
        recorded.into_iter().filter_map(|at| self.next(at)).collect()
    }
}

/// Exact for speed 1; otherwise to the nanosecond for anything below 100 days.
fn scale(recorded: Duration, speed: f64) -> Duration {
    if (speed - 1.0).abs() < f64::EPSILON {
        return recorded;
    }
    Duration::from_secs_f64(recorded.as_secs_f64() / speed)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::Schedule;
    use crate::schedule::{Base, Pace};
    use crate::seed::Seed;

    const MS: Duration = Duration::from_millis(1);

    fn offsets(pace: &str, recorded_us: &[u64]) -> Vec<Duration> {
        Schedule::new(pace.parse().unwrap(), Seed(1)).offsets(recorded_us.iter().copied().map(Duration::from_micros))
    }

    #[test]
    fn recorded_times_are_kept_to_the_microsecond() {
        assert_eq!(offsets("recorded", &[5, 7, 1_000_001]), [5, 7, 1_000_001].map(Duration::from_micros));
    }

    #[test]
    fn a_speed_divides_the_first_wait_and_every_gap() {
        assert_eq!(offsets("x20", &[200_000, 220_000, 240_000]), [10 * MS, 11 * MS, 12 * MS]);
    }

    #[test]
    fn a_rate_puts_the_kth_chunk_k_gaps_after_the_request() {
        assert_eq!(offsets("rate=40", &[1, 2, 3]), [25 * MS, 50 * MS, 75 * MS]);
    }

    #[test]
    fn a_given_ttft_moves_the_first_chunk_and_keeps_the_gaps() {
        assert_eq!(offsets("recorded,ttft=300ms", &[100_000, 120_000]), [300 * MS, 320 * MS]);
        assert_eq!(offsets("gap=20ms,ttft=300ms", &[1, 2]), [300 * MS, 320 * MS]);
        assert_eq!(offsets("instant,ttft=300ms", &[1, 2]), [300 * MS, 300 * MS]);
    }

    #[test]
    fn a_stepped_chunk_is_due_at_no_time_of_its_own() {
        assert_eq!(Schedule::new(Pace::stepped(), Seed(1)).next(5 * MS), None);
    }

    #[test]
    fn jitter_repeats_with_the_seed_and_changes_with_it() {
        let pace = Pace::gap(20 * MS).jitter(0.5);
        let run = |seed| Schedule::new(pace, Seed(seed)).offsets([Duration::ZERO; 9]);
        assert_eq!(run(1), run(1));
        assert_ne!(run(1), run(2));
    }

    proptest! {
        #[test]
        fn offsets_never_decrease(
            mut times in prop::collection::vec(0_u64..10_000_000, 1..50),
            speed in 0.01_f64..1000.0,
            jitter in 0.0_f64..=1.0,
            seed: u64,
        ) {
            times.sort_unstable();
            let pace = Pace { base: Base::Recorded { speed }, ttft: None, jitter };
            let offsets = Schedule::new(pace, Seed(seed)).offsets(times.into_iter().map(Duration::from_micros));
            prop_assert!(offsets.is_sorted());
        }

        #[test]
        fn a_jittered_gap_stays_within_its_share(seed: u64, share in 0.0_f64..=1.0) {
            let pace = Pace::gap(20 * MS).jitter(share);
            let offsets = Schedule::new(pace, Seed(seed)).offsets([Duration::ZERO; 20]);
            for pair in offsets.windows(2) {
                let ratio = pair[1].saturating_sub(pair[0]).as_secs_f64() / 0.020;
                prop_assert!((ratio - 1.0).abs() <= share + 1e-6, "gap ratio {ratio}");
            }
        }

        #[test]
        fn any_pace_reads_back_what_it_prints(speed in 0.001_f64..1000.0, ttft in prop::option::of(0_u64..10_000_000)) {
            let mut pace = Pace::recorded().faster(speed);
            pace.ttft = ttft.map(Duration::from_micros);
            prop_assert_eq!(pace.to_string().parse(), Ok(pace));
        }
    }
}
