//! What other threads may ask of the loop, and what they may see of it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::poll::Waker;
use crate::engine::Release;
use crate::journal::{Journal, RuleUse};
use crate::rules::{Rule, RuleId};

/// What another thread asks of the loop.
#[derive(Debug)]
pub(super) enum Command {
    /// Let chunks leave under a stepped pace.
    Release(Release, u64),
    /// Send a copy of the journal.
    Journal(Sender<Journal>),
    /// State, change or forget rules, and say which rule that was.
    Rule(RuleCommand, Sender<Option<RuleId>>),
    /// Take a rule back, and say how often it was used.
    RemoveRule(RuleId, Sender<Option<RuleUse>>),
    /// End, closing every socket.
    Stop,
}

/// What happens to the rules of a server.
#[derive(Debug)]
pub(crate) enum RuleCommand {
    State(Rule),
    Change(RuleId, Rule),
    /// All rules that were stated are forgotten, and the journal with them.
    Reset,
}

/// The part of the loop's state that other threads can wait for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct LoopStatus {
    pub(super) in_flight: usize,
    pub(super) requests: usize,
    pub(super) has_ended: bool,
}

/// The queue of commands for the loop.
#[derive(Debug)]
pub(super) struct Mailbox {
    commands: Mutex<Vec<Command>>,
    /// Whether there are any: the loop asks in every round, without the lock.
    has_commands: AtomicBool,
    waker: Waker,
}

/// Where the loop publishes its status.
#[derive(Debug, Default)]
pub(super) struct StatusBoard {
    status: Mutex<LoopStatus>,
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

    /// Queues a command and wakes the loop.
    pub(super) fn send(&self, command: Command) {
        lock(&self.commands).push(command);
        self.has_commands.store(true, Ordering::Release);
        self.waker.wake();
    }

    pub(super) fn take(&self) -> Vec<Command> {
        if !self.has_commands.load(Ordering::Acquire) {
            return Vec::new();
        }
        // A command that is queued between these two lines is taken, and the flag stays up for nothing, once.
        self.has_commands.store(false, Ordering::Release);
        std::mem::take(&mut *lock(&self.commands))
    }
}

impl StatusBoard {
    pub(super) fn publish(&self, status: LoopStatus) {
        *lock(&self.status) = status;
        self.changed.notify_all();
    }

    /// Waits until `test` holds of the status, at most `timeout`; returns whether it does.
    pub(super) fn wait(&self, timeout: Duration, test: impl Fn(&LoopStatus) -> bool) -> bool {
        let waiting = |status: &mut LoopStatus| !test(status) && !status.has_ended;
        let waited = self.changed.wait_timeout_while(lock(&self.status), timeout, waiting);
        let (status, _) = waited.unwrap_or_else(PoisonError::into_inner);
        test(&status)
    }
}
