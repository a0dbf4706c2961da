//! The thread of a server, and the way to reach it.

use std::io;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use super::command::{Command, Mailbox, RuleCommand, StatusBoard};
use super::event_loop::EventLoop;
use crate::engine::Release;
use crate::journal::{Journal, RuleUse};
use crate::rules::RuleId;

/// How long the loop may take to send a copy of its journal.
const JOURNAL_TIMEOUT: Duration = Duration::from_secs(5);

/// The thread of a server.
#[derive(Debug)]
pub(crate) struct LoopHandle {
    mailbox: Arc<Mailbox>,
    board: Arc<StatusBoard>,
    thread: Option<JoinHandle<io::Result<Journal>>>,
}

impl LoopHandle {
    /// Starts a thread that runs the loop.
    pub(crate) fn start(event_loop: EventLoop) -> io::Result<Self> {
        let (mailbox, board) = (event_loop.mailbox(), event_loop.board());
        let thread = std::thread::Builder::new().name("mock-ollama".to_owned()).spawn(move || event_loop.run())?;
        Ok(Self { mailbox, board, thread: Some(thread) })
    }

    /// Lets `chunks` more chunks of these streams leave, under a stepped pace.
    pub(crate) fn release(&self, which: Release, chunks: u64) {
        self.mailbox.send(Command::Release(which, chunks));
    }

    /// Waits until exactly `streams` streams are in progress; returns whether they are within `timeout`.
    pub(crate) fn wait_in_flight(&self, streams: usize, timeout: Duration) -> bool {
        self.board.wait(timeout, |status| status.in_flight == streams)
    }

    /// Waits until `requests` requests have arrived; returns whether they have within `timeout`.
    pub(crate) fn wait_requests(&self, requests: usize, timeout: Duration) -> bool {
        self.board.wait(timeout, |status| status.requests >= requests)
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
