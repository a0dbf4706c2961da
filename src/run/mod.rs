//! The conductor: child processes, blocks of runs, and a report out.
//!
//! Servers and measured runs are child processes of the program itself, so that no reactor, allocator or pool of one
//! variant lives in another's run, and none of them in the server's.
//!
//! | file | what |
//! | --- | --- |
//! | `options` | what is to be run |
//! | `plan` | the options resolved: workload, schedule, order, cost |
//! | `workdir` | the folder through which parent and children talk, and the round that they play |
//! | `child` | starting, limiting and ending a child process |
//! | `child_main` | what the children do |
//! | `cores` | which cores a process may use |
//! | `clock` | real time or virtual time, and which kind of it |
//! | `measurement` | what a run leaves behind, and the observer of its progress |
//! | `conduct` | blocks of runs |
//! | `virtual_time` | runs in virtual time, in this process |
//! | `model_run` | runs of the model |
//! | `environment` | where it was measured |
//! | `error` | why there is no report |

mod child;
mod child_main;
mod clock;
mod conduct;
mod cores;
mod environment;
mod error;
mod measurement;
mod model_run;
mod options;
mod plan;
mod virtual_time;
mod workdir;

pub use child_main::{run_agents, run_server};
pub use clock::{ClockKind, UnknownClock};
pub use conduct::conduct;
pub(crate) use cores::{allowed_cores, keep_to};
pub(crate) use environment::{environment, load};
pub use error::RunError;
pub use measurement::ProgressObserver;
pub use options::{RunOptions, WorkloadChoice};
pub use plan::Plan;
pub use virtual_time::replay;
pub(crate) use workdir::{ServerConfigFile, Workdir, read_json, write_json};
