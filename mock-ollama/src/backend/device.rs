//! Streams that share a device.

use std::time::Duration;

use super::curve::{Curve, FULL};
use crate::clock::Instant;

/// A device on which each stream is served at a share of its solo speed, the same for all, by the number of streams.
///
/// Service is counted in exact integers (nanoseconds of solo time in millionths), so that a stream alone is served exactly as
/// recorded, and the same inputs give the same instants on every host. All streams are served alike: what one has received is
/// what the device has given since it joined, so nothing is stored for each.
#[derive(Clone, Debug, Default)]
pub struct Device {
    curve: Curve,
    streams: usize,
    /// What a stream that had been there from the start would have received …
    given: u128,
    /// … by this instant.
    counted: Instant,
    /// How fast each stream is served until the next one joins or leaves, in millionths.
    speed: u32,
}

/// What the device had given when a stream joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place(u128);

impl Device {
    /// Returns an idle device.
    pub fn new(curve: Curve) -> Self {
        Self { curve, ..Self::default() }
    }

    /// Returns whether streams slow each other down at all.
    pub fn is_shared(&self) -> bool {
        self.curve != Curve::Independent
    }

    /// Lets a stream join: from then on all are as slow as the number of streams demands.
    pub fn enter(&mut self, now: Instant) -> Place {
        self.streams += 1;
        self.set_speed(now);
        Place(self.given)
    }

    /// Lets a stream leave.
    pub fn leave(&mut self, now: Instant) {
        self.streams = self.streams.saturating_sub(1);
        self.set_speed(now);
    }

    /// Returns when a stream will have received `solo` of service since it joined, as things stand `now`.
    pub fn due(&self, place: Place, solo: Duration, now: Instant) -> Instant {
        let speed = u128::from(self.speed.max(1));
        let received = self.given_by(now).saturating_sub(place.0);
        let missing = (solo.as_nanos() * u128::from(FULL)).saturating_sub(received);
        let wait = u64::try_from(missing.div_ceil(speed)).unwrap_or(u64::MAX);
        now.saturating_add(Duration::from_nanos(wait))
    }

    /// What was given so far counts at the old speed.
    fn set_speed(&mut self, now: Instant) {
        self.given = self.given_by(now);
        self.counted = self.counted.max(now);
        self.speed = self.curve.share(self.streams);
    }

    fn given_by(&self, now: Instant) -> u128 {
        self.given + now.saturating_since(self.counted).as_nanos() * u128::from(self.speed)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(nanos: u64) -> Instant {
        Instant::from_nanos(nanos)
    }

    const fn ns(nanos: u64) -> Duration {
        Duration::from_nanos(nanos)
    }

    #[test]
    fn two_equals_at_half_speed_take_twice_as_long() {
        let mut device = Device::new("0.5".parse().unwrap());
        let place = device.enter(at(0));
        device.enter(at(0));
        assert_eq!(device.due(place, ns(1_000), at(0)), at(2_000));
    }

    #[test]
    fn a_stream_that_stays_alone_is_as_fast_as_before() {
        let mut device = Device::new("0.5".parse().unwrap());
        let place = device.enter(at(0));
        device.enter(at(100));
        assert_eq!(device.due(place, ns(1_000), at(100)), at(1_900));
        device.leave(at(500));
        // 100 alone, 200 in the 400 that it shared, 700 alone.
        assert_eq!(device.due(place, ns(1_000), at(500)), at(1_200));
    }

    #[test]
    fn what_has_been_served_already_is_due_now() {
        let mut device = Device::new(Curve::Independent);
        let place = device.enter(at(0));
        assert_eq!(device.due(place, ns(10), at(500)), at(500));
    }

    #[test]
    fn what_was_given_before_a_stream_came_is_not_its_own() {
        let mut device = Device::new("0.5".parse().unwrap());
        device.enter(at(0));
        device.leave(at(700));
        let place = device.enter(at(900));
        assert_eq!(device.due(place, ns(100), at(900)), at(1_000));
    }

    /// Comings and goings: at which instant, which stream, whether it comes.
    fn traffic() -> impl Strategy<Value = Vec<(u64, usize, bool)>> {
        prop::collection::vec((0_u64..10_000, 1_usize..5, any::<bool>()), 0..20).prop_map(|mut all| {
            all.sort_unstable();
            all
        })
    }

    fn curve() -> impl Strategy<Value = Curve> {
        prop::collection::vec(1_u32..=FULL, 1..4).prop_map(|mut shares| {
            // More streams never make each of them faster.
            shares.sort_unstable_by(|a, b| b.cmp(a));
            Curve::Shared(shares)
        })
    }

    proptest! {
        #[test]
        fn a_stream_alone_is_served_exactly_as_recorded(curve in curve(), began in 0_u64..1_000, solo in 0_u64..u64::MAX / 2) {
            let mut device = Device::new(curve);
            let place = device.enter(at(began));
            prop_assert_eq!(device.due(place, ns(solo), at(began)), at(began + solo));
        }

        #[test]
        fn service_received_is_service_needed(curve in curve(), traffic in traffic(), solo in 20_000_u64..50_000) {
            let mut device = Device::new(curve.clone());
            let place = device.enter(at(0));
            let (mut there, mut expected, mut last) = (std::collections::BTreeSet::from([0]), 0_u128, 0_u64);
            for (now, who, comes) in traffic {
                expected += u128::from(now - last) * u128::from(curve.share(there.len()));
                last = now;
                if comes && there.insert(who) {
                    device.enter(at(now));
                } else if !comes && there.remove(&who) {
                    device.leave(at(now));
                }
            }
            let speed = u128::from(curve.share(there.len()));
            let due = device.due(place, ns(solo), at(last)).as_nanos();
            let received = expected + u128::from(due - last) * speed;
            let needed = u128::from(solo) * u128::from(FULL);
            // The clock counts whole nanoseconds: at most one of them too much.
            prop_assert!(received >= needed && received < needed + speed, "{received} of {needed}");
        }

        #[test]
        fn removing_a_stream_never_delays_another(curve in curve(), others in 1_usize..5, solo in 1_u64..10_000, now in 0_u64..5_000) {
            let mut device = Device::new(curve);
            let place = device.enter(at(0));
            for _ in 0..others {
                device.enter(at(0));
            }
            let before = device.due(place, ns(solo), at(now));
            device.leave(at(now));
            prop_assert!(device.due(place, ns(solo), at(now)) <= before);
        }
    }
}
