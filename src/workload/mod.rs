//! Who asks what: agents, their requests, and the recordings that answer them.

mod plan;

pub use plan::{AgentPlan, Job, RequestPlan, Workload};
