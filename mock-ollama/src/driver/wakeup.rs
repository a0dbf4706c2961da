//! How long before a deadline the loop wakes.

use std::time::Duration;

use super::tuning::{WAKEUP_LEAD_DECAY, WAKEUP_LEAD_MARGIN, WAKEUP_LEAD_MAX_FACTOR};
use crate::clock::Instant;

/// How long before a deadline the loop wakes to spin the rest: as long as waking took lately, within bounds.
///
/// How long it takes is up to the host, and changes: tens of microseconds on one that is idle, a hundred and more where a
/// hypervisor has to start the core again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct WakeupLead {
    least: Duration,
    current: Duration,
}

impl WakeupLead {
    /// Returns a lead of at least `least`, and of at most [`WAKEUP_LEAD_MAX_FACTOR`] times that. Zero never spins.
    pub(super) fn new(least: Duration) -> Self {
        Self { least, current: least }
    }

    pub(super) fn get(self) -> Duration {
        self.current
    }

    /// Learns from a wake-up that was planned for `planned`. One that came earlier had another cause.
    pub(super) fn learn(&mut self, planned: Instant, woke: Instant) {
        if woke < planned {
            return;
        }
        let took = woke.saturating_since(planned);
        let decayed = self.current.saturating_sub(self.current.saturating_sub(self.least) / WAKEUP_LEAD_DECAY);
        let wanted = decayed.max(took.saturating_add(took / WAKEUP_LEAD_MARGIN));
        self.current = wanted.clamp(self.least, self.least * WAKEUP_LEAD_MAX_FACTOR);
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

    /// The lead after wake-ups that took these microseconds.
    fn after(took: impl IntoIterator<Item = u64>) -> Duration {
        let mut lead = WakeupLead::new(LEAST);
        for took in took {
            lead.learn(micros(1000), micros(1000 + took));
        }
        lead.get()
    }

    #[test]
    fn a_host_that_wakes_quickly_has_the_least() {
        assert_eq!(after([]), LEAST);
        assert_eq!(after([0, 20, 40, 3]), LEAST);
    }

    #[test]
    fn a_slow_wake_up_makes_the_next_lead_longer() {
        assert_eq!(after([80]), Duration::from_micros(100));
        assert_eq!(after([80, 120]), Duration::from_micros(150));
    }

    #[test]
    fn an_endless_wake_up_is_bounded_and_forgotten_in_time() {
        assert_eq!(after([5_000_000]), LEAST * 4);
        let later = after([5_000_000].into_iter().chain([10; 120]));
        assert!(later < LEAST + Duration::from_micros(5), "{later:?}");
    }

    #[test]
    fn a_wake_up_before_its_time_teaches_nothing() {
        let mut lead = WakeupLead::new(LEAST);
        lead.learn(micros(1000), micros(1100));
        let before = lead;
        lead.learn(micros(1000), micros(999));
        assert_eq!(lead, before);
    }

    #[test]
    fn a_lead_of_zero_stays_zero() {
        let mut lead = WakeupLead::new(Duration::ZERO);
        lead.learn(micros(1000), micros(1500));
        assert_eq!(lead.get(), Duration::ZERO);
    }

    proptest! {
        #[test]
        fn it_is_always_within_its_bounds(least in 0..10_000_u64, took in prop::collection::vec(0..1_000_000_u64, 0..50)) {
            let least = Duration::from_micros(least);
            let mut lead = WakeupLead::new(least);
            for took in took {
                lead.learn(micros(7), micros(7 + took));
                prop_assert!((least..=least * WAKEUP_LEAD_MAX_FACTOR).contains(&lead.get()));
            }
        }
    }
}
