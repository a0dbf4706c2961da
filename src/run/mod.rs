//! The conductor: child processes, blocks of runs, and a report out.
//!
//! Servers and measured runs are child processes of the program itself, so that no reactor, allocator or pool of one
//! variant lives in another's run, and none of them in the server's.
//!
//! | file | what |
//! | --- | --- |
//! | `options` | what is to be run |
//! | `plan` | the options resolved: workload, schedule, order, cost |
//! | `stage` | the folder through which parent and children talk |
//! | `child` | starting, limiting and ending a child process |
//! | `parts` | what the children do |
//! | `cores` | which cores a process may use |
//! | `clock` | real time or virtual time, and which kind of it |
//! | `measurement` | what a run leaves behind, and who is told how the runs go on |
//! | `conduct` | blocks of runs |
//! | `virtually` | runs in virtual time, in this process |
//! | `modelled` | runs of the model |
//! | `environment` | where it was measured |
//! | `output` | the report on disk |
//! | `error` | why there is no report |

mod child;
mod clock;
mod conduct;
mod cores;
mod environment;
mod error;
mod measurement;
mod modelled;
mod options;
mod output;
mod parts;
mod plan;
mod stage;
mod virtually;

pub(crate) use child::Part;
pub use clock::{ClockKind, UnknownClock};
pub use conduct::conduct;
pub(crate) use cores::{allowed_cores, keep_to};
pub(crate) use environment::{environment, load};
pub use error::RunError;
pub use measurement::Progress;
pub use options::{RunOptions, WorkloadChoice};
pub use output::{prepare_folder, spare_inputs, write_files, write_report};
pub use parts::{run_agents, run_server};
pub use plan::Plan;
pub(crate) use stage::{ServerOrders, Stage, read_json, write_json};
