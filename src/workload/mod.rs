//! Who asks what: agents, their requests, and the recordings that answer them.
//!
//! | module | what |
//! | --- | --- |
//! | [`mod@file`] | the TOML form, and how names in it become recordings |
//! | [`built_in`] | the workloads that come with the program, and how `--workload` finds one |
//! | `plan` | a workload with every name resolved |

pub mod built_in;
pub mod file;
mod plan;

pub use built_in::{BuiltIn, SelectError, select};
pub use file::{Library, WorkloadError, WorkloadFile};
pub use plan::{AgentBehavior, AgentPlan, Job, RequestPlan, Workload};

#[cfg(test)]
pub(crate) mod fixture;
