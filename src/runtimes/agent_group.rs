//! The agents of a run and what they share, neutral of executor.

use std::marker::PhantomData;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use futures::FutureExt as _;
use futures::future::Either;
use tokio::sync::Semaphore;

use super::environment::RealTime;
use super::{Environment, RunError, Tasks, Witnessed, thread_names};
use crate::chunking::ChunkPolicy;
use crate::clients::{Agent, AgentClock, Client, ClientError, Endpoint, Executor, Hyper, Reading, Strict};
use crate::sim::{PipeNet, TrackedClient};
use crate::transcript::{AgentLog, Introspection, Transcript};
use crate::workload::{AgentPlan, Job};

/// The agents of one run.
///
/// A runtime makes its executor and its client and spawns the agents; all else is here. `R` is how bodies are read:
/// [`Strict`], except in controls.
#[derive(Debug)]
pub struct AgentGroup<R = Strict> {
    plans: Vec<AgentPlan>,
    server: Endpoint,
    permits: Option<usize>,
    policy: ChunkPolicy,
    read_cap: Option<NonZeroUsize>,
    environment: Environment,
    reading: PhantomData<fn() -> R>,
}

impl AgentGroup {
    /// The agents of a job, under a chunk policy.
    ///
    /// Fails when the job's URL is not one.
    pub fn new(job: &Job, environment: &Environment, policy: ChunkPolicy) -> Result<Self, RunError> {
        Ok(Self {
            plans: job.agents.clone(),
            server: job.url.parse()?,
            permits: job.limit.map(usize::from),
            policy,
            read_cap: None,
            environment: environment.clone(),
            reading: PhantomData,
        })
    }
}

impl<R: Reading> AgentGroup<R> {
    /// Caps each read of a client in memory at this many bytes; a client on sockets has its own cap.
    #[must_use]
    pub fn read_cap(self, bytes: Option<NonZeroUsize>) -> Self {
        Self { read_cap: bytes, ..self }
    }

    /// Reads bodies in another way. Only controls do.
    #[cfg(feature = "controls")]
    pub(crate) fn reading<Q: Reading>(self) -> AgentGroup<Q> {
        let Self { plans, server, permits, policy, read_cap, environment, reading: _ } = self;
        AgentGroup { plans, server, permits, policy, read_cap, environment, reading: PhantomData }
    }

    /// Limits the agents to other than the job says. Only controls do.
    #[cfg(feature = "controls")]
    pub(crate) fn limited_to(self, permits: usize) -> Self {
        Self { permits: Some(permits), ..self }
    }

    /// Builds every agent for the environment that it runs in.
    ///
    /// `connect` makes the client, where the environment has sockets. The agents are `Send` where that client and `executor` are:
    /// the caller names both, so the compiler sees it there.
    pub fn build<E, C, F>(
        self,
        executor: E,
        connect: F,
    ) -> Result<BuiltAgents<impl Future<Output = Option<AgentLog>> + use<R, E, C, F>>, RunError>
    where
        E: Executor,
        C: Client,
        F: FnOnce(Endpoint) -> Result<C, ClientError> + 'static,
    {
        let sampler = ThreadSampler::new(self.plans.len());
        let environment = self.environment.clone();
        let (client, tasks): (String, Vec<_>) = match &environment {
            Environment::Wall(clock) => {
                let (client, clock) = (connect(self.server)?, RealTime { clock: Arc::clone(clock), executor });
                let (client, agents) = self.agents(client, clock);
                let tasks = agents.map(|(_, agent)| sampler.watch(Either::Left(agent.map(Some))));
                (client, tasks.collect())
            }
            Environment::Sockets(sim) => {
                let client = TrackedClient::new(connect(self.server)?, sim.clone());
                let (client, agents) = self.agents(client, sim.clone());
                let tasks =
                    agents.map(|(name, agent)| sampler.watch(Either::Right(Either::Left(sim.agent(&name, agent)))));
                (client, tasks.collect())
            }
            Environment::Memory(sim) => {
                let net = PipeNet::new(sim.clone(), executor);
                let client = Hyper::new(net, self.server).http1_read_buf_exact_size(self.read_cap);
                let (client, agents) = self.agents(client, sim.clone());
                let tasks =
                    agents.map(|(name, agent)| sampler.watch(Either::Right(Either::Right(sim.agent(&name, agent)))));
                (client, tasks.collect())
            }
        };
        Ok(BuiltAgents { tasks, environment, sampler, client })
    }

    /// What the client and the chunk policy say of themselves, and the agents by name, each with a clone of the client.
    fn agents<C: Client, L: AgentClock>(
        self,
        client: C,
        clock: L,
    ) -> (String, impl Iterator<Item = (String, impl Future<Output = AgentLog> + use<R, C, L>)>) {
        let description = format!("{}; chunks {}", client.describe(), self.policy);
        let limiter = self.permits.map(|permits| Arc::new(Semaphore::new(permits.min(Semaphore::MAX_PERMITS))));
        let count = self.plans.len();
        let agents = self.plans.into_iter().map(move |plan| {
            let name = format!("agent {}", plan.name);
            let agent = Agent::<C, R>::new(plan, client.clone(), self.policy).among(count);
            (name, agent.run(limiter.clone(), clock.clone()))
        });
        (description, agents)
    }
}

/// Agents that are ready to be spawned. Each resolves to its log, or to nothing where it did not come to its end.
pub struct BuiltAgents<A> {
    tasks: Vec<A>,
    environment: Environment,
    sampler: ThreadSampler,
    /// What the client says of itself, and the chunk policy.
    client: String,
}

impl<A> BuiltAgents<A> {
    /// Runs the agents: `spawn` spawns them on the executor and resolves to their logs in the same order.
    ///
    /// `executor` is what the executor says of itself. The last agent to end lists the process's threads, after its own
    /// last stamp, so that nobody is disturbed and every thread that took part is still there.
    pub async fn run<S: Future<Output = Vec<Option<AgentLog>>>>(
        self,
        executor: String,
        spawn: impl FnOnce(Vec<A>) -> S,
    ) -> Result<Transcript, RunError> {
        let started = self.environment.now();
        // In virtual time no agent runs before all are there. This task is outside of it and waits for its end.
        let sim = self.environment.sim();
        sim.inspect(|sim| sim.start());
        let logs = spawn(self.tasks).await;
        if let Some(sim) = sim {
            sim.finished().await.map_err(Box::new)?;
        }
        let agents: Vec<AgentLog> = logs.into_iter().flatten().collect();
        Ok(Transcript {
            started,
            ended: agents.iter().map(|agent| agent.ended).max().unwrap_or(started),
            agents,
            introspection: Introspection { executor, threads: self.sampler.threads(), client: self.client },
        })
    }
}

/// Waits for every task, in the order in which they were spawned. Returns their outputs.
pub async fn in_order<T: Future>(tasks: Vec<T>) -> Vec<T::Output> {
    let mut outputs = Vec::with_capacity(tasks.len());
    for task in tasks {
        outputs.push(task.await);
    }
    outputs
}

/// Observes the tasks of a run, and lists the process's threads when the last one ends.
struct ThreadSampler {
    tasks: Arc<Tasks>,
    at_work: Arc<AtomicUsize>,
    threads: Arc<OnceLock<Vec<String>>>,
}

impl ThreadSampler {
    fn new(agents: usize) -> Self {
        Self { tasks: Arc::default(), at_work: Arc::new(AtomicUsize::new(agents)), threads: Arc::default() }
    }

    /// The agent as a task that is observed.
    fn watch<A>(&self, agent: A) -> impl Future<Output = Option<AgentLog>> + use<A>
    where
        A: Future<Output = Option<AgentLog>>,
    {
        let witnessed = Witnessed::new(agent, Arc::clone(&self.tasks));
        let at_work = Arc::clone(&self.at_work);
        let threads = Arc::clone(&self.threads);
        async move {
            let (log, sighting) = witnessed.await;
            let mut log = log?;
            log.polled_on = sighting.polled_on;
            log.woken_by = sighting.woken_by;
            log.task = sighting.task;
            if at_work.fetch_sub(1, Ordering::AcqRel) == 1 {
                threads.get_or_init(thread_names);
            }
            Some(log)
        }
    }

    fn threads(&self) -> Vec<String> {
        self.threads.get().cloned().unwrap_or_default()
    }
}
