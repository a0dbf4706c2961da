//! The table of controls.

use std::num::NonZeroUsize;

use super::hidden_tokio::HiddenTokio;
use super::joined::join_in_one_task;
use super::readings::{IgnoresMissingDone, LossyUtf8};
use crate::chunking::ChunkPolicy;
use crate::clients::{Hyper, Reqwest};
use crate::runtimes::{AgentGroup, Environment, RunError, Runtime, async_std, smol, tokio_default};
use crate::transcript::Transcript;
use crate::variant::Variant;
use crate::workload::Job;

/// A runtime that is wrong in one way.
#[derive(Clone, Copy)]
pub struct Control {
    /// The name, as reports and tests spell it.
    pub name: &'static str,
    /// What it claims to be.
    pub claims: Variant,
    /// What is wrong with it.
    pub fault: &'static str,
    /// What a gate must see to reject it.
    pub betrayed_by: &'static str,
    /// It, ready to run.
    pub runtime: &'static dyn Runtime,
}

/// All controls, in the order of reports.
pub const ALL: &[Control] = &[
    Control {
        name: "mutex-called-semaphore",
        claims: Variant::AsyncStd,
        fault: "a limiter of two that lets one agent through at a time",
        betrayed_by: "agents that the limit admits are never in flight together",
        runtime: &Wrong(mutex_called_semaphore),
    },
    Control {
        name: "accumulate-1kb",
        claims: Variant::Smol1kb,
        fault: "reads are collected until there are 1024 bytes, and called reads of at most 1024",
        betrayed_by: "pieces of more than 1024 bytes, and lines that were held back",
        runtime: &Wrong(accumulate_1kb),
    },
    Control {
        name: "lossy-utf8",
        claims: Variant::Smol1kb,
        fault: "each piece is decoded on its own, so that a character across two pieces is replaced",
        betrayed_by: "the bytes of the body are not those that were served",
        runtime: &Wrong(lossy_utf8),
    },
    Control {
        name: "ignores-missing-done",
        claims: Variant::Smol,
        fault: "a stream without a final object is a success, and lines that are wrong are skipped",
        betrayed_by: "a stream that was served broken is reported as done",
        runtime: &Wrong(ignores_missing_done),
    },
    Control {
        name: "hidden-tokio",
        claims: Variant::Smol,
        fault: "every call runs on a hidden tokio runtime of two workers; smol only awaits it",
        betrayed_by: "threads that are none of smol's wake the agents",
        runtime: &Wrong(hidden_tokio),
    },
    Control {
        name: "joined-not-spawned",
        claims: Variant::TokioDefault,
        fault: "all agents are joined in one task, and called spawned",
        betrayed_by: "all agents have the same task number",
        runtime: &Wrong(joined_not_spawned),
    },
];

/// A run that is a clean one but for its fault.
struct Wrong(fn(&Job, &Environment) -> Result<Transcript, RunError>);

impl Runtime for Wrong {
    fn run(&self, job: &Job, environment: &Environment) -> Result<Transcript, RunError> {
        self.0(job, environment)
    }
}

fn mutex_called_semaphore(job: &Job, environment: &Environment) -> Result<Transcript, RunError> {
    async_std::drive(AgentGroup::new(job, environment, Variant::AsyncStd.policy())?.limited_to(1))
}

fn accumulate_1kb(job: &Job, environment: &Environment) -> Result<Transcript, RunError> {
    const COLLECTED: NonZeroUsize = NonZeroUsize::new(1024).expect("it is not 0");
    let group = AgentGroup::new(job, environment, ChunkPolicy::AtLeast(COLLECTED))?;
    smol::drive(Variant::Smol1kb.name(), group, |net, server| Ok(Hyper::new(net, server)))
}

fn lossy_utf8(job: &Job, environment: &Environment) -> Result<Transcript, RunError> {
    let claims = Variant::Smol1kb;
    let group = AgentGroup::new(job, environment, claims.policy())?.read_cap(claims.read_cap()).reading::<LossyUtf8>();
    smol::drive(claims.name(), group, move |net, server| {
        Ok(Hyper::new(net, server).http1_read_buf_exact_size(claims.read_cap()))
    })
}

fn ignores_missing_done(job: &Job, environment: &Environment) -> Result<Transcript, RunError> {
    let group = AgentGroup::new(job, environment, Variant::Smol.policy())?.reading::<IgnoresMissingDone>();
    smol::drive(Variant::Smol.name(), group, |net, server| Ok(Hyper::new(net, server)))
}

fn hidden_tokio(job: &Job, environment: &Environment) -> Result<Transcript, RunError> {
    let group = AgentGroup::new(job, environment, Variant::Smol.policy())?;
    smol::drive(Variant::Smol.name(), group, |_net, server| HiddenTokio::new(server))
}

fn joined_not_spawned(job: &Job, environment: &Environment) -> Result<Transcript, RunError> {
    let group = AgentGroup::new(job, environment, Variant::TokioDefault.policy())?;
    tokio_default::block_on(async |executor| {
        group.build(tokio_default::Spawned, Reqwest::new)?.run(executor, join_in_one_task).await
    })
}
