//! What other threads may ask of the loop.

use std::sync::mpsc::{self, Receiver, Sender};

use super::pending::PendingWait;
use super::poll::LoopWaker;
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
    /// Tell when something is reached.
    Wait(PendingWait),
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

/// The way of commands to the loop. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Mailbox {
    commands: Sender<Command>,
    waker: LoopWaker,
}

impl Mailbox {
    /// Returns the way, and its end at the loop.
    pub(super) fn new(waker: LoopWaker) -> (Self, Receiver<Command>) {
        let (commands, queue) = mpsc::channel();
        (Self { commands, waker }, queue)
    }

    /// Queues a command and wakes the loop. One that has ended drops it, which tells who asked.
    pub(super) fn send(&self, command: Command) {
        drop(self.commands.send(command));
        self.waker.wake();
    }
}
