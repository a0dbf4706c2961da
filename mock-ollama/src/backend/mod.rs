//! The machine behind the server: who may run, and how fast. Pure: instants are handed in, and answers are instants.
//!
//! A request passes up to three places, each of which may be absent:
//!
//! 1. `loads`: its model is loaded, or waits for that in one queue for all models (`server/sched.go`);
//! 2. `slots`: it has one of its model's slots, or waits for it, first in first out (`OLLAMA_NUM_PARALLEL`);
//! 3. `device`: its tokens come as fast as those of the others allow.
//!
//! | file | what |
//! | --- | --- |
//! | `curve` | how much of its speed a stream has left among so many |
//! | `device` | streams that share a device |
//! | `slots` | places at a model |
//! | `settings` | how all of it is set |
//! | `loads` | the queue of requests whose model is not loaded |
//! | `scheduler` | what each server has for itself: queue, slots, and the models that it has loaded |
//!
//! Several servers may share a machine, as two `ollama serve` do: each has a scheduler, and they have one device.

mod curve;
mod device;
mod loads;
mod scheduler;
mod settings;
mod slots;

use std::collections::BTreeMap;

use crate::journal::ServerId;
use crate::models::KeepAlive;

pub use curve::{Curve, CurveError};
pub use device::{Device, Flow, Place};
pub use loads::{Arrival, BUSY, Limits, Loads, Turn};
pub use scheduler::Scheduler;
pub use settings::Settings;
pub use slots::Slots;

/// The machine: a scheduler for each server, and one device. By default nothing in it makes anybody wait.
#[derive(Debug)]
pub struct Backend {
    settings: Settings,
    keep_alive: KeepAlive,
    schedulers: BTreeMap<ServerId, Scheduler>,
    /// Answers on their way, whichever server they come from.
    pub device: Device,
}

impl Backend {
    /// A machine on which nothing runs; `keep_alive` holds on every server until a request says otherwise.
    pub fn new(settings: Settings, keep_alive: KeepAlive) -> Self {
        Self { device: Device::new(settings.share.clone()), settings, keep_alive, schedulers: BTreeMap::new() }
    }

    /// What this server has for itself; all servers are set alike.
    pub fn scheduler(&mut self, server: ServerId) -> &mut Scheduler {
        self.schedulers.entry(server).or_insert_with(|| Scheduler::new(&self.settings, self.keep_alive))
    }
}
