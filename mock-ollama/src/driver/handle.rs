//! The thread of a server, and the way to reach it.

use std::io;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use super::command::{Command, Mailbox, RuleCommand};
use super::event_loop::EventLoop;
use super::pending::WaitGoal;
use super::wait::Wait;
use crate::engine::Release;
use crate::journal::{Journal, RuleUse};
use crate::rules::RuleId;

/// How long the loop may take to send a copy of its journal.
const JOURNAL_TIMEOUT: Duration = Duration::from_secs(5);

/// The thread of a server.
#[derive(Debug)]
pub(crate) struct LoopHandle {
    mailbox: Mailbox,
    thread: Option<JoinHandle<io::Result<Journal>>>,
}

impl LoopHandle {
    /// Starts a thread that runs the loop.
    pub(crate) fn start(event_loop: EventLoop) -> io::Result<Self> {
        let mailbox = event_loop.mailbox();
        let thread = std::thread::Builder::new().name("mock-ollama".to_owned()).spawn(move || event_loop.run())?;
        Ok(Self { mailbox, thread: Some(thread) })
    }

    /// Lets `chunks` more chunks of these streams leave, under a stepped pace.
    pub(crate) fn release(&self, which: Release, chunks: u64) {
        self.mailbox.send(Command::Release(which, chunks));
    }

    /// Returns a wait for `goal`.
    pub(crate) fn wait_for(&self, goal: WaitGoal) -> Wait {
        Wait::new(self.mailbox.clone(), goal)
    }

    /// Returns what has happened so far; nothing when the loop has failed.
    pub(crate) fn journal(&self) -> Journal {
        let (reply, journal) = mpsc::channel();
        self.mailbox.send(Command::Journal(reply));
        journal.recv_timeout(JOURNAL_TIMEOUT).unwrap_or_default()
    }

    /// Carries this out, and returns the rule that it was about. When it returns, it holds for every later request.
    pub(crate) fn rule(&self, command: RuleCommand) -> Option<RuleId> {
        let (reply, id) = mpsc::channel();
        self.mailbox.send(Command::Rule(command, reply));
        id.recv_timeout(JOURNAL_TIMEOUT).ok().flatten()
    }

    /// Takes a rule back, and returns how often it was used.
    pub(crate) fn remove_rule(&self, id: RuleId) -> Option<RuleUse> {
        let (reply, used) = mpsc::channel();
        self.mailbox.send(Command::RemoveRule(id, reply));
        used.recv_timeout(JOURNAL_TIMEOUT).ok().flatten()
    }

    /// Ends the loop, and returns what has happened or how it failed. `None` when it panicked or has been stopped before.
    pub(crate) fn stop(&mut self) -> Option<io::Result<Journal>> {
        let thread = self.thread.take()?;
        self.mailbox.send(Command::Stop);
        thread.join().ok()
    }
}
