//! The executors of the matrix: more ways to run tasks than there are variants.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use futures::StreamExt as _;
use futures::channel::mpsc;
use futures::future::{BoxFuture, join_all};
use runtime_lab::clients::Executor;
use runtime_lab::runtimes::{RunError, on_thread};
use runtime_lab::sim::EventLog;
use runtime_lab::transcript::AgentLog;
use smol::LocalExecutor;
use tokio::runtime::Builder;
use tokio::task::{JoinHandle, LocalSet, spawn_local};

/// An agent that any executor can spawn.
pub(super) type AgentTask = BoxFuture<'static, Option<AgentLog>>;

/// What each agent of a run leaves behind, in their order.
pub(super) type Logs = Vec<Option<AgentLog>>;

/// Spawns connections. One type for all executors, so that agents are `Send` whichever it is.
#[derive(Clone)]
pub(super) struct Spawner(Arc<dyn Fn(BoxFuture<'static, ()>) + Send + Sync>);

impl Spawner {
    pub(super) fn new(spawn: impl Fn(BoxFuture<'static, ()>) + Send + Sync + 'static) -> Self {
        Self(Arc::new(spawn))
    }
}

impl Executor for Spawner {
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        (self.0)(Box::pin(task));
    }

    async fn sleep(&self, _time: Duration) {
        unreachable!("virtual time has timers of its own");
    }
}

/// A run, whatever the executor: `compose` spawns the agents, `spawner` the connections.
pub(super) trait Play: Send {
    fn on<F: Future<Output = Logs>>(
        self,
        spawner: Spawner,
        compose: impl FnOnce(Vec<AgentTask>) -> F,
    ) -> impl Future<Output = Result<EventLog, RunError>>;
}

/// An executor, and how agents and connections are spawned on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TestExecutor {
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

impl TestExecutor {
    pub(super) const ALL: [Self; 6] = [
        Self::TokioWorkers,
        Self::TokioLocalSet,
        Self::TokioRunUntil,
        Self::AsyncStd,
        Self::SmolLocal,
        Self::SmolThreads,
    ];

    /// Runs it to its end on a thread of its own.
    pub(super) fn run(self, play: impl Play) -> Result<EventLog, RunError> {
        on_thread("matrix", || match self {
            Self::TokioWorkers => {
                let runtime = Builder::new_multi_thread().worker_threads(2).build().map_err(RunError::Executor)?;
                runtime.block_on(play.on(workers(), |agents| joined(agents.into_iter().map(tokio::spawn).collect())))
            }
            Self::TokioLocalSet => {
                let runtime = Builder::new_current_thread().build().map_err(RunError::Executor)?;
                LocalSet::new().block_on(&runtime, play.on(Spawner::new(|task| drop(spawn_local(task))), spawn_locally))
            }
            Self::TokioRunUntil => {
                let runtime = Builder::new_multi_thread().worker_threads(2).build().map_err(RunError::Executor)?;
                runtime.block_on(LocalSet::new().run_until(play.on(workers(), spawn_locally)))
            }
            Self::AsyncStd => {
                async_std::task::block_on(play.on(Spawner::new(|task| drop(async_std::task::spawn(task))), |agents| {
                    join_all(agents.into_iter().map(async_std::task::spawn))
                }))
            }
            Self::SmolLocal => on_a_local_executor(play),
            Self::SmolThreads => on_two_threads(play),
        })
    }
}

fn workers() -> Spawner {
    Spawner::new(|task| drop(tokio::spawn(task)))
}

async fn spawn_locally(agents: Vec<AgentTask>) -> Logs {
    joined(agents.into_iter().map(spawn_local).collect()).await
}

async fn joined(tasks: Vec<JoinHandle<Option<AgentLog>>>) -> Logs {
    join_all(tasks).await.into_iter().map(|log| log.expect("an agent does not panic")).collect()
}

fn on_a_local_executor(play: impl Play) -> Result<EventLog, RunError> {
    let executor = LocalExecutor::new();
    let (queue, mut queued) = mpsc::unbounded();
    let spawn_queued = async {
        while let Some(task) = queued.next().await {
            executor.spawn(task).detach();
        }
        std::future::pending().await
    };
    // The receiver lives as long as the executor; without it there is nothing to run on.
    let spawner = Spawner::new(move |task| drop(queue.unbounded_send(task)));
    let work = play.on(spawner, |agents| join_all(agents.into_iter().map(|agent| executor.spawn(agent))));
    smol::block_on(executor.run(smol::future::or(work, spawn_queued)))
}

fn on_two_threads(play: impl Play) -> Result<EventLog, RunError> {
    // Tasks hold it through their spawner, so it outlives the run; they do not outlive the process.
    let executor: &smol::Executor<'static> = Box::leak(Box::default());
    let (stop, stopped) = smol::channel::bounded::<()>(1);
    thread::scope(|scope| {
        let stop = stop;
        for _ in 0..2 {
            scope.spawn(|| smol::block_on(executor.run(stopped.recv())));
        }
        let work = play.on(Spawner::new(|task| executor.spawn(task).detach()), |agents| {
            join_all(agents.into_iter().map(|agent| executor.spawn(agent)))
        });
        let log = smol::block_on(work);
        drop(stop);
        log
    })
}
