//! What other threads may ask of a loop, and what they may see of all of them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::poll::Waker;
use crate::engine::Release;
use crate::journal::Journal;

/// Something that another thread asks of a loop.
#[derive(Debug)]
pub(super) enum Command {
    /// Let chunks leave under a stepped pace.
    Release(Release, u64),
    /// Send a copy of the journal.
    Journal(Sender<Journal>),
    /// Take what the engine of another loop has left for the engine of this one.
    Heed,
    /// End, closing every socket.
    Stop,
}

/// The part of the loops' state that other threads can wait for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Witness {
    pub(super) in_flight: usize,
    pub(super) requests: usize,
    pub(super) ended: bool,
}

/// Where commands are left for a loop.
#[derive(Debug)]
pub(super) struct Mailbox {
    commands: Mutex<Vec<Command>>,
    /// Whether there are any: the loop asks every time round.
    has_commands: AtomicBool,
    waker: Waker,
}

/// Where each loop shows its witness.
#[derive(Debug)]
pub(super) struct Board {
    shown: Mutex<Vec<Witness>>,
    changed: Condvar,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // The data behind these locks are plain values that every holder leaves whole.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Mailbox {
    pub(super) fn new(waker: Waker) -> Self {
        Self { commands: Mutex::default(), has_commands: AtomicBool::new(false), waker }
    }

    /// Leaves a command and wakes the loop.
    pub(super) fn send(&self, command: Command) {
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
}

impl Board {
    pub(super) fn new(loops: usize) -> Self {
        Self { shown: Mutex::new(vec![Witness::default(); loops]), changed: Condvar::new() }
    }

    /// What the loop of this number shows from now on.
    pub(super) fn show(&self, number: usize, witness: Witness) {
        if let Some(shown) = lock(&self.shown).get_mut(number) {
            *shown = witness;
        }
        self.changed.notify_all();
    }

    /// Waits until `test` holds of all loops together, at most `timeout`; says whether it does.
    pub(super) fn wait(&self, timeout: Duration, test: impl Fn(&Witness) -> bool) -> bool {
        let guard = lock(&self.shown);
        let waiting = |shown: &mut Vec<Witness>| {
            let all = together(shown);
            !test(&all) && !all.ended
        };
        let waited = self.changed.wait_timeout_while(guard, timeout, waiting);
        let (guard, _) = waited.unwrap_or_else(PoisonError::into_inner);
        test(&together(&guard))
    }
}

/// The witness of all loops; they have ended when one has, since then the others are told to.
fn together(shown: &[Witness]) -> Witness {
    shown.iter().fold(Witness::default(), |all, one| Witness {
        in_flight: all.in_flight + one.in_flight,
        requests: all.requests + one.requests,
        ended: all.ended || one.ended,
    })
}
