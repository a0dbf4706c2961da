//! What both tokio variants share.

use std::panic;
use std::time::Duration;

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::JoinHandle;

use crate::clients::Executor;

/// Tasks of the runtime, and its timers.
#[cfg(feature = "runtime-tokio-default")]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spawned;

#[cfg(feature = "runtime-tokio-default")]
impl Executor for Spawned {
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        tokio::spawn(task);
    }

    async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

/// Tasks of the `LocalSet`, and the timers of its runtime.
#[cfg(feature = "runtime-tokio-localset")]
#[derive(Clone, Copy, Debug)]
pub(super) struct SpawnedLocal;

#[cfg(feature = "runtime-tokio-localset")]
impl Executor for SpawnedLocal {
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        tokio::task::spawn_local(task);
    }

    async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

/// Returns the output of a task. Nobody cancels an agent, so what ends without one has panicked.
pub(super) async fn joined<T>(task: JoinHandle<T>) -> T {
    task.await.unwrap_or_else(|error| panic::resume_unwind(error.into_panic()))
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
