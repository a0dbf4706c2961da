//! How long the loop sleeps at least between two wake-ups.

use std::time::Duration;

use super::tuning::MIN_SLEEP_MAX;
use crate::clock::Instant;

/// How long the loop sleeps at least between two wake-ups, while many streams are in progress: as long as it worked after the
/// first one, up to [`MIN_SLEEP_MAX`].
///
/// To wake, and to wake the reader, costs as much as to send a token. A loop that woke for each token would do little else, so
/// what is due during a sleep leaves at its end in one burst. A loop with little to do works, and sleeps, for microseconds, and
/// none of its deadlines falls there. One that works for more than half of its time wakes less and less often, and so has time to
/// catch up when it has been held up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct MinSleep {
    woke: Instant,
}

impl MinSleep {
    /// Notes that the loop has waited until `now`.
    pub(super) fn set_woke(&mut self, now: Instant) {
        self.woke = now;
    }

    /// Returns the least time to wait for the next deadline, when there is nothing more to do at `now`.
    pub(super) fn least(self, now: Instant) -> Duration {
        now.saturating_since(self.woke).min(MIN_SLEEP_MAX)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The least sleep of a loop that woke at one microsecond and had nothing more to do at another.
    fn sleep(woke: u64, idle: u64) -> Duration {
        let mut sleep = MinSleep::default();
        sleep.set_woke(Instant::from_nanos(woke * 1000));
        sleep.least(Instant::from_nanos(idle * 1000))
    }

    #[test]
    fn it_sleeps_as_long_as_it_worked() {
        assert_eq!(sleep(1000, 1007), Duration::from_micros(7));
        assert_eq!(sleep(1000, 1000), Duration::ZERO);
    }

    #[test]
    fn it_never_sleeps_for_long() {
        assert_eq!(sleep(1000, 9_000_000), MIN_SLEEP_MAX);
    }

    proptest! {
        /// While a token takes less than half the time to the next, no deadline falls into the sleep after it.
        #[test]
        fn a_loop_that_works_less_than_half_its_time_is_punctual(gap in 2..1_000_000_u64, part in 0.0..0.5_f64) {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "small")]
            let worked = (gap as f64 * part) as u64;
            prop_assert!(sleep(gap, gap + worked) <= Duration::from_micros(gap - worked));
        }
    }
}
