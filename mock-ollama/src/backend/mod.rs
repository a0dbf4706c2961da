//! The backend: which requests may run, and how fast. Pure: instants are handed in, and answers are instants.
//!
//! A request passes up to three places, each of which may be absent:
//!
//! 1. `loads`: its model is loaded, or it waits for that in one queue for all models (`server/sched.go`).
//! 2. `slots`: it has one of its model's slots, or waits for one, first in first out (`OLLAMA_NUM_PARALLEL`).
//! 3. `device`: its tokens come as fast as the number of streams allows.
//!
//! | file | what |
//! | --- | --- |
//! | `curve` | each stream's share of its solo speed, by the number of streams |
//! | `device` | streams that share a device |
//! | `slots` | how many requests a model serves at once |
//! | `loads` | the queue of requests whose model is not loaded |
//! | `scheduler` | queue, slots and loaded models of one server |
//! | `settings` | the settings of all of it |
//!
//! Several servers may share a backend, as two `ollama serve` on one host do: each has a scheduler, and they have one device.

mod curve;
mod device;
mod loads;
mod scheduler;
mod settings;
mod slots;

pub use curve::{Curve, CurveError};
pub use device::{Device, Place};
pub use loads::{Arrival, BUSY, LoadLimits, LoadRequest, Loads};
pub use scheduler::Scheduler;
pub use settings::Settings;
pub use slots::Slots;
