//! tokio's multi-thread runtime as it comes, with reqwest on it.

use tokio::runtime::{Builder, Handle};

use super::tokio_tasks::{Spawned, describe, join_in_order};
use super::{AgentTask, Crew, RunError, Runtime, World, on_thread};
use crate::clients::{Reading, Reqwest};
use crate::transcript::{AgentLog, Transcript};
use crate::variant::Variant;
use crate::workload::Job;

/// The runtime of `tokio-default`.
pub(crate) static RUNTIME: TokioDefault = TokioDefault;

/// Each run has a multi-thread runtime of its own, with as many workers as tokio chooses.
pub(crate) struct TokioDefault;

const VARIANT: Variant = Variant::TokioDefault;

impl Runtime for TokioDefault {
    fn run(&self, job: &Job, world: &World) -> Result<Transcript, RunError> {
        drive(Crew::new(job, world, VARIANT.policy())?, spawn_each)
    }
}

/// Runs a crew whose tasks `compose` puts together.
pub(crate) fn drive<R, F>(
    crew: Crew<R>,
    compose: impl FnOnce(Vec<AgentTask>) -> F + Send,
) -> Result<Transcript, RunError>
where
    R: Reading,
    F: Future<Output = Vec<Option<AgentLog>>>,
{
    on_thread(VARIANT.name(), || {
        let runtime =
            Builder::new_multi_thread().enable_all().thread_name(VARIANT.name()).build().map_err(RunError::Executor)?;
        runtime.block_on(async { crew.work(Spawned, describe(&Handle::current()), Reqwest::new, compose).await })
    })
}

/// Every agent as a task of its own.
async fn spawn_each(agents: Vec<AgentTask>) -> Vec<Option<AgentLog>> {
    join_in_order(agents.into_iter().map(tokio::spawn).collect()).await
}
