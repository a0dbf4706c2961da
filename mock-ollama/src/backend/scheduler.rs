//! What each server has for itself.

use super::{Arrival, Loads, Settings, Slots, Turn};
use crate::clock::Instant;
use crate::models::{KeepAlive, Runners};

/// What each server has for itself: the models that it has loaded, the queue for loading others, and places at models
/// (`server/sched.go`). Two servers of one machine share neither.
#[derive(Debug)]
pub struct Scheduler {
    /// Requests whose model is not loaded.
    pub loads: Loads,
    /// Requests for models that are.
    pub slots: Slots,
    /// The models that are loaded.
    pub runners: Runners,
}

impl Scheduler {
    /// A server that has loaded nothing; `keep_alive` holds until a request says otherwise.
    pub fn new(settings: &Settings, keep_alive: KeepAlive) -> Self {
        Self {
            loads: Loads::new(settings.loads),
            slots: Slots::new(settings.parallel),
            runners: Runners::new(keep_alive),
        }
    }

    /// A request comes; see [`Loads::arrive`].
    pub fn arrive(&mut self, turn: Turn, now: Instant) -> Arrival {
        self.loads.arrive(turn, &mut self.runners, now)
    }

    /// The queue of loads goes on as far as it can; see [`Loads::proceed`].
    pub fn proceed(&mut self, now: Instant) -> Vec<Turn> {
        self.loads.proceed(&mut self.runners, now)
    }
}
