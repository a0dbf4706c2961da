//! Virtual time: the same bytes, in the same order, under every executor, as fast as the host can.
//!
//! Nothing here runs tasks or replaces an executor. Every task that takes part is polled through [`SimTask`], which
//! lets one of them run at a time; when none can run and nothing is in flight, exactly one timer fires and the clock
//! jumps to it. `docs/virtual-time.md` tells how to use it for a client of one's own.
//!
//! | file | what |
//! | --- | --- |
//! | `scheduler` | [`Sim`]: which task runs next, and when the clock moves |
//! | `task` | [`SimTask`]: a future that waits for its turn |
//! | `task_table` | the tasks, and the order in which they were woken |
//! | `key` | the order of timers |
//! | `sleep` | timers on the virtual clock |
//! | `hold` | what the clock has to wait for although no task can run |
//! | `memory` | the engine behind in-memory pipes |
//! | `pipe` | the client's end of such a pipe, for hyper |
//! | `ledger` | the bytes in flight between clients and a server on sockets |
//! | `sockets` | the socket driver under virtual time |
//! | `tracked_client` | a client whose bytes are in the ledger |
//! | `log` | every event in order, and its digest |
//! | `failure` | why a run cannot continue, and what is printed then |
//! | `watchdog` | the one place where real time counts |
//! | `player` | [`Player`]: what happens next among agents that wait, some of them for a shared device |
//! | `scripts` | the scripts on the backend alone, for what a client adds |
//! | `model` | the same workload without tasks or HTTP, for scale |

mod failure;
mod hold;
mod key;
mod ledger;
mod log;
mod memory;
pub mod model;
mod pipe;
mod player;
mod scheduler;
pub mod scripts;
mod sleep;
mod sockets;
mod task;
mod task_table;
mod tracked_client;
mod watchdog;

#[cfg(test)]
mod tests;

pub use failure::{FailureReason, ParkedTask, SimFailure};
pub use hold::Hold;
pub use log::{EventDigest, EventLog, LoggedEvent};
pub use pipe::{Pipe, PipeNet};
pub use player::{Player, Rank};
pub use scheduler::{Sim, SimSettings};
pub use sleep::Sleep;
pub use sockets::{LedgerObserver, SimTimeSource};
pub use task::{Join, SimTask};
pub use tracked_client::{TrackedBody, TrackedClient};
