//! The executors of the matrix: more ways to run tasks than there are variants.

use std::thread;
use std::time::Duration;

use futures::StreamExt as _;
use futures::channel::mpsc::{self, UnboundedSender};
use futures::future::{BoxFuture, join_all};
use runtime_lab::clients::Host;
use runtime_lab::runtimes::{AgentTask, RunError, on_thread};
use runtime_lab::sim::Log;
use runtime_lab::transcript::AgentLog;
use smol::LocalExecutor;
use tokio::runtime::Builder;
use tokio::task::{JoinHandle, LocalSet, spawn_local};

/// What each agent of a run leaves behind, in their order.
pub(super) type Logs = Vec<Option<AgentLog>>;

/// A run, whatever the executor: `compose` spawns the agents, `host` whatever else there is to spawn.
pub(super) trait Play: Send {
    fn on<H, F>(
        self,
        host: H,
        compose: impl FnOnce(Vec<AgentTask>) -> F,
    ) -> impl Future<Output = Result<Log, RunError>>
    where
        H: Host,
        F: Future<Output = Logs>;
}

/// An executor, and how agents and connections are spawned on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Executor {
    /// Two workers that steal from each other.
    TokioWorkers,
    /// All on one thread.
    TokioLocalSet,
    /// Agents on the calling thread, connections on two workers: whatever comes crosses threads.
    TokioRunUntil,
    /// The executor of the process, with as many threads as it likes.
    AsyncStd,
    /// All on one thread.
    SmolLocal,
    /// Two threads that steal from each other.
    SmolThreads,
}

impl Executor {
    pub(super) const ALL: [Self; 6] = [
        Self::TokioWorkers,
        Self::TokioLocalSet,
        Self::TokioRunUntil,
        Self::AsyncStd,
        Self::SmolLocal,
        Self::SmolThreads,
    ];

    /// Runs it to its end on a thread of its own.
    pub(super) fn run(self, play: impl Play) -> Result<Log, RunError> {
        on_thread("matrix", || match self {
            Self::TokioWorkers => {
                let runtime = Builder::new_multi_thread().worker_threads(2).build().map_err(RunError::Executor)?;
                runtime.block_on(play.on(Workers, |agents| joined(agents.into_iter().map(tokio::spawn).collect())))
            }
            Self::TokioLocalSet => {
                let runtime = Builder::new_current_thread().build().map_err(RunError::Executor)?;
                LocalSet::new().block_on(&runtime, play.on(Local, spawn_locally))
            }
            Self::TokioRunUntil => {
                let runtime = Builder::new_multi_thread().worker_threads(2).build().map_err(RunError::Executor)?;
                runtime.block_on(LocalSet::new().run_until(play.on(Workers, spawn_locally)))
            }
            Self::AsyncStd => async_std::task::block_on(
                play.on(AsyncStd, |agents| join_all(agents.into_iter().map(async_std::task::spawn))),
            ),
            Self::SmolLocal => on_a_local_executor(play),
            Self::SmolThreads => on_two_threads(play),
        })
    }
}

async fn spawn_locally(agents: Vec<AgentTask>) -> Logs {
    joined(agents.into_iter().map(spawn_local).collect()).await
}

async fn joined(tasks: Vec<JoinHandle<Option<AgentLog>>>) -> Logs {
    join_all(tasks).await.into_iter().map(|log| log.expect("an agent does not panic")).collect()
}

fn on_a_local_executor(play: impl Play) -> Result<Log, RunError> {
    let executor = LocalExecutor::new();
    let (queue, mut queued) = mpsc::unbounded();
    let spawn_queued = async {
        while let Some(task) = queued.next().await {
            executor.spawn(task).detach();
        }
        std::future::pending().await
    };
    let work = play.on(Queue(queue), |agents| join_all(agents.into_iter().map(|agent| executor.spawn(agent))));
    smol::block_on(executor.run(smol::future::or(work, spawn_queued)))
}

fn on_two_threads(play: impl Play) -> Result<Log, RunError> {
    // Tasks hold it through their host, so it outlives the run; they do not outlive the process.
    let executor: &smol::Executor<'static> = Box::leak(Box::default());
    let (stop, stopped) = smol::channel::bounded::<()>(1);
    thread::scope(|scope| {
        let stop = stop;
        for _ in 0..2 {
            scope.spawn(|| smol::block_on(executor.run(stopped.recv())));
        }
        let work = play.on(Threads(executor), |agents| join_all(agents.into_iter().map(|agent| executor.spawn(agent))));
        let log = smol::block_on(work);
        drop(stop);
        log
    })
}

/// No timer of any executor is asked for in virtual time.
fn never() -> ! {
    unreachable!("virtual time has timers of its own");
}

#[derive(Clone)]
struct Workers;

impl Host for Workers {
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        tokio::spawn(task);
    }

    async fn sleep(&self, _time: Duration) {
        never();
    }
}

#[derive(Clone)]
struct Local;

impl Host for Local {
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        spawn_local(task);
    }

    async fn sleep(&self, _time: Duration) {
        never();
    }
}

#[derive(Clone)]
struct AsyncStd;

impl Host for AsyncStd {
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        async_std::task::spawn(task);
    }

    async fn sleep(&self, _time: Duration) {
        never();
    }
}

/// Tasks on their way to a `LocalExecutor`, which cannot leave its thread.
#[derive(Clone)]
struct Queue(UnboundedSender<BoxFuture<'static, ()>>);

impl Host for Queue {
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        // The receiver lives as long as the executor; without it there is nothing to run on.
        let _ = self.0.unbounded_send(Box::pin(task));
    }

    async fn sleep(&self, _time: Duration) {
        never();
    }
}

#[derive(Clone)]
struct Threads(&'static smol::Executor<'static>);

impl Host for Threads {
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.0.spawn(task).detach();
    }

    async fn sleep(&self, _time: Duration) {
        never();
    }
}
