//! tokio's current-thread runtime with a `LocalSet`, and reqwest on it.
//!
//! The runtime has to be a current-thread one: reqwest spawns its connection tasks with `tokio::spawn`, which a
//! `LocalSet` on a multi-thread runtime leaves to the workers, so that each piece would cross threads.

use tokio::runtime::{Builder, Handle};
use tokio::task::{LocalSet, spawn_local};

use super::tokio_tasks::{SpawnedLocal, describe, joined};
use super::{AgentGroup, Environment, RunError, Runtime, in_order, on_thread};
use crate::clients::Reqwest;
use crate::transcript::Transcript;
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
                let spawn = |agents: Vec<_>| in_order(agents.into_iter().map(spawn_local).map(joined).collect());
                group.build(SpawnedLocal, Reqwest::new)?.run(executor, spawn).await
            })
        })
    }
}
