//! Timers on the virtual clock.

use std::pin::Pin;
use std::task::{Context, Poll};

use mock_ollama::clock::Instant;
use mock_ollama::engine::Seq;
use mock_ollama::journal::StreamId;

use super::key::TimerKey;
use super::scheduler::Sim;
use crate::clients::{AgentClock, AgentEvent};

/// Resolves at its instant, in its place among the timers of that instant. One that is due now waits for its place too.
#[derive(Debug)]
pub struct Sleep {
    sim: Sim,
    at: Instant,
    stream: StreamId,
    /// Its place, once it has one.
    key: Option<TimerKey>,
}

impl Sim {
    /// A timer for the stream that waits for it.
    pub fn sleep_until(&self, at: Instant, stream: &StreamId) -> Sleep {
        Sleep { sim: self.clone(), at, stream: stream.clone(), key: None }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let mut state = this.sim.lock();
        let outdated = match &this.key {
            // Numbered at the first poll, not at making: the order is that in which tasks began to wait.
            None => {
                state.next_sleep += 1;
                let key = (this.at.max(this.sim.now()), this.stream.clone(), Seq(state.next_sleep));
                this.key = Some(key.clone());
                state.sleeps.insert(key, cx.waker().clone())
            }
            Some(key) => match state.sleeps.get_mut(key) {
                // It has fired.
                None => return Poll::Ready(()),
                Some(waker) if waker.will_wake(cx.waker()) => None,
                Some(waker) => Some(std::mem::replace(waker, cx.waker().clone())),
            },
        };
        drop(state);
        drop(outdated);
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(key) = &self.key {
            // Two statements: the waker is dropped after the lock is let go, since that may drop a task.
            let waker = self.sim.lock().sleeps.remove(key);
            drop(waker);
        }
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
