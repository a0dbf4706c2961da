//! tokio's multi-thread runtime as it comes, with reqwest on it.

use tokio::runtime::{Builder, Handle};

pub(crate) use super::tokio_tasks::Spawned;
use super::tokio_tasks::{describe, joined};
use super::{AgentGroup, Environment, RunError, Runtime, in_order, on_thread};
use crate::clients::Reqwest;
use crate::transcript::Transcript;
use crate::variant::Variant;
use crate::workload::Job;

/// The runtime of `tokio-default`.
pub(crate) static RUNTIME: TokioDefault = TokioDefault;

/// Each run has a new multi-thread runtime, with as many workers as tokio chooses.
pub(crate) struct TokioDefault;

const VARIANT: Variant = Variant::TokioDefault;

impl Runtime for TokioDefault {
    fn run(&self, job: &Job, environment: &Environment) -> Result<Transcript, RunError> {
        let group = AgentGroup::new(job, environment, VARIANT.policy())?;
        block_on(async |executor| {
            let spawn = |agents: Vec<_>| in_order(agents.into_iter().map(tokio::spawn).map(joined).collect());
            group.build(Spawned, Reqwest::new)?.run(executor, spawn).await
        })
    }
}

/// Runs `work` on a new runtime, and hands it the runtime's description.
pub(crate) fn block_on(
    work: impl AsyncFnOnce(String) -> Result<Transcript, RunError> + Send,
) -> Result<Transcript, RunError> {
    on_thread(VARIANT.name(), || {
        let runtime =
            Builder::new_multi_thread().enable_all().thread_name(VARIANT.name()).build().map_err(RunError::Executor)?;
        runtime.block_on(async { work(describe(&Handle::current())).await })
    })
}
