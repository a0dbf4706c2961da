//! Who runs next, and when the clock moves.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::future::poll_fn;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

use mock_ollama::clock::{Clock, Instant};
use mock_ollama::driver::LoopWaker;
use mock_ollama::engine::{Config, Seq};
use mock_ollama::journal::{Journal, StreamId};
use mock_ollama::seed::Seed;

use super::failure::{FailureReason, ParkedTask, SimFailure};
use super::hold::Holds;
use super::log::{EventLog, LoggedEvent};
use super::memory::Memory;
use super::sockets::Sockets;
use super::task::{Inside, Task, TaskId};
use super::watchdog;
use crate::clients::{AgentClock, AgentEvent};

/// The place of a timer: timers of one instant fire in the order of their streams, those of a stream in sequence.
pub(super) type Key = (Instant, StreamId, Seq);

/// What a simulation is told beside what it serves.
#[derive(Clone, Debug)]
pub struct SimSettings {
    /// The seed of the run, printed with every failure.
    pub seed: Seed,
    /// The command that repeats the run, printed with every failure.
    pub repeat: String,
    /// So much real time without progress is a failure. It never moves the clock.
    pub patience: Duration,
}

impl Default for SimSettings {
    fn default() -> Self {
        Self { seed: Seed(0), repeat: String::new(), patience: Duration::from_secs(10) }
    }
}

/// A virtual clock and the tasks that live by it. Clones are the same one.
#[derive(Clone)]
pub struct Sim(Arc<Inner>);

struct Inner {
    now_ns: AtomicU64,
    state: Mutex<State>,
    ended: Condvar,
    settings: SimSettings,
}

/// Everything that changes. Wakers are called, and dropped, only while it is not locked.
#[derive(Default)]
pub(super) struct State {
    /// Nothing runs before the whole cast is known.
    started: bool,
    /// The one task that may run.
    pub(super) current: Option<TaskId>,
    /// Tasks that were woken, in the order of their wakes.
    pub(super) queue: VecDeque<Arc<Task>>,
    /// A timer's waker is being called: nobody else moves the clock.
    firing: bool,
    /// How it ended.
    verdict: Option<Result<(), SimFailure>>,
    /// Agents that have not ended.
    pub(super) agents: usize,
    /// All tasks that have not ended.
    pub(super) tasks: BTreeMap<TaskId, Arc<Task>>,
    next_task: u64,
    pub(super) sleeps: BTreeMap<Key, Waker>,
    pub(super) next_sleep: u64,
    pub(super) holds: Holds,
    pub(super) server: Server,
    log: EventLog,
    /// Whoever waits for the end.
    pub(super) waiting: Vec<Waker>,
    /// Grows whenever something happens; the watchdog compares it.
    pub(super) progress: u64,
}

/// Where answers come from.
#[derive(Default)]
pub(super) enum Server {
    /// Nowhere: tasks and timers alone.
    #[default]
    Absent,
    Memory(Box<Memory>),
    Sockets(Sockets),
}

impl Server {
    fn next(&self) -> Option<&Key> {
        match self {
            Self::Absent => None,
            Self::Memory(memory) => memory.next(),
            Self::Sockets(sockets) => sockets.next(),
        }
    }
}

/// What happens when no task can run.
enum Quiet {
    /// The clock waits for something in flight.
    TrackedClient,
    Sleep(Key),
    Server(Instant),
    Over,
    Stalled,
}

impl State {
    /// A wake from outside is forgiven only where something outside is expected.
    pub(super) fn expects_outside(&self) -> bool {
        !self.holds.is_empty() || matches!(self.server, Server::Sockets(_))
    }

    pub(super) fn is_over(&self) -> bool {
        self.verdict.is_some()
    }

    /// Whether nobody is running or about to, so that whoever made work has to see to it.
    pub(super) fn is_idle(&self) -> bool {
        self.started && self.current.is_none() && !self.firing && !self.is_over()
    }

    pub(super) fn take_task_id(&mut self) -> TaskId {
        self.next_task += 1;
        TaskId(self.next_task)
    }

    fn in_flight(&self) -> bool {
        let sockets = matches!(&self.server, Server::Sockets(sockets) if sockets.in_flight());
        sockets || !self.holds.is_empty()
    }

    fn quiet(&self) -> Quiet {
        if self.in_flight() {
            return Quiet::TrackedClient;
        }
        if self.agents == 0 {
            return Quiet::Over;
        }
        let sleep = self.sleeps.first_key_value().map(|(key, _)| key);
        match (sleep, self.server.next()) {
            (None, None) => Quiet::Stalled,
            (Some(sleep), None) => Quiet::Sleep(sleep.clone()),
            // What the server has to say at the instant of a timeout is said before it.
            (Some(sleep), Some(event)) if (sleep.0, &sleep.1) < (event.0, &event.1) => Quiet::Sleep(sleep.clone()),
            (_, Some(event)) => Quiet::Server(event.0),
        }
    }

    pub(super) fn outstanding(&self) -> Vec<String> {
        let mut list = self.holds.names();
        if let Server::Sockets(sockets) = &self.server {
            list.extend(sockets.outstanding());
        }
        list
    }

    pub(super) fn parked(&self) -> Vec<ParkedTask> {
        self.tasks.values().map(|task| task.parked()).collect()
    }
}

impl Sim {
    /// A clock for tasks and timers alone.
    pub fn without_server(settings: SimSettings) -> Self {
        Self::with(Server::Absent, settings)
    }

    /// A clock with a server behind in-memory pipes.
    pub fn in_memory(config: Config, settings: SimSettings) -> Self {
        Self::with(Server::Memory(Box::new(Memory::new(config))), settings)
    }

    /// A clock for a server on real sockets, which is to be given [`Sim::time_source`] and [`Sim::observer`].
    pub fn over_sockets(settings: SimSettings) -> Self {
        Self::with(Server::Sockets(Sockets::default()), settings)
    }

    fn with(server: Server, settings: SimSettings) -> Self {
        let state = State { server, ..State::default() };
        let patience = settings.patience;
        let inner = Inner { now_ns: AtomicU64::new(0), state: Mutex::new(state), ended: Condvar::new(), settings };
        let sim = Self(Arc::new(inner));
        watchdog::watch(&sim, patience);
        sim
    }

    /// The virtual time.
    pub fn now(&self) -> Instant {
        Instant::from_nanos(self.0.now_ns.load(Ordering::Acquire))
    }

    /// Lets the first task run. Before, tasks are made in the order in which they are to begin.
    pub fn start(&self) {
        self.lock().started = true;
        self.advance();
    }

    /// Waits until every agent has ended and nothing is left to happen because of them.
    ///
    /// Whoever waits here is outside virtual time.
    pub async fn finished(&self) -> Result<(), SimFailure> {
        poll_fn(|cx| {
            let mut state = self.lock();
            if let Some(verdict) = &state.verdict {
                return Poll::Ready(verdict.clone());
            }
            if !state.waiting.iter().any(|known| known.will_wake(cx.waker())) {
                state.waiting.push(cx.waker().clone());
            }
            Poll::Pending
        })
        .await
    }

    /// Every event so far, in order.
    pub fn log(&self) -> EventLog {
        self.lock().log.clone()
    }

    /// What the server behind the pipes did; empty where there is none.
    pub fn journal(&self) -> Journal {
        match &self.lock().server {
            Server::Memory(memory) => memory.journal(),
            Server::Absent | Server::Sockets(_) => Journal::default(),
        }
    }

    /// Puts an event into the log.
    pub fn note(&self, stream: &StreamId, event: AgentEvent) {
        let at = self.now();
        self.lock().log.push(LoggedEvent { at, stream: stream.clone(), event });
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        // Whoever panicked while holding it was reading or writing plain values.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the next task run; when there is none, fires one timer; when there is none either, it is over.
    pub(super) fn advance(&self) {
        loop {
            let mut state = self.lock();
            if !state.is_idle() {
                return;
            }
            state.progress += 1;
            if let Some(task) = state.queue.pop_front() {
                // A task that ended since it was woken has nothing to do.
                let Some(grant) = task.grant() else { continue };
                state.current = Some(task.id);
                drop(state);
                // Without a waker it has not been polled yet: its first poll finds that it is its turn.
                if let Some(waker) = grant.waker {
                    waker.wake();
                }
                return;
            }
            match state.quiet() {
                Quiet::TrackedClient => return,
                Quiet::Over => return self.end(state, Ok(())),
                Quiet::Stalled => return self.fail(state, FailureReason::Stalled),
                Quiet::Sleep(key) => {
                    let waker = state.sleeps.remove(&key);
                    self.fire(state, key.0, waker, &key.1);
                }
                Quiet::Server(at) => match &mut state.server {
                    Server::Sockets(sockets) => {
                        let waker = sockets.grant();
                        self.move_to(at);
                        drop(state);
                        return waker.iter().for_each(LoopWaker::wake);
                    }
                    Server::Memory(memory) => {
                        let (stream, waker) = memory.step(at);
                        self.fire(state, at, waker, &stream);
                    }
                    Server::Absent => return,
                },
            }
        }
    }

    /// Moves the clock and calls a waker, which is to make a task of this simulation runnable.
    fn fire(&self, mut state: MutexGuard<'_, State>, at: Instant, waker: Option<Waker>, stream: &StreamId) {
        self.move_to(at);
        state.firing = true;
        drop(state);
        let woken = waker.is_some();
        if let Some(waker) = waker {
            let _inside = Inside::enter();
            waker.wake();
        }
        let mut state = self.lock();
        state.firing = false;
        if woken && state.queue.is_empty() && !state.expects_outside() && !state.is_over() {
            self.fail(state, FailureReason::Unregistered { stream: stream.to_string() });
        }
    }

    fn move_to(&self, at: Instant) {
        self.0.now_ns.fetch_max(at.as_nanos(), Ordering::AcqRel);
    }

    /// Ends the run as failed.
    pub(super) fn fail(&self, state: MutexGuard<'_, State>, reason: FailureReason) {
        let SimSettings { seed, repeat, .. } = &self.0.settings;
        let failure = SimFailure {
            reason,
            at: self.now(),
            parked: state.parked(),
            outstanding: state.outstanding(),
            seed: *seed,
            repeat: repeat.clone(),
        };
        self.end(state, Err(failure));
    }

    /// Tells everybody that it is over: whoever is polled after that ends.
    fn end(&self, mut state: MutexGuard<'_, State>, verdict: Result<(), SimFailure>) {
        if state.is_over() {
            return;
        }
        state.verdict = Some(verdict);
        state.queue.clear();
        let mut wakers = std::mem::take(&mut state.waiting);
        let tasks: Vec<Arc<Task>> = state.tasks.values().cloned().collect();
        drop(state);
        self.0.ended.notify_all();
        wakers.extend(tasks.iter().filter_map(|task| task.executor_waker()));
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Waits in real time until it is over, at most so long; says whether it is, and how far it got since its start.
    pub(super) fn watch(&self, patience: Duration) -> (bool, Option<u64>) {
        let state = self.lock();
        let waited = self.0.ended.wait_timeout_while(state, patience, |state| !state.is_over());
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        (state.is_over(), state.started.then_some(state.progress))
    }

    /// Whether nobody but the watchdog is left.
    pub(super) fn is_abandoned(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }
}

impl Clock for Sim {
    fn now(&self) -> Instant {
        Self::now(self)
    }
}

impl AgentClock for Sim {
    fn now(&self) -> Instant {
        Self::now(self)
    }

    fn sleep_until(&self, at: Instant, stream: &StreamId) -> impl Future<Output = ()> {
        Self::sleep_until(self, at, stream)
    }

    fn note(&self, stream: &StreamId, event: AgentEvent) {
        Self::note(self, stream, event);
    }
}

impl fmt::Debug for Sim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sim at {}", self.now())
    }
}
