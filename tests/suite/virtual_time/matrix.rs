//! The raw event log is one and the same: every executor, every workload, with delays and without, on one core and on
//! all.

mod executors;
mod pool;
mod shaken;
mod workloads;

use std::collections::BTreeSet;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use futures::FutureExt as _;
use mock_ollama::backend::Settings;
use mock_ollama::clock::Instant;
use mock_ollama::journal::{ConnId, StreamId};
use mock_ollama::seed::Seed;
use rstest::rstest;
use runtime_lab::chunking::ChunkPolicy;
use runtime_lab::clients::{Agent, AgentEvent, ClientError, Connection, Endpoint, Executor as _, Hyper, Net};
use runtime_lab::runtimes::{AgentGroup, Environment, RunError};
use runtime_lab::sim::{EventLog, Pipe, PipeNet, Sim};
use tokio::sync::Semaphore;

use self::executors::{AgentTask, Logs, Play, Spawner, TestExecutor};
use self::pool::Pool;
use self::shaken::Shaken;
use self::workloads::Workload;
use super::util::{job, memory, settings};
use crate::util::Scenario;

/// The seeds of the delays of n runs; each is also run once without.
#[derive(Clone, Copy)]
struct Runs(u64);

/// What both sides tell of a run.
struct Told {
    log: EventLog,
    /// The requests in the order in which the server had them, and the connections that they came on.
    requests: Vec<(Instant, StreamId, ConnId)>,
}

/// How one run of the matrix differs from another that has to tell the same.
#[derive(Clone, Copy, Debug)]
struct Cell {
    executor: TestExecutor,
    workload: Workload,
    delays: Option<Seed>,
}

impl Cell {
    fn run(self) -> Told {
        let scenario = self.workload.scenario();
        let sim = memory(&scenario, &Settings::default());
        let outcome = match self.workload {
            Workload::SharedPool => self.shake(OneForAll { scenario, sim: sim.clone() }),
            _ => self.shake(OneEach { scenario, sim: sim.clone() }),
        };
        let log = outcome.unwrap_or_else(|error| panic!("{self:?}: {error}"));
        let requests = sim.journal().entries.into_iter().map(|entry| (entry.received, entry.stream, entry.conn));
        Told { log, requests: requests.collect() }
    }

    fn shake(self, play: impl Play) -> Result<EventLog, RunError> {
        match self.delays {
            None => self.executor.run(play),
            Some(seed) => self.executor.run(Shaken { play, seed }),
        }
    }
}

/// Agents with a connection of their own, which they keep.
struct OneEach {
    scenario: Scenario,
    sim: Sim,
}

impl Play for OneEach {
    async fn on<F: Future<Output = Logs>>(
        self,
        spawner: Spawner,
        compose: impl FnOnce(Vec<AgentTask>) -> F,
    ) -> Result<EventLog, RunError> {
        let job = job(&self.scenario, "http://127.0.0.1:11434".to_owned());
        let group = AgentGroup::new(&job, &Environment::Memory(self.sim.clone()), ChunkPolicy::AsReceived)?;
        let compose = |agents: Vec<_>| compose(agents.into_iter().map(|agent| Box::pin(agent) as AgentTask).collect());
        group.build(spawner, no_sockets)?.run("matrix".to_owned(), compose).await?;
        Ok(self.sim.log())
    }
}

/// In memory nobody asks for a client.
fn no_sockets(_server: Endpoint) -> Result<Hyper<PipeNet<Spawner>>, ClientError> {
    Err(ClientError::Build("there are no sockets here".into()))
}

/// Agents that share a pool of connections.
struct OneForAll {
    scenario: Scenario,
    sim: Sim,
}

impl Play for OneForAll {
    async fn on<F: Future<Output = Logs>>(
        self,
        spawner: Spawner,
        compose: impl FnOnce(Vec<AgentTask>) -> F,
    ) -> Result<EventLog, RunError> {
        let Self { scenario, sim } = self;
        let pool = Pool::new(&sim, spawner);
        let limiter = scenario.limit.map(|permits| Arc::new(Semaphore::new(permits)));
        let agents = scenario.agents.into_iter().map(|plan| -> AgentTask {
            let name = plan.name.clone();
            let agent: Agent<_> = Agent::new(plan, pool.clone(), ChunkPolicy::AsReceived);
            Box::pin(sim.agent(&name, agent.run(limiter.clone(), sim.clone())))
        });
        let agents = agents.collect();
        drop(pool);
        play_out(&sim, agents, compose).await
    }
}

async fn play_out<F: Future<Output = Logs>>(
    sim: &Sim,
    agents: Vec<AgentTask>,
    compose: impl FnOnce(Vec<AgentTask>) -> F,
) -> Result<EventLog, RunError> {
    sim.start();
    compose(agents).await;
    sim.finished().await.map_err(Box::new)?;
    Ok(sim.log())
}

/// Runs every workload on these executors; whatever the first run tells, all others have to.
fn check(executors: &[TestExecutor], runs: Runs) {
    for workload in Workload::ALL {
        check_workload(workload, executors, runs);
    }
}

fn check_workload(workload: Workload, executors: &[TestExecutor], Runs(runs): Runs) {
    let first = Cell { executor: TestExecutor::TokioLocalSet, workload, delays: None }.run();
    compare(workload.snapshot(), &summary(&first.log));
    for &executor in executors {
        for delays in (0..runs).flat_map(|run| [None, Some(Seed(run))]) {
            let cell = Cell { executor, workload, delays };
            let told = cell.run();
            if let Some(difference) = difference(&first.log, &told.log) {
                panic!("{cell:?}: {difference}\nto repeat it: {}", settings().repeat);
            }
            assert_eq!(first.requests, told.requests, "{cell:?}");
        }
    }
}

/// The first event in which two logs differ.
fn difference(left: &EventLog, right: &EventLog) -> Option<String> {
    let (left, right) = (left.events(), right.events());
    let number = (0..left.len().max(right.len())).find(|&number| left.get(number) != right.get(number))?;
    Some(format!("event {number} was {:?}, is {:?}", left.get(number), right.get(number)))
}

/// The digest, and enough to see that the workload is what it is meant to be.
fn summary(log: &EventLog) -> String {
    let events = log.events();
    let mut ends: Vec<&str> = events
        .iter()
        .filter_map(|event| match &event.event {
            AgentEvent::Ended { how } => Some(how.as_ref()),
            _ => None,
        })
        .collect();
    ends.sort_unstable();
    let ends: Vec<String> = ends.chunk_by(|a, b| a == b).map(|same| format!("{} {}", same.len(), same[0])).collect();
    let instants = events.chunk_by(|a, b| a.at == b.at).count();
    let end = events.last().map(|event| event.at).unwrap_or_default();
    format!("{} events at {instants} instants until {end}\n{}\n{}", events.len(), ends.join(", "), log.digest())
}

/// One function, hence one snapshot of a name, whatever the executor.
fn compare(name: &str, summary: &str) {
    insta::assert_snapshot!(name, summary);
}

#[rstest]
#[case::tokio_workers(TestExecutor::TokioWorkers)]
#[case::tokio_localset(TestExecutor::TokioLocalSet)]
#[case::tokio_run_until(TestExecutor::TokioRunUntil)]
#[case::async_std(TestExecutor::AsyncStd)]
#[case::smol_local(TestExecutor::SmolLocal)]
#[case::smol_threads(TestExecutor::SmolThreads)]
fn every_run_leaves_the_same_log(#[case] executor: TestExecutor) {
    check(&[executor], Runs(5));
}

#[cfg(target_os = "linux")]
#[test]
fn every_executor_leaves_the_same_log_on_one_core() {
    pin();
    check(&TestExecutor::ALL, Runs(1));
}

#[rstest]
#[case::of_each_agent(Workload::SharedSemaphore, 12)]
#[case::of_a_pool_as_many_as_there_are_permits(Workload::SharedPool, 3)]
fn requests_come_on_the_connections(#[case] workload: Workload, #[case] connections: usize) {
    let told = Cell { executor: TestExecutor::TokioWorkers, workload, delays: None }.run();
    let used: BTreeSet<ConnId> = told.requests.iter().map(|(_, _, conn)| *conn).collect();
    assert_eq!(used.len(), connections);
}

/// Pins this thread, and with it all that it starts, to the first core that it may run on.
#[cfg(target_os = "linux")]
fn pin() {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
    let allowed = sched_getaffinity(None).unwrap();
    let mut one = CpuSet::new();
    let core = (0..CpuSet::MAX_CPU).find(|&core| allowed.is_set(core)).expect("there is a core");
    one.set(core);
    sched_setaffinity(None, &one).unwrap();
    assert_eq!(sched_getaffinity(None).unwrap().count(), 1);
}

/// Tasks that write into the log although it is not their turn.
struct Unruly {
    sim: Sim,
}

impl Play for Unruly {
    async fn on<F: Future<Output = Logs>>(
        self,
        _spawner: Spawner,
        compose: impl FnOnce(Vec<AgentTask>) -> F,
    ) -> Result<EventLog, RunError> {
        let tasks = (0..8).map(|index| -> AgentTask {
            let (sim, stream) = (self.sim.clone(), StreamId::of(&index.to_string(), 0));
            let mut left = 40;
            Box::pin(poll_fn(move |cx| {
                sim.note(&stream, AgentEvent::Sent);
                left -= 1;
                cx.waker().wake_by_ref();
                if left == 0 { Poll::Ready(None) } else { Poll::Pending }
            }))
        });
        compose(tasks.collect()).await;
        Ok(self.sim.log())
    }
}

#[test]
fn control_tasks_that_do_not_wait_for_their_turn_leave_different_logs() {
    let run = |seed| {
        let play = Unruly { sim: Sim::without_server(settings()) };
        TestExecutor::TokioWorkers.run(Shaken { play, seed: Seed(seed) }).unwrap()
    };
    let first = run(0);
    assert!((1..=100).any(|seed| difference(&first, &run(seed)).is_some()));
}

/// In-memory connections whose tasks are not registered.
#[derive(Clone)]
struct BareNet {
    sim: Sim,
    spawner: Spawner,
}

impl Net for BareNet {
    type Io = Pipe;

    async fn connect(&self, _to: Endpoint) -> std::io::Result<Pipe> {
        self.sim.connect()
    }

    fn spawn(&self, connection: Connection<Pipe>) {
        self.spawner.spawn(connection.map(drop));
    }
}

struct Bare {
    scenario: Scenario,
    sim: Sim,
}

impl Play for Bare {
    async fn on<F: Future<Output = Logs>>(
        self,
        spawner: Spawner,
        compose: impl FnOnce(Vec<AgentTask>) -> F,
    ) -> Result<EventLog, RunError> {
        let Self { scenario, sim } = self;
        let net = BareNet { sim: sim.clone(), spawner };
        let agents = scenario.agents.into_iter().map(|plan| -> AgentTask {
            let name = plan.name.clone();
            let client = Hyper::new(net.clone(), "http://127.0.0.1:11434".parse().expect("an endpoint"));
            let agent: Agent<_> = Agent::new(plan, client, ChunkPolicy::AsReceived);
            Box::pin(sim.agent(&name, agent.run(None, sim.clone())))
        });
        let agents = agents.collect();
        play_out(&sim, agents, compose).await
    }
}

#[test]
fn control_connections_that_are_not_registered_fail_on_every_executor() {
    for executor in TestExecutor::ALL {
        let scenario = Workload::TiesOnTheMs.scenario();
        let outcome = executor.run(Bare { sim: memory(&scenario, &Settings::default()), scenario });
        assert!(matches!(outcome, Err(RunError::Virtual(_))), "{executor:?}");
    }
}

/// All of it, a hundred times: `cargo nextest run --release -E 'test(/virtual_time::matrix::full/)'`.
#[cfg(not(debug_assertions))]
mod full {
    use super::*;

    #[rstest]
    fn a_hundred_runs_leave_the_same_log(
        #[values(
            TestExecutor::TokioWorkers,
            TestExecutor::TokioLocalSet,
            TestExecutor::TokioRunUntil,
            TestExecutor::AsyncStd,
            TestExecutor::SmolLocal,
            TestExecutor::SmolThreads
        )]
        executor: TestExecutor,
        #[values(
            Workload::GapsInNs,
            Workload::TiesOnTheMs,
            Workload::SharedSemaphore,
            Workload::SharedPool,
            Workload::Cancels,
            Workload::ServerErrors
        )]
        workload: Workload,
        #[values(false, true)] one_core: bool,
    ) {
        if one_core {
            #[cfg(target_os = "linux")]
            pin();
        }
        check_workload(workload, &[executor], Runs(100));
    }
}
