//! Where the driver's instants come from.

use std::num::NonZeroUsize;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::poll::LoopWaker;
use super::tuning::MAX_CHUNKS_PER_WRITE;
use crate::clock::{Clock, Instant, WallAnchor};
use crate::engine::Engine;

/// A clock that the event loop can wait on.
pub trait TimeSource: Clock + 'static {
    /// Is called before the loop starts: a clock that does not move by itself keeps `waker` for when it does.
    fn attach(&self, waker: LoopWaker) {
        drop(waker);
    }

    /// Returns the instant at which the engine's next event, due at `due`, happens, if it may happen now. `known` is the latest
    /// instant that the loop has read, so that what was due by then needs no look at the clock.
    ///
    /// Is called before each event: virtual time lets them happen one by one.
    fn admits(&self, due: Instant, known: Instant) -> Option<Instant> {
        if due <= known {
            return Some(known);
        }
        let now = self.now();
        (due <= now).then_some(now)
    }

    /// Returns how many chunks of a late stream may leave as one event. With one, events also happen one at a time.
    fn max_batch(&self) -> NonZeroUsize {
        MAX_CHUNKS_PER_WRITE
    }

    /// Returns how long the loop, which has nothing to do, may wait in real time for the engine's next event; `None` to wait for
    /// sockets, commands and its waker alone.
    fn timeout(&self, engine: &Engine) -> Option<Duration> {
        engine.poll_due().map(|next| next.saturating_since(self.now()))
    }

    /// Returns which wall-clock time the instants stand for. Is called once, at the start.
    fn wall(&self) -> WallAnchor {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        WallAnchor { at: self.now(), unix_nanos: u64::try_from(since.as_nanos()).unwrap_or(u64::MAX) }
    }
}

/// `CLOCK_MONOTONIC`: instants of all processes of a host compare.
///
/// Off Unix the origin is the first reading in the process, and instants compare within the process alone.
#[derive(Clone, Copy, Debug, Default)]
pub struct Monotonic;

impl Clock for Monotonic {
    fn now(&self) -> Instant {
        Instant::from_nanos(monotonic_nanos())
    }
}

impl TimeSource for Monotonic {}

#[cfg(target_os = "linux")]
fn monotonic_nanos() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    let (seconds, nanos) = (u64::try_from(time.tv_sec), u64::try_from(time.tv_nsec));
    seconds.unwrap_or(0) * 1_000_000_000 + nanos.unwrap_or(0)
}

#[cfg(not(target_os = "linux"))]
fn monotonic_nanos() -> u64 {
    use std::sync::OnceLock;
    static ORIGIN: OnceLock<std::time::Instant> = OnceLock::new();
    u64::try_from(ORIGIN.get_or_init(std::time::Instant::now).elapsed().as_nanos()).unwrap_or(u64::MAX)
}
