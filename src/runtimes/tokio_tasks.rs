//! What both tokio variants share.

use std::panic;

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::JoinHandle;

use crate::transcript::AgentLog;

/// The logs of all agents, in the order in which they were spawned.
pub(super) async fn join_in_order(tasks: Vec<JoinHandle<AgentLog>>) -> Vec<AgentLog> {
    let mut logs = Vec::with_capacity(tasks.len());
    for task in tasks {
        // Nobody cancels an agent, so what ends without a log has panicked.
        logs.push(task.await.unwrap_or_else(|error| panic::resume_unwind(error.into_panic())));
    }
    logs
}

/// What tokio says of a runtime.
pub(super) fn describe(runtime: &Handle) -> String {
    let flavor = match runtime.runtime_flavor() {
        RuntimeFlavor::CurrentThread => "current-thread",
        RuntimeFlavor::MultiThread => "multi-thread",
        _ => "unknown flavour",
    };
    let workers = runtime.metrics().num_workers();
    format!("tokio, {flavor}, {workers} worker{}", if workers == 1 { "" } else { "s" })
}
