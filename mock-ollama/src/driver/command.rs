//! What other threads may ask of the loop.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex};

use super::lock::lock;
use super::pending::PendingWait;
use super::poll::Waker;
use crate::engine::Release;
use crate::journal::Journal;

/// What another thread asks of the loop.
#[derive(Debug)]
pub(super) enum Command {
    /// Let chunks leave under a stepped pace.
    Release(Release, u64),
    /// Send a copy of the journal.
    Journal(Sender<Journal>),
    /// Tell when something is reached.
    Wait(PendingWait),
    /// End, closing every socket.
    Stop,
}

/// The queue of commands for the loop.
#[derive(Debug)]
pub(super) struct Mailbox {
    /// Absent once the loop has ended.
    commands: Mutex<Option<Vec<Command>>>,
    /// Whether there are any: the loop asks in every round, without the lock.
    has_commands: AtomicBool,
    waker: Waker,
}

/// The loop's end of a mailbox: closes it when the loop ends, however it does.
#[derive(Debug)]
pub(super) struct Inbox(Arc<Mailbox>);

impl Mailbox {
    /// Queues a command and wakes the loop. One that has ended drops it, which tells who asked.
    pub(super) fn send(&self, command: Command) {
        if let Some(commands) = &mut *lock(&self.commands) {
            commands.push(command);
        }
        self.has_commands.store(true, Ordering::Release);
        self.waker.wake();
    }
}

impl Inbox {
    pub(super) fn new(waker: Waker) -> Self {
        let commands = Mutex::new(Some(Vec::new()));
        Self(Arc::new(Mailbox { commands, has_commands: AtomicBool::new(false), waker }))
    }

    /// Returns the end of other threads.
    pub(super) fn mailbox(&self) -> Arc<Mailbox> {
        Arc::clone(&self.0)
    }

    pub(super) fn take(&self) -> Vec<Command> {
        if !self.0.has_commands.load(Ordering::Acquire) {
            return Vec::new();
        }
        // A command that is queued between these two lines is taken, and the flag stays up for nothing, once.
        self.0.has_commands.store(false, Ordering::Release);
        lock(&self.0.commands).as_mut().map(std::mem::take).unwrap_or_default()
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        // Dropped outside the lock: a command may wake somebody who sends the next one.
        let unread = lock(&self.0.commands).take();
        drop(unread);
    }
}
