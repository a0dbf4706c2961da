//! A future that waits for its turn.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use futures::channel::oneshot;

use super::failure::FailureReason;
use super::scheduler::{Inside, Sim};
use super::task_table::TaskId;

/// Queues a task where an executor's waker would wake it.
struct TaskWaker {
    sim: Sim,
    id: TaskId,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let mut state = self.sim.lock();
        if state.is_over() || !state.tasks.wake(self.id) {
            return;
        }
        // The place in the queue of a wake-up from another thread is chance, unless the clock is held for it.
        if !Inside::is_entered() && !state.expects_outside() {
            let task = state.tasks.name(self.id);
            return self.sim.fail(state, FailureReason::Foreign { task });
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
    sim: Sim,
    id: TaskId,
    waker: Waker,
    future: Option<Pin<Box<F>>>,
}

/// Resolves to the output of a task, inside virtual time; an executor's own handle does not.
pub type Join<T> = oneshot::Receiver<T>;

impl Sim {
    /// Makes a task without which the run is not over. Tasks begin in the order in which they are made.
    pub fn agent<F: Future>(&self, name: &str, future: F) -> SimTask<F> {
        self.task(name, true, future)
    }

    /// Makes a task that serves others, such as a connection. The run does not wait for it.
    pub fn service<F: Future>(&self, name: &str, future: F) -> SimTask<F> {
        self.task(name, false, future)
    }

    /// Makes a task for another task to wait for.
    pub fn joined<F: Future>(
        &self,
        name: &str,
        future: F,
    ) -> (SimTask<impl Future<Output = ()> + use<F>>, Join<F::Output>) {
        let (sender, receiver) = oneshot::channel();
        let sending = async move {
            // A receiver that is gone does not want the output.
            let _ = sender.send(future.await);
        };
        (self.service(name, sending), receiver)
    }

    fn task<F: Future>(&self, name: &str, is_agent: bool, future: F) -> SimTask<F> {
        let mut state = self.lock();
        let id = state.tasks.add(name, is_agent, self.now());
        let idle = state.is_idle();
        drop(state);
        if idle {
            self.advance();
        }
        let waker = Waker::from(Arc::new(TaskWaker { sim: self.clone(), id }));
        SimTask { sim: self.clone(), id, waker, future: Some(Box::pin(future)) }
    }
}

impl<F: Future> SimTask<F> {
    /// Returns whether it may run, or nothing when the run is over. Keeps the executor's waker for when it may.
    fn is_its_turn(&self, executor: &Waker) -> Option<bool> {
        let mut state = self.sim.lock();
        if state.is_over() {
            return None;
        }
        let mine = state.current == Some(self.id);
        let outdated = state.tasks.poll(self.id, executor, mine.then(|| self.sim.now()));
        // A waker that is dropped may drop a task, which would lock the state again.
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
        let mut state = self.sim.lock();
        let waker = state.tasks.remove(self.id);
        state.progress += 1;
        if state.current == Some(self.id) {
            state.current = None;
        }
        drop(state);
        drop(waker);
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
            this.sim.lock().current = None;
        }
        this.sim.advance();
        polled.map(Some)
    }
}

/// Whatever ends it (an abort, a panic, the end of its executor), its turn goes to the next.
impl<F: Future> Drop for SimTask<F> {
    fn drop(&mut self) {
        if self.future.is_some() {
            self.leave();
            self.sim.advance();
        }
    }
}
