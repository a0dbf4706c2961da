//! How long the loop rests between two wake-ups.

use std::time::Duration;

use crate::clock::Instant;

/// The longest rest: what a deadline may be missed by for its sake.
const MOST: Duration = Duration::from_micros(100);

/// How long the loop rests between two wake-ups, while many streams are in progress: at least as long as it worked after the
/// first, within bounds.
///
/// To wake, and to wake the reader, costs as much as to send a token. A loop that woke for each would do little else while
/// tokens come as fast as that; so what is due during a rest leaves at its end in one go. A loop with little to do works, and
/// rests, for microseconds, and none of its deadlines falls there; one with more to do than half its time allows wakes less
/// and less often, which leaves it the time to catch up in when it has been held up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Rest {
    woke: Instant,
}

impl Rest {
    /// The loop has waited until `now`.
    pub(super) fn over(&mut self, now: Instant) {
        self.woke = now;
    }

    /// The least to wait for the next deadline, when there is nothing more to do at `now`.
    pub(super) fn least(self, now: Instant) -> Duration {
        now.saturating_since(self.woke).min(MOST)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The rest of a loop that woke at one microsecond and had nothing more to do at another.
    fn rest(woke: u64, idle: u64) -> Duration {
        let mut rest = Rest::default();
        rest.over(Instant::from_nanos(woke * 1000));
        rest.least(Instant::from_nanos(idle * 1000))
    }

    #[test]
    fn it_rests_as_long_as_it_worked() {
        assert_eq!(rest(1000, 1007), Duration::from_micros(7));
        assert_eq!(rest(1000, 1000), Duration::ZERO);
    }

    #[test]
    fn it_never_rests_for_long() {
        assert_eq!(rest(1000, 9_000_000), MOST);
    }

    proptest! {
        /// While a token takes less than half the time to the next, no deadline falls into the rest after it.
        #[test]
        fn a_loop_that_works_less_than_half_its_time_is_punctual(gap in 2..1_000_000_u64, part in 0.0..0.5_f64) {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "small")]
            let worked = (gap as f64 * part) as u64;
            prop_assert!(rest(gap, gap + worked) <= Duration::from_micros(gap - worked));
        }
    }
}
