//! The agents of a run and all that they share, neutral of executor.

use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use mock_ollama::clock::Clock;
use tokio::sync::Semaphore;

use super::{RunError, Tasks, Witnessed, thread_names};
use crate::chunking::ChunkPolicy;
use crate::clients::{Agent, Client, Endpoint, Reading, Strict};
use crate::transcript::{AgentLog, Introspection, Transcript};
use crate::workload::{AgentPlan, Job};

/// One agent, ready to be spawned.
pub type AgentTask = Pin<Box<dyn Future<Output = AgentLog> + Send>>;

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
    clock: Watch,
    reading: PhantomData<fn() -> R>,
}

/// A clock that can be shown.
#[derive(Clone)]
struct Watch(Arc<dyn Clock>);

impl std::fmt::Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Watch({})", self.0.now())
    }
}

impl Crew {
    /// The agents of a job, under a chunk policy.
    ///
    /// Fails when the job's URL is not one.
    pub fn new(job: &Job, clock: &Arc<dyn Clock>, policy: ChunkPolicy) -> Result<Self, RunError> {
        Ok(Self {
            plans: job.agents.clone(),
            server: job.url.parse()?,
            permits: job.limit.map(usize::from),
            policy,
            clock: Watch(Arc::clone(clock)),
            reading: PhantomData,
        })
    }
}

impl<R: Reading> Crew<R> {
    /// The server to connect to.
    pub fn server(&self) -> Endpoint {
        self.server
    }

    /// Reads bodies in another way. Only controls do.
    #[cfg(feature = "controls")]
    pub(crate) fn reading<Q: Reading>(self) -> Crew<Q> {
        let Self { plans, server, permits, policy, clock, reading: _ } = self;
        Crew { plans, server, permits, policy, clock, reading: PhantomData }
    }

    /// Limits the agents to other than the job says. Only controls do.
    #[cfg(feature = "controls")]
    pub(crate) fn limited_to(self, permits: usize) -> Self {
        Self { permits: Some(permits), ..self }
    }

    /// Runs the agents: `compose` spawns them on the executor and resolves to their logs in the same order.
    ///
    /// `executor` is what the executor says of itself. The last agent to end lists the process's threads, after its
    /// own last stamp, so that nobody is disturbed and every thread that took part is still there.
    pub async fn work<C, F>(self, executor: String, client: C, compose: impl FnOnce(Vec<AgentTask>) -> F) -> Transcript
    where
        C: Client,
        F: Future<Output = Vec<AgentLog>>,
    {
        let description = format!("{}; chunks {}", client.describe(), self.policy);
        let roster = Roster::new(self.plans.len());
        let limiter = self.permits.map(|permits| Arc::new(Semaphore::new(permits.min(Semaphore::MAX_PERMITS))));
        let clock = self.clock.0;
        let tasks = self.plans.into_iter().map(|plan| {
            let agent = Agent::<C, R>::new(plan, client.clone(), self.policy);
            roster.enlist(agent.run(limiter.clone(), Arc::clone(&clock)))
        });
        let tasks: Vec<AgentTask> = tasks.collect();
        drop(client);
        let started = clock.now();
        let agents = compose(tasks).await;
        Transcript {
            started,
            ended: agents.iter().map(|agent| agent.ended).max().unwrap_or(started),
            agents,
            introspection: Introspection { executor, threads: roster.threads(), client: description },
        }
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
    fn enlist(&self, agent: impl Future<Output = AgentLog> + Send + 'static) -> AgentTask {
        let witnessed = Witnessed::new(agent, Arc::clone(&self.tasks));
        let at_work = Arc::clone(&self.at_work);
        let threads = Arc::clone(&self.threads);
        Box::pin(async move {
            let (mut log, sighting) = witnessed.await;
            log.polled_on = sighting.polled_on;
            log.woken_by = sighting.woken_by;
            log.task = sighting.task;
            if at_work.fetch_sub(1, Ordering::AcqRel) == 1 {
                threads.get_or_init(thread_names);
            }
            log
        })
    }

    fn threads(&self) -> Vec<String> {
        self.threads.get().cloned().unwrap_or_default()
    }
}
