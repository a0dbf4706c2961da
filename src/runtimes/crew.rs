//! The agents of a run and all that they share, neutral of executor.

use std::marker::PhantomData;
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use futures::FutureExt as _;
use mock_ollama::clock::Instant;
use tokio::sync::Semaphore;

use super::world::RealTime;
use super::{RunError, Tasks, Witnessed, World, thread_names};
use crate::chunking::ChunkPolicy;
use crate::clients::{Agent, Client, ClientError, Endpoint, Host, Hyper, Lab, Reading, Strict};
use crate::sim::{Held, PipeNet, Sim};
use crate::transcript::{AgentLog, Introspection, Transcript};
use crate::workload::{AgentPlan, Job};

/// One agent, ready to be spawned. Without a log it did not come to its end.
pub type AgentTask = Pin<Box<dyn Future<Output = Option<AgentLog>> + Send>>;

/// The agents of one run.
///
/// A runtime makes its executor and its client and says how tasks are composed; all else is here. `R` is how bodies are
/// read: [`Strict`], except in controls.
#[derive(Debug)]
pub struct Crew<R = Strict> {
    plans: Vec<AgentPlan>,
    server: Endpoint,
    permits: Option<usize>,
    policy: ChunkPolicy,
    read_cap: Option<NonZeroUsize>,
    world: World,
    reading: PhantomData<fn() -> R>,
}

impl Crew {
    /// The agents of a job, under a chunk policy.
    ///
    /// Fails when the job's URL is not one.
    pub fn new(job: &Job, world: &World, policy: ChunkPolicy) -> Result<Self, RunError> {
        Ok(Self {
            plans: job.agents.clone(),
            server: job.url.parse()?,
            permits: job.limit.map(usize::from),
            policy,
            read_cap: None,
            world: world.clone(),
            reading: PhantomData,
        })
    }
}

impl<R: Reading> Crew<R> {
    /// Caps each read of a client in memory at so many bytes; a client on sockets has its own cap.
    #[must_use]
    pub fn read_cap(self, bytes: Option<NonZeroUsize>) -> Self {
        Self { read_cap: bytes, ..self }
    }

    /// Reads bodies in another way. Only controls do.
    #[cfg(feature = "controls")]
    pub(crate) fn reading<Q: Reading>(self) -> Crew<Q> {
        let Self { plans, server, permits, policy, read_cap, world, reading: _ } = self;
        Crew { plans, server, permits, policy, read_cap, world, reading: PhantomData }
    }

    /// Limits the agents to other than the job says. Only controls do.
    #[cfg(feature = "controls")]
    pub(crate) fn limited_to(self, permits: usize) -> Self {
        Self { permits: Some(permits), ..self }
    }

    /// Runs the agents in their world: `compose` spawns them on the executor and resolves to their logs in the same
    /// order.
    ///
    /// `executor` is what the executor says of itself; `connect` makes the client, where the world has sockets. The last
    /// agent to end lists the process's threads, after its own last stamp, so that nobody is disturbed and every thread
    /// that took part is still there.
    pub async fn work<H, C, F>(
        self,
        host: H,
        executor: String,
        connect: impl FnOnce(Endpoint) -> Result<C, ClientError>,
        compose: impl FnOnce(Vec<AgentTask>) -> F,
    ) -> Result<Transcript, RunError>
    where
        H: Host,
        C: Client,
        F: Future<Output = Vec<Option<AgentLog>>>,
    {
        match self.world.clone() {
            World::Wall(clock) => {
                let client = connect(self.server)?;
                let cast = self.cast(&client, &RealTime { clock: Arc::clone(&clock), host });
                let roster = Roster::new(cast.agents.len());
                let tasks = cast.agents.into_iter().map(|(_, agent)| roster.enlist(agent.map(Some))).collect();
                drop(client);
                let started = clock.now();
                let logs = compose(tasks).await;
                Ok(transcript(started, logs, executor, roster.threads(), cast.description))
            }
            World::Sockets(sim) => {
                let client = Held::new(connect(self.server)?, sim.clone());
                self.work_virtually(&sim, client, executor, compose).await
            }
            World::Memory(sim) => {
                let net = PipeNet::new(sim.clone(), host);
                let client = Hyper::new(net, self.server).http1_read_buf_exact_size(self.read_cap);
                self.work_virtually(&sim, client, executor, compose).await
            }
        }
    }

    async fn work_virtually<C, F>(
        self,
        sim: &Sim,
        client: C,
        executor: String,
        compose: impl FnOnce(Vec<AgentTask>) -> F,
    ) -> Result<Transcript, RunError>
    where
        C: Client,
        F: Future<Output = Vec<Option<AgentLog>>>,
    {
        let cast = self.cast(&client, sim);
        drop(client);
        let roster = Roster::new(cast.agents.len());
        let agents = cast.agents.into_iter().map(|(name, agent)| roster.enlist(sim.agent(&name, agent)));
        let tasks = agents.collect();
        let started = sim.now();
        // Nobody runs before all are there; this task is outside virtual time and only waits for its end.
        sim.start();
        let logs = compose(tasks).await;
        sim.finished().await.map_err(Box::new)?;
        Ok(transcript(started, logs, executor, roster.threads(), cast.description))
    }

    /// The agents, each with a client of its own.
    fn cast<C: Client, L: Lab>(
        self,
        client: &C,
        lab: &L,
    ) -> Cast<impl Future<Output = AgentLog> + Send + use<C, L, R>> {
        let description = format!("{}; chunks {}", client.describe(), self.policy);
        let limiter = self.permits.map(|permits| Arc::new(Semaphore::new(permits.min(Semaphore::MAX_PERMITS))));
        let count = self.plans.len();
        let agents = self.plans.into_iter().map(|plan| {
            let name = format!("agent {}", plan.name);
            let agent = Agent::<C, R>::new(plan, client.clone(), self.policy).among(count);
            (name, agent.run(limiter.clone(), lab.clone()))
        });
        Cast { agents: agents.collect(), description }
    }
}

/// Agents by name, and what their client says of itself.
struct Cast<A> {
    agents: Vec<(String, A)>,
    description: String,
}

fn transcript(
    started: Instant,
    logs: Vec<Option<AgentLog>>,
    executor: String,
    threads: Vec<String>,
    client: String,
) -> Transcript {
    let agents: Vec<AgentLog> = logs.into_iter().flatten().collect();
    Transcript {
        started,
        ended: agents.iter().map(|agent| agent.ended).max().unwrap_or(started),
        agents,
        introspection: Introspection { executor, threads, client },
    }
}

/// What the agents of a run leave behind beside their logs.
struct Roster {
    tasks: Arc<Tasks>,
    at_work: Arc<AtomicUsize>,
    threads: Arc<OnceLock<Vec<String>>>,
}

impl Roster {
    fn new(agents: usize) -> Self {
        Self { tasks: Arc::default(), at_work: Arc::new(AtomicUsize::new(agents)), threads: Arc::default() }
    }

    /// The agent as a task that is observed.
    fn enlist(&self, agent: impl Future<Output = Option<AgentLog>> + Send + 'static) -> AgentTask {
        let witnessed = Witnessed::new(agent, Arc::clone(&self.tasks));
        let at_work = Arc::clone(&self.at_work);
        let threads = Arc::clone(&self.threads);
        Box::pin(async move {
            let (log, sighting) = witnessed.await;
            let mut log = log?;
            log.polled_on = sighting.polled_on;
            log.woken_by = sighting.woken_by;
            log.task = sighting.task;
            if at_work.fetch_sub(1, Ordering::AcqRel) == 1 {
                threads.get_or_init(thread_names);
            }
            Some(log)
        })
    }

    fn threads(&self) -> Vec<String> {
        self.threads.get().cloned().unwrap_or_default()
    }
}
