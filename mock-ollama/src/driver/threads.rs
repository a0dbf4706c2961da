//! The threads of a server, an event loop each, and the way to reach them.

use std::io;
use std::net::TcpListener;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use super::command::{Board, Command, Mailbox};
use super::event_loop::{Around, EventLoop};
use super::observer::Observer;
use super::service::Service;
use super::time::TimeSource;
use crate::engine::{Engine, Release};
use crate::journal::{Journal, Keep};

/// How long a loop may take to hand out a copy of its journal.
const PATIENCE: Duration = Duration::from_secs(5);

/// What one thread is made of.
pub(crate) struct Part {
    /// A listener for each server of the engine, in their order.
    pub(crate) listeners: Vec<TcpListener>,
    pub(crate) engine: Engine,
    pub(crate) time: Box<dyn TimeSource>,
    pub(crate) observer: Box<dyn Observer>,
}

/// The threads of a server.
#[derive(Debug)]
pub(crate) struct Threads {
    mailboxes: Vec<Arc<Mailbox>>,
    board: Arc<Board>,
    handles: Vec<JoinHandle<io::Result<Journal>>>,
    keep: Keep,
}

/// Tells the other loops to end when this one does, however it does.
struct EndsOthers(Vec<Arc<Mailbox>>);

impl Drop for EndsOthers {
    fn drop(&mut self) {
        self.0.iter().for_each(|mailbox| mailbox.send(Command::Stop));
    }
}

impl Threads {
    /// Starts a thread for each part; their engines are the shards of one server.
    pub(crate) fn start(parts: Vec<Part>, service: Service, keep: Keep) -> io::Result<Self> {
        let board = Arc::new(Board::new(parts.len()));
        let connections = Arc::new(AtomicUsize::new(0));
        let loops = parts.len();
        let made = parts.into_iter().enumerate().map(|(number, part)| {
            let (board, connections) = (Arc::clone(&board), Arc::clone(&connections));
            EventLoop::new(part, Around { number, loops, board, connections }, service)
        });
        let (made, mailboxes): (Vec<_>, Vec<_>) = made.collect::<io::Result<Vec<_>>>()?.into_iter().unzip();
        let mut this = Self { mailboxes, board, handles: Vec::new(), keep };
        for (number, event_loop) in made.into_iter().enumerate() {
            let all = this.mailboxes.clone();
            let name = if loops == 1 { "mock-ollama".to_owned() } else { format!("mock-ollama-{number}") };
            let thread = std::thread::Builder::new().name(name).spawn(move || {
                let _ends_others = EndsOthers(all.clone());
                event_loop.run(&all)
            });
            match thread {
                Ok(thread) => this.handles.push(thread),
                Err(error) => {
                    drop(this.stop());
                    return Err(error);
                }
            }
        }
        Ok(this)
    }

    /// Under a stepped pace: lets `chunks` more chunks of these streams leave.
    pub(crate) fn release(&self, which: &Release, chunks: u64) {
        for mailbox in &self.mailboxes {
            mailbox.send(Command::Release(which.clone(), chunks));
        }
    }

    /// Waits until exactly `streams` streams are in progress; says whether they are within `timeout`.
    pub(crate) fn wait_in_flight(&self, streams: usize, timeout: Duration) -> bool {
        self.board.wait(timeout, |witness| witness.in_flight == streams)
    }

    /// Waits until `requests` requests have come in; says whether they have within `timeout`.
    pub(crate) fn wait_requests(&self, requests: usize, timeout: Duration) -> bool {
        self.board.wait(timeout, |witness| witness.requests >= requests)
    }

    /// What happened so far, where a loop has not failed.
    pub(crate) fn journal(&self) -> Journal {
        let asked: Vec<_> = self
            .mailboxes
            .iter()
            .map(|mailbox| {
                let (reply, journal) = mpsc::channel();
                mailbox.send(Command::Journal(reply));
                journal
            })
            .collect();
        // A loop that has ended drops the mailbox's commands, and with them the sender.
        Journal::merged(asked.into_iter().filter_map(|journal| journal.recv_timeout(PATIENCE).ok()), self.keep)
    }

    /// Ends all loops; what happened, or how the first that failed did. `None` when one of them panicked, or there are none
    /// any more.
    pub(crate) fn stop(&mut self) -> Option<io::Result<Journal>> {
        if self.handles.is_empty() {
            return None;
        }
        self.mailboxes.iter().for_each(|mailbox| mailbox.send(Command::Stop));
        let ended: Vec<_> = std::mem::take(&mut self.handles).into_iter().map(JoinHandle::join).collect();
        let journals: io::Result<Vec<Journal>> =
            ended.into_iter().collect::<Result<Vec<_>, _>>().ok()?.into_iter().collect();
        Some(journals.map(|journals| Journal::merged(journals, self.keep)))
    }
}
