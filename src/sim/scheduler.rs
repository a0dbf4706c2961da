//! Who runs next, and when the clock moves.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt;
use std::future::poll_fn;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

use mock_ollama::clock::{Clock, Instant};
use mock_ollama::driver::LoopWaker;
use mock_ollama::engine::Config;
use mock_ollama::journal::{Journal, StreamId};
use mock_ollama::seed::Seed;

use super::failure::{FailureReason, SimFailure};
use super::key::TimerKey;
use super::ledger::InFlightLedger;
use super::log::{EventLog, LoggedEvent};
use super::memory::Memory;
use super::task_table::{TaskId, TaskTable};
use super::watchdog::{self, Liveness};
use crate::clients::AgentEvent;

/// What a simulation is told beside what it serves.
#[derive(Clone, Debug)]
pub struct SimSettings {
    /// The seed of the run, printed with every failure.
    pub seed: Seed,
    /// The command that repeats the run, printed with every failure.
    pub repeat: String,
    /// Real time without progress after which the run has failed. It never moves the clock.
    pub patience: Duration,
}

impl Default for SimSettings {
    fn default() -> Self {
        Self { seed: Seed(0), repeat: String::new(), patience: Duration::from_secs(10) }
    }
}

/// A virtual clock and the tasks that run on it. Clones share one clock.
#[derive(Clone)]
pub struct Sim(Arc<Inner>);

struct Inner {
    now_ns: AtomicU64,
    state: Mutex<State>,
    ended: Condvar,
    settings: SimSettings,
}

/// Everything that changes. Wakers are called, and dropped, only while it is not locked: either may lock it again.
#[derive(Default)]
pub(super) struct State {
    /// Nothing runs before all agents are known: the order of making is the order of beginning.
    started: bool,
    /// The one task that may run.
    pub(super) current: Option<TaskId>,
    pub(super) tasks: TaskTable,
    /// A timer's waker is being called: nobody else moves the clock.
    firing: bool,
    /// How it ended.
    verdict: Option<Result<(), SimFailure>>,
    pub(super) sleeps: BTreeMap<TimerKey, Waker>,
    pub(super) next_sleep: u64,
    /// What the clock waits for outside, by number.
    pub(super) holds: BTreeMap<u64, String>,
    pub(super) next_hold: u64,
    pub(super) server: SimServer,
    log: EventLog,
    /// Wakers of those that wait for the end.
    pub(super) waiting: Vec<Waker>,
    /// Grows whenever something happens; the watchdog compares it.
    pub(super) progress: u64,
}

/// Where answers come from.
#[derive(Default)]
pub(super) enum SimServer {
    /// Nowhere: tasks and timers alone.
    #[default]
    Absent,
    Memory(Box<Memory>),
    Sockets(InFlightLedger),
}

impl SimServer {
    fn next(&self) -> Option<&TimerKey> {
        match self {
            Self::Absent => None,
            Self::Memory(memory) => memory.next(),
            Self::Sockets(sockets) => sockets.next(),
        }
    }
}

/// What happens when no task can run.
enum NextStep {
    /// The clock waits for something in flight.
    Wait,
    Sleep(TimerKey),
    Server(Instant),
    Over,
    Stalled,
}

impl State {
    /// Returns whether a wake-up from outside is expected; any other is a failure.
    pub(super) fn expects_outside(&self) -> bool {
        !self.holds.is_empty() || matches!(self.server, SimServer::Sockets(_))
    }

    pub(super) fn is_over(&self) -> bool {
        self.verdict.is_some()
    }

    /// Returns whether no task runs or is about to, so that the one who made work has to advance the clock.
    pub(super) fn is_idle(&self) -> bool {
        self.started && self.current.is_none() && !self.firing && !self.is_over()
    }

    fn in_flight(&self) -> bool {
        let sockets = matches!(&self.server, SimServer::Sockets(sockets) if sockets.in_flight());
        sockets || !self.holds.is_empty()
    }

    fn next_step(&self) -> NextStep {
        // Before all else: what is in flight may wake a task at this very instant.
        if self.in_flight() {
            return NextStep::Wait;
        }
        if self.tasks.agents == 0 {
            return NextStep::Over;
        }
        let sleep = self.sleeps.first_key_value().map(|(key, _)| key);
        match (sleep, self.server.next()) {
            (None, None) => NextStep::Stalled,
            (Some(sleep), None) => NextStep::Sleep(sleep.clone()),
            // At one instant the server goes before a timeout: what arrives at the deadline has arrived in time.
            (Some(sleep), Some(event)) if (sleep.0, &sleep.1) < (event.0, &event.1) => NextStep::Sleep(sleep.clone()),
            (_, Some(event)) => NextStep::Server(event.0),
        }
    }

    pub(super) fn outstanding(&self) -> Vec<String> {
        let mut list: Vec<String> = self.holds.values().cloned().collect();
        if let SimServer::Sockets(sockets) = &self.server {
            list.extend(sockets.outstanding());
        }
        list
    }
}

thread_local! {
    /// Whether this thread is running a task of a simulation, or firing one of its timers.
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// While it lives, wake-ups on this thread come from inside the simulation.
pub(super) struct Inside {
    before: bool,
}

impl Inside {
    pub(super) fn enter() -> Self {
        Self { before: INSIDE.replace(true) }
    }

    pub(super) fn is_entered() -> bool {
        INSIDE.get()
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        INSIDE.set(self.before);
    }
}

impl Sim {
    /// A clock for tasks and timers alone.
    pub fn without_server(settings: SimSettings) -> Self {
        Self::with(SimServer::Absent, settings)
    }

    /// A clock with a server behind in-memory pipes.
    pub fn in_memory(config: Config, settings: SimSettings) -> Self {
        Self::with(SimServer::Memory(Box::new(Memory::new(config))), settings)
    }

    /// A clock for a server on real sockets, which is to be given [`Sim::time_source`] and [`Sim::observer`].
    pub fn over_sockets(settings: SimSettings) -> Self {
        Self::with(SimServer::Sockets(InFlightLedger::default()), settings)
    }

    fn with(server: SimServer, settings: SimSettings) -> Self {
        let state = State { server, ..State::default() };
        let patience = settings.patience;
        let inner = Inner { now_ns: AtomicU64::new(0), state: Mutex::new(state), ended: Condvar::new(), settings };
        let sim = Self(Arc::new(inner));
        let (watched, stuck) = (sim.clone(), sim.clone());
        let look = move |wait| watched.watch(wait);
        watchdog::watch(patience, look, move || stuck.fail(stuck.lock(), FailureReason::Stuck { patience }));
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
    /// The one who waits here is outside virtual time.
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
            SimServer::Memory(memory) => memory.journal(),
            SimServer::Absent | SimServer::Sockets(_) => Journal::default(),
        }
    }

    /// Puts an event into the log.
    pub fn note(&self, stream: &StreamId, event: AgentEvent) {
        let at = self.now();
        self.lock().log.push(LoggedEvent { at, stream: stream.clone(), event });
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that can panic half-way changes it, so what a panicking thread left is whole.
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
            // Tasks go before timers: the clock moves only when nothing can happen at this instant any more.
            if let Some((task, waker)) = state.tasks.next() {
                state.current = Some(task);
                drop(state);
                // Without a waker it has not been polled yet: its first poll finds that it is its turn.
                return waker.into_iter().for_each(Waker::wake);
            }
            match state.next_step() {
                NextStep::Wait => return,
                NextStep::Over => return self.end(state, Ok(())),
                NextStep::Stalled => return self.fail(state, FailureReason::Stalled),
                NextStep::Sleep(key) => {
                    let waker = state.sleeps.remove(&key);
                    self.fire(state, key.0, waker, &key.1);
                }
                NextStep::Server(at) => match &mut state.server {
                    SimServer::Sockets(sockets) => {
                        let waker = sockets.grant();
                        // Before the driver wakes: it reads the clock when it asks whether the event may happen.
                        self.move_to(at);
                        drop(state);
                        return waker.iter().for_each(LoopWaker::wake);
                    }
                    SimServer::Memory(memory) => {
                        let (stream, waker) = memory.step(at);
                        self.fire(state, at, waker, &stream);
                    }
                    SimServer::Absent => return,
                },
            }
        }
    }

    /// Moves the clock and calls a waker, which has to make a task of this simulation runnable.
    fn fire(&self, mut state: MutexGuard<'_, State>, at: Instant, waker: Option<Waker>, stream: &StreamId) {
        self.move_to(at);
        // The waker locks the state, so it is called unlocked; `firing` keeps everybody else from advancing meanwhile.
        state.firing = true;
        drop(state);
        let woken = waker.is_some();
        if let Some(waker) = waker {
            let _inside = Inside::enter();
            waker.wake();
        }
        let mut state = self.lock();
        state.firing = false;
        if woken && state.tasks.queue.is_empty() && !state.expects_outside() && !state.is_over() {
            self.fail(state, FailureReason::Unregistered { stream: stream.to_string() });
        }
    }

    fn move_to(&self, at: Instant) {
        // Read without the lock by clocks on other threads. It never goes back, even where two would move it.
        self.0.now_ns.fetch_max(at.as_nanos(), Ordering::AcqRel);
    }

    /// Ends the run as failed.
    pub(super) fn fail(&self, state: MutexGuard<'_, State>, reason: FailureReason) {
        let SimSettings { seed, repeat, .. } = &self.0.settings;
        let failure = SimFailure {
            reason,
            at: self.now(),
            parked: state.tasks.parked(),
            outstanding: state.outstanding(),
            seed: *seed,
            repeat: repeat.clone(),
        };
        self.end(state, Err(failure));
    }

    /// Ends the run and wakes every task: each ends at its next poll.
    fn end(&self, mut state: MutexGuard<'_, State>, verdict: Result<(), SimFailure>) {
        // The first verdict stands; whatever fails after it fails because of it.
        if state.is_over() {
            return;
        }
        state.verdict = Some(verdict);
        state.tasks.queue.clear();
        let mut wakers = std::mem::take(&mut state.waiting);
        wakers.extend(state.tasks.wakers());
        drop(state);
        self.0.ended.notify_all();
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Waits in real time until the run is over, `patience` at most, and returns how far it is.
    pub(super) fn watch(&self, patience: Duration) -> Liveness {
        let state = self.lock();
        let waited = self.0.ended.wait_timeout_while(state, patience, |state| !state.is_over());
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        // The watchdog has two references: one to look, one to give up.
        if state.is_over() || Arc::strong_count(&self.0) == 2 {
            return Liveness::Over;
        }
        if state.started { Liveness::Moved(state.progress) } else { Liveness::Waiting }
    }
}

impl Clock for Sim {
    fn now(&self) -> Instant {
        Self::now(self)
    }
}

impl fmt::Debug for Sim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sim at {}", self.now())
    }
}
