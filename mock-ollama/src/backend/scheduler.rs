//! Queue, slots and loaded models of one server.

use super::loads::{Arrival, LoadRequest, Loads};
use super::settings::Settings;
use super::slots::Slots;
use crate::clock::Instant;
use crate::models::{KeepAlive, Runners};

/// The models that one server has loaded, its queue for loading others, and its slots (`server/sched.go`). Two servers of one
/// backend share none of them.
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
    /// Returns the scheduler of a server that has loaded nothing; `keep_alive` holds until a request states another.
    pub fn new(settings: &Settings, keep_alive: KeepAlive) -> Self {
        Self {
            loads: Loads::new(settings.loads),
            slots: Slots::new(settings.parallel),
            runners: Runners::new(keep_alive),
        }
    }

    /// Takes a request; see [`Loads::arrive`].
    pub fn arrive(&mut self, request: LoadRequest, now: Instant) -> Arrival {
        self.loads.arrive(request, &mut self.runners, now)
    }

    /// Lets the queue of loads proceed as far as it can; see [`Loads::proceed`].
    pub fn proceed(&mut self, now: Instant) -> Vec<LoadRequest> {
        self.loads.proceed(&mut self.runners, now)
    }
}
