//! How long before a deadline the loop wakes.

use std::time::Duration;

use crate::clock::Instant;

/// The most that is spun, in multiples of the least.
const MOST: u32 = 4;

/// Beside what waking took lately, a share of that for the next time: a quarter.
const MARGIN: u32 = 4;

/// What is forgotten at each wake-up of a lead that was longer than needed: this part of what is above the least. The slow
/// one in a hundred is still remembered when it comes again.
const FORGET: u32 = 32;

/// How long before a deadline the loop wakes to spin the rest: as long as waking took lately, within bounds.
///
/// How long it takes is up to the machine, and changes: tens of microseconds on one that is idle, a hundred and more where a
/// host has to start the core again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lead {
    least: Duration,
    now: Duration,
}

impl Lead {
    /// Never less than `least`, and never more than four times as much: zero never spins.
    pub(super) fn new(least: Duration) -> Self {
        Self { least, now: least }
    }

    pub(super) fn get(self) -> Duration {
        self.now
    }

    /// Learns from a wake-up that should have been at `planned`. One that came before was for something else.
    pub(super) fn learn(&mut self, planned: Instant, woke: Instant) {
        if woke < planned {
            return;
        }
        let took = woke.saturating_since(planned);
        let eased = self.now.saturating_sub(self.now.saturating_sub(self.least) / FORGET);
        self.now = eased.max(took.saturating_add(took / MARGIN)).clamp(self.least, self.least * MOST);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LEAST: Duration = Duration::from_micros(50);

    fn micros(n: u64) -> Instant {
        Instant::from_nanos(n * 1000)
    }

    /// The lead after wake-ups that took so many microseconds each.
    fn after(took: impl IntoIterator<Item = u64>) -> Duration {
        let mut lead = Lead::new(LEAST);
        for took in took {
            lead.learn(micros(1000), micros(1000 + took));
        }
        lead.get()
    }

    #[test]
    fn a_machine_that_wakes_quickly_has_the_least() {
        assert_eq!(after([]), LEAST);
        assert_eq!(after([0, 20, 40, 3]), LEAST);
    }

    #[test]
    fn a_slow_wake_up_is_allowed_for_at_the_next_one() {
        assert_eq!(after([80]), Duration::from_micros(100));
        assert_eq!(after([80, 120]), Duration::from_micros(150));
    }

    #[test]
    fn one_that_took_for_ever_is_bounded_and_forgotten_in_time() {
        assert_eq!(after([5_000_000]), LEAST * 4);
        let later = after([5_000_000].into_iter().chain([10; 120]));
        assert!(later < LEAST + Duration::from_micros(5), "{later:?}");
    }

    #[test]
    fn a_wake_up_before_its_time_teaches_nothing() {
        let mut lead = Lead::new(LEAST);
        lead.learn(micros(1000), micros(1100));
        let before = lead;
        lead.learn(micros(1000), micros(999));
        assert_eq!(lead, before);
    }

    #[test]
    fn who_never_spins_never_does() {
        let mut lead = Lead::new(Duration::ZERO);
        lead.learn(micros(1000), micros(1500));
        assert_eq!(lead.get(), Duration::ZERO);
    }

    proptest! {
        #[test]
        fn it_is_always_within_its_bounds(least in 0..10_000_u64, took in prop::collection::vec(0..1_000_000_u64, 0..50)) {
            let least = Duration::from_micros(least);
            let mut lead = Lead::new(least);
            for took in took {
                lead.learn(micros(7), micros(7 + took));
                prop_assert!((least..=least * MOST).contains(&lead.get()));
            }
        }
    }
}
