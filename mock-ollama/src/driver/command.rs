//! What other threads may ask of the loop, and what they may see of it.

use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::poll::LoopWaker;
use crate::engine::Release;
use crate::journal::Journal;

/// What another thread asks of the loop.
#[derive(Debug)]
pub(super) enum Command {
    /// Let chunks leave under a stepped pace.
    Release(Release, u64),
    /// Send a copy of the journal.
    Journal(Sender<Journal>),
    /// End, closing every socket.
    Stop,
}

/// The part of the loop's state that other threads can wait for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct LoopStatus {
    pub(super) in_flight: usize,
    pub(super) requests: usize,
    pub(super) has_ended: bool,
}

/// The way of commands to the loop. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Mailbox {
    commands: Sender<Command>,
    waker: LoopWaker,
}

/// Where the loop publishes its status.
#[derive(Debug, Default)]
pub(super) struct StatusBoard {
    status: Mutex<LoopStatus>,
    changed: Condvar,
}

impl Mailbox {
    /// Returns the way, and its end at the loop.
    pub(super) fn new(waker: LoopWaker) -> (Self, Receiver<Command>) {
        let (commands, queue) = mpsc::channel();
        (Self { commands, waker }, queue)
    }

    /// Queues a command and wakes the loop.
    pub(super) fn send(&self, command: Command) {
        // A loop that has ended needs none.
        let _ = self.commands.send(command);
        self.waker.wake();
    }
}

impl StatusBoard {
    pub(super) fn publish(&self, status: LoopStatus) {
        *self.lock() = status;
        self.changed.notify_all();
    }

    /// Waits until `test` holds of the status, at most `timeout`; returns whether it does.
    pub(super) fn wait(&self, timeout: Duration, test: impl Fn(&LoopStatus) -> bool) -> bool {
        let waiting = |status: &mut LoopStatus| !test(status) && !status.has_ended;
        let waited = self.changed.wait_timeout_while(self.lock(), timeout, waiting);
        let (status, _) = waited.unwrap_or_else(PoisonError::into_inner);
        test(&status)
    }

    fn lock(&self) -> MutexGuard<'_, LoopStatus> {
        // A plain value that every holder leaves whole.
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
