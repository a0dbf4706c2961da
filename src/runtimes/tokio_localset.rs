//! tokio's current-thread runtime with a `LocalSet`, and reqwest on it.
//!
//! The runtime has to be a current-thread one: reqwest spawns its connection tasks with `tokio::spawn`, which a
//! `LocalSet` on a multi-thread runtime leaves to the workers, so that each piece would cross threads.

use tokio::runtime::{Builder, Handle};
use tokio::task::{LocalSet, spawn_local};

use super::tokio_tasks::{SpawnedLocal, describe, join_in_order};
use super::{AgentGroup, Environment, RunError, Runtime, on_thread};
use crate::clients::Reqwest;
use crate::transcript::{AgentLog, Transcript};
use crate::variant::Variant;
use crate::workload::Job;

/// The runtime of `tokio-localset`.
pub(crate) static RUNTIME: TokioLocalset = TokioLocalset;

/// Each run has a new current-thread runtime and a new `LocalSet`.
pub(crate) struct TokioLocalset;

const VARIANT: Variant = Variant::TokioLocalset;

impl Runtime for TokioLocalset {
    fn run(&self, job: &Job, environment: &Environment) -> Result<Transcript, RunError> {
        let group = AgentGroup::new(job, environment, VARIANT.policy())?;
        on_thread(VARIANT.name(), || {
            let runtime = Builder::new_current_thread()
                .enable_all()
                .thread_name(VARIANT.name())
                .build()
                .map_err(RunError::Executor)?;
            LocalSet::new().block_on(&runtime, async {
                let executor = format!("{}, LocalSet", describe(&Handle::current()));
                group.build(SpawnedLocal, Reqwest::new)?.run(executor, spawn_each_local).await
            })
        })
    }
}

/// Spawns every agent as a task on the `LocalSet`.
async fn spawn_each_local<A>(agents: Vec<A>) -> Vec<Option<AgentLog>>
where
    A: Future<Output = Option<AgentLog>> + 'static,
{
    join_in_order(agents.into_iter().map(spawn_local).collect()).await
}
