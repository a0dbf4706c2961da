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

mod curve;
mod device;
mod loads;
mod settings;
mod slots;

pub use curve::{Curve, CurveError};
pub use device::Device;
pub use loads::{Arrival, BUSY, Limits, Loads, Turn};
pub use settings::Settings;
pub use slots::Slots;

/// The machine: each of its places. By default nothing in it makes anybody wait.
#[derive(Debug)]
pub struct Backend {
    /// Requests whose model is not loaded.
    pub loads: Loads,
    /// Requests for models that are.
    pub slots: Slots,
    /// Answers on their way.
    pub device: Device,
}

impl Backend {
    /// A machine on which nothing runs.
    pub fn new(settings: &Settings) -> Self {
        Self {
            loads: Loads::new(settings.loads),
            slots: Slots::new(settings.parallel),
            device: Device::new(settings.share.clone()),
        }
    }
}

impl Default for Backend {
    fn default() -> Self {
        Self::new(&Settings::default())
    }
}
