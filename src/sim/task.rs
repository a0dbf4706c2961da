//! A future that waits for its turn.

use std::cell::Cell;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use futures::channel::oneshot;
use mock_ollama::clock::Instant;

use super::baton::Sim;
use super::failure::{FailureReason, ParkedTask};

/// A task of a simulation, numbered in the order of making.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct TaskId(pub(super) u64);

/// The waker of a task: it queues it instead of waking it.
pub(super) struct Task {
    pub(super) id: TaskId,
    sim: Sim,
    name: String,
    /// The run is over when all agents have ended; connections may go on for ever.
    is_agent: bool,
    turn: Mutex<Turn>,
}

/// Locked after the simulation's state, never before.
#[derive(Default)]
struct Turn {
    queued: bool,
    done: bool,
    /// The executor's waker, from the last poll.
    waker: Option<Waker>,
    /// When it last ran.
    since: Instant,
}

/// It is a task's turn.
pub(super) struct Grant {
    pub(super) waker: Option<Waker>,
}

impl Task {
    fn turn(&self) -> MutexGuard<'_, Turn> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes it out of the queue; `None` when it has ended.
    pub(super) fn grant(&self) -> Option<Grant> {
        let mut turn = self.turn();
        turn.queued = false;
        (!turn.done).then(|| Grant { waker: turn.waker.clone() })
    }

    pub(super) fn executor_waker(&self) -> Option<Waker> {
        self.turn().waker.clone()
    }

    pub(super) fn parked(&self) -> ParkedTask {
        let turn = self.turn();
        ParkedTask { task: self.name.clone(), since: turn.since, begun: turn.waker.is_some() }
    }
}

thread_local! {
    /// Whether this thread is running a task of a simulation, or firing one of its timers.
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// While it lives, wakes on this thread come from inside the simulation.
pub(super) struct Inside {
    before: bool,
}

impl Inside {
    pub(super) fn enter() -> Self {
        Self { before: INSIDE.replace(true) }
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        INSIDE.set(self.before);
    }
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let mut state = self.sim.lock();
        if state.is_over() {
            return;
        }
        {
            let mut turn = self.turn();
            if turn.queued || turn.done {
                return;
            }
            turn.queued = true;
        }
        state.queue.push_back(Arc::clone(self));
        if !INSIDE.get() && !state.expects_outside() {
            return self.sim.fail(state, FailureReason::Foreign { task: self.name.clone() });
        }
        let idle = state.is_idle();
        drop(state);
        if idle {
            self.sim.advance();
        }
    }
}

/// A future that is polled one at a time with all others of its simulation. It resolves to `None` when the run is over
/// before it is.
///
/// Executors may poll it whenever they like; it runs only when it is its turn.
pub struct SimTask<F: Future> {
    task: Arc<Task>,
    waker: Waker,
    future: Option<Pin<Box<F>>>,
}

/// Resolves to the output of a task, inside virtual time; an executor's own handle does not.
pub type Join<T> = oneshot::Receiver<T>;

impl Sim {
    /// A task without which the run is not over. Tasks begin in the order in which they are made.
    pub fn agent<F: Future>(&self, name: &str, future: F) -> SimTask<F> {
        self.task(name, true, future)
    }

    /// A task that serves others, such as a connection. The run does not wait for it.
    pub fn service<F: Future>(&self, name: &str, future: F) -> SimTask<F> {
        self.task(name, false, future)
    }

    /// A task for another task to wait for.
    pub fn joined<F: Future>(
        &self,
        name: &str,
        future: F,
    ) -> (SimTask<impl Future<Output = ()> + use<F>>, Join<F::Output>) {
        let (tell, told) = oneshot::channel();
        let telling = async move {
            // Whoever does not wait for it does not want to know.
            let _ = tell.send(future.await);
        };
        (self.service(name, telling), told)
    }

    fn task<F: Future>(&self, name: &str, is_agent: bool, future: F) -> SimTask<F> {
        let mut state = self.lock();
        let turn = Turn { queued: true, since: self.now(), ..Turn::default() };
        let task = Arc::new(Task {
            id: state.take_task_id(),
            sim: self.clone(),
            name: name.to_owned(),
            is_agent,
            turn: Mutex::new(turn),
        });
        state.tasks.insert(task.id, Arc::clone(&task));
        state.queue.push_back(Arc::clone(&task));
        state.agents += usize::from(is_agent);
        let idle = state.is_idle();
        drop(state);
        if idle {
            self.advance();
        }
        SimTask { waker: Waker::from(Arc::clone(&task)), task, future: Some(Box::pin(future)) }
    }
}

impl<F: Future> SimTask<F> {
    /// Whether it may run now. Keeps the executor's waker for when it may.
    fn is_its_turn(&self, executor: &Waker) -> Option<bool> {
        let state = self.task.sim.lock();
        if state.is_over() {
            return None;
        }
        let mine = state.current == Some(self.task.id);
        let mut turn = self.task.turn();
        // A waker that is dropped may drop a task, which would lock the state again.
        let outdated = match &turn.waker {
            Some(known) if known.will_wake(executor) => None,
            _ => turn.waker.replace(executor.clone()),
        };
        if mine {
            turn.since = self.task.sim.now();
        }
        drop(turn);
        drop(state);
        drop(outdated);
        Some(mine)
    }

    /// Drops the future, then gives up its place: what dropping it wakes still belongs to this turn.
    fn leave(&mut self) {
        let Some(future) = self.future.take() else { return };
        {
            let _inside = Inside::enter();
            drop(future);
        }
        let mut state = self.task.sim.lock();
        let known = state.tasks.remove(&self.task.id);
        state.agents -= usize::from(self.task.is_agent);
        state.progress += 1;
        let waker = {
            let mut turn = self.task.turn();
            turn.done = true;
            turn.waker.take()
        };
        if state.current == Some(self.task.id) {
            state.current = None;
        }
        drop(state);
        drop((known, waker));
    }
}

impl<F: Future> Future for SimTask<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        match this.is_its_turn(cx.waker()) {
            Some(true) => {}
            Some(false) => return Poll::Pending,
            None => {
                this.leave();
                return Poll::Ready(None);
            }
        }
        let Some(future) = &mut this.future else { return Poll::Ready(None) };
        let polled = {
            let _inside = Inside::enter();
            future.as_mut().poll(&mut Context::from_waker(&this.waker))
        };
        if polled.is_ready() {
            this.leave();
        } else {
            this.task.sim.lock().current = None;
        }
        this.task.sim.advance();
        polled.map(Some)
    }
}

/// Whatever ends it (an abort, a panic, the end of its executor), its turn goes to the next.
impl<F: Future> Drop for SimTask<F> {
    fn drop(&mut self) {
        if self.future.is_some() {
            self.leave();
            self.task.sim.advance();
        }
    }
}
