//! What a token costs the client: each variant against a floor that is measured in the same rounds.
//!
//! Linux only: it reads `/proc` and waits in epoll.
//!
//! | file | what |
//! | --- | --- |
//! | `subject` | the floor, or a variant |
//! | `plan` | the options resolved: sizes, paces, order, time |
//! | `recording` | the recording that is served, and the agents that ask for it |
//! | `conduct` | rounds of child processes |
//! | `child_main` | what the child does that is measured |
//! | `floor` | the least client there is: sockets and epoll |
//! | `meter` | what a process has used so far |
//! | `calls` | system calls, counted by the kernel where it may |
//! | `metric` | what is measured, and from which difference on it matters |
//! | `measurements` | one measurement, per token and per agent |
//! | `model`, `summary` | medians, intervals, ratios to the floor, and what the evidence separates |
//! | `page` | all of it as Markdown |
//! | `error` | why there is no page |

mod calls;
mod child_main;
mod conduct;
mod error;
mod floor;
mod measurements;
mod meter;
mod metric;
mod model;
mod page;
mod plan;
mod recording;
mod subject;
mod summary;

pub use child_main::run_child;
pub use conduct::measure;
pub use error::CostError;
pub use meter::Allocated;
pub use metric::Metric;
pub use model::{CostReport, CostRow, Decided, Estimate, Format, LeftOut, SeparatedPair, Size};
pub use page::page;
pub use plan::{CostOptions, CostPlan};
pub use subject::Subject;

use crate::report::{Output, json};

/// The files of a report.
pub const OUTPUTS: &[Output<CostReport>] =
    &[Output { file_name: "cost.md", render: page }, Output { file_name: "cost.json", render: json::pretty }];
