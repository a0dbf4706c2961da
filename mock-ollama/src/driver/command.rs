//! What other threads may ask of the loop, and what they may see of it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::poll::Waker;
use crate::engine::Release;
use crate::journal::Journal;

/// Something that another thread asks of the loop.
#[derive(Debug)]
pub(crate) enum Command {
    /// Let chunks leave under a stepped pace.
    Release(Release, u64),
    /// Send a copy of the journal.
    Journal(Sender<Journal>),
    /// End, closing every socket.
    Stop,
}

/// The part of the loop's state that other threads can wait for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Witness {
    pub(crate) in_flight: usize,
    pub(crate) requests: usize,
    pub(crate) ended: bool,
}

/// Where commands are left for the loop, and where it shows its witness.
#[derive(Debug)]
pub(crate) struct Mailbox {
    commands: Mutex<Vec<Command>>,
    /// Whether there are any: the loop asks every time round.
    has_commands: AtomicBool,
    witness: Mutex<Witness>,
    changed: Condvar,
    waker: Waker,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // The data behind these locks are plain values that every holder leaves whole.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Mailbox {
    pub(super) fn new(waker: Waker) -> Self {
        let has_commands = AtomicBool::new(false);
        Self { commands: Mutex::default(), has_commands, witness: Mutex::default(), changed: Condvar::new(), waker }
    }

    /// Leaves a command and wakes the loop.
    pub(crate) fn send(&self, command: Command) {
        lock(&self.commands).push(command);
        self.has_commands.store(true, Ordering::Release);
        self.waker.wake();
    }

    pub(super) fn take(&self) -> Vec<Command> {
        if !self.has_commands.load(Ordering::Acquire) {
            return Vec::new();
        }
        // One that comes between these two lines is taken, and the flag stays up for nothing, once.
        self.has_commands.store(false, Ordering::Release);
        std::mem::take(&mut *lock(&self.commands))
    }

    pub(super) fn show(&self, witness: Witness) {
        let mut shown = lock(&self.witness);
        if *shown != witness {
            *shown = witness;
            self.changed.notify_all();
        }
    }

    /// Waits until `test` holds, at most `timeout`; says whether it does.
    pub(crate) fn wait(&self, timeout: Duration, test: impl Fn(&Witness) -> bool) -> bool {
        let guard = lock(&self.witness);
        let waiting = |witness: &mut Witness| !test(witness) && !witness.ended;
        let waited = self.changed.wait_timeout_while(guard, timeout, waiting);
        let (guard, _) = waited.unwrap_or_else(PoisonError::into_inner);
        test(&guard)
    }
}
