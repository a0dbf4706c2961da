//! Virtual time: the same bytes, in the same order, under every executor, as fast as the machine goes.
//!
//! Nothing here runs tasks or replaces an executor. Every task that takes part is polled through [`SimTask`], which
//! lets one of them run at a time; when none can run and nothing is in flight, exactly one timer fires and the clock
//! jumps to it. `docs/virtual-time.md` tells how to use it for a client of one's own.
//!
//! | file | what |
//! | --- | --- |
//! | `baton` | [`Sim`]: who runs next, and when the clock moves |
//! | `task` | [`SimTask`]: a future that waits for its turn |
//! | `sleep` | timers on the virtual clock |
//! | `hold` | what the clock has to wait for although no task can run |
//! | `memory` | the engine behind in-memory pipes |
//! | `pipe` | the client's end of such a pipe, for hyper |
//! | `sockets` | the socket driver under virtual time, and the ledger of bytes in flight |
//! | `held` | a client whose bytes are in that ledger |
//! | `log` | every event in order, and its digest |
//! | `failure` | how a run can fail to go on, and what is said of it |
//! | `watchdog` | the one place where real time counts |
//! | `scripts` | the scripts on the machine alone, for what a client adds |
//! | `model` | the same workload without tasks or HTTP, for scale |

mod baton;
mod failure;
mod hold;
mod log;
mod memory;
pub mod model;
mod pipe;
pub mod scripts;
mod sleep;
mod sockets;
mod task;
mod tracked_client;
mod watchdog;

#[cfg(test)]
mod tests;

pub use baton::{Sim, SimSettings};
pub use failure::{FailureReason, ParkedTask, SimFailure};
pub use hold::Hold;
pub use log::{EventDigest, EventLog, LoggedEvent};
pub use pipe::{Pipe, PipeNet};
pub use sleep::Sleep;
pub use sockets::{InFlightLedger, SimTimeSource};
pub use task::{Join, SimTask};
pub use tracked_client::{TrackedBody, TrackedClient};
