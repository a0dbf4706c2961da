//! Points in time, and who may say what time it is.
//!
//! Library code never reads a wall clock: it is handed an [`Instant`] and answers with the next one it cares about.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A point on a monotonic clock, in nanoseconds since that clock's origin.
///
/// In real time the clock is `CLOCK_MONOTONIC`, so instants of two processes on one machine compare;
/// in virtual time it starts at zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Instant(u64);

impl Instant {
    /// The clock's origin.
    pub const ZERO: Self = Self(0);

    /// The instant `nanos` nanoseconds after the clock's origin.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the clock's origin.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// The time from `earlier` to `self`, zero when `earlier` is later.
    pub const fn saturating_since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// The instant `later` after this one, at most the end of the clock (584 years).
    #[must_use]
    pub fn saturating_add(self, later: Duration) -> Self {
        let nanos = u64::try_from(later.as_nanos()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(nanos))
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:09} s", self.0 / 1_000_000_000, self.0 % 1_000_000_000)
    }
}

/// Something that can be asked for the time.
///
/// Clients stamp what they see with it; the driver hands its answers to the engine.
pub trait Clock: Send + Sync {
    /// The current instant.
    fn now(&self) -> Instant;
}

/// Which wall-clock time an [`Instant`] stands for: the one place where the two meet.
///
/// The driver reads the wall clock once, at the start; under virtual time it is a constant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WallAnchor {
    /// An instant …
    pub at: Instant,
    /// … and the nanoseconds since 1970 at that instant.
    pub unix_nanos: u64,
}

impl WallAnchor {
    /// Nanoseconds since 1970 at `now`.
    pub fn unix_nanos(self, now: Instant) -> u64 {
        let since = now.as_nanos().saturating_sub(self.at.as_nanos());
        self.unix_nanos.saturating_add(since)
    }
}
