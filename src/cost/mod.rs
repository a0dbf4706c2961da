//! What a token costs the client: each variant against a floor that is measured in the same rounds.
//!
//! | file | what |
//! | --- | --- |
//! | `who` | the floor, or a variant |
//! | `plan` | the options resolved: sizes, paces, order, time |
//! | `tape` | the recording that is served, and who asks for it |
//! | `conduct` | rounds of child processes |
//! | `part` | what the child does that is measured |
//! | `floor` | the least client there is: sockets and epoll |
//! | `meter` | what a process has used so far |
//! | `calls` | system calls, counted by the kernel where it may |
//! | `metric` | what is measured, and from which difference on it matters |
//! | `tally` | one measurement, per token and per agent |
//! | `model`, `summary` | medians, intervals, ratios to the floor, and what the evidence separates |
//! | `page`, `json` | all of it as Markdown, and for programs with its schema |
//! | `error` | why there is no page |

mod calls;
mod conduct;
mod error;
#[cfg(target_os = "linux")]
mod floor;
mod json;
mod meter;
mod metric;
mod model;
mod page;
mod part;
mod plan;
mod summary;
mod tally;
mod tape;
mod who;

pub use conduct::measure;
pub use error::CostError;
pub use json::{json, schema};
pub use meter::Allocated;
pub use metric::Metric;
pub use model::{CostReport, Decided, Estimate, Format, LeftOut, Row, SeparatedPair, Size};
pub use page::page;
pub use part::run_part;
pub use plan::{CostOptions, CostPlan};
pub use who::{UnknownWho, Who};
