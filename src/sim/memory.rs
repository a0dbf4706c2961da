//! The engine behind in-memory pipes.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::task::{Poll, Waker};

use bytes::Bytes;
use mock_ollama::clock::Instant;
use mock_ollama::engine::{Action, Config, Engine};
use mock_ollama::journal::{ConnId, Journal, ServerId, StreamId};

use super::key::TimerKey;

/// The same engine that the socket driver runs, and the pipes of its connections.
pub(super) struct Memory {
    engine: Engine,
    pipes: BTreeMap<ConnId, Inbox>,
    next_conn: u64,
}

/// What a client has not read yet.
#[derive(Default)]
struct Inbox {
    bytes: VecDeque<Bytes>,
    ended: Option<Ended>,
    reader: Option<Waker>,
}

/// What follows the last byte.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ended {
    Eof,
    Reset,
}

impl Memory {
    pub(super) fn new(config: Config) -> Self {
        Self { engine: Engine::new(config), pipes: BTreeMap::new(), next_conn: 1 }
    }

    pub(super) fn journal(&self) -> Journal {
        self.engine.journal().clone()
    }

    pub(super) fn next(&self) -> Option<&TimerKey> {
        self.engine.poll_place()
    }

    /// Lets the next event happen; says whose it was and who is to be woken for it.
    pub(super) fn step(&mut self, now: Instant) -> (StreamId, Option<Waker>) {
        let Some(step) = self.engine.poll_step(now) else { return (StreamId::of("", 0), None) };
        let waker = step.action.and_then(|action| match action {
            Action::Write { conn, bytes } => {
                // A pipe takes everything at once: there is no window, so no back-pressure in virtual time.
                self.engine.handle_written(conn, bytes.len(), now);
                let inbox = self.pipes.get_mut(&conn)?;
                inbox.bytes.push_back(bytes);
                inbox.reader.take()
            }
            Action::Shutdown { conn } => self.end(conn, Ended::Eof),
            Action::Close { conn } => {
                self.engine.handle_closed(conn, now);
                self.end(conn, Ended::Eof)
            }
            Action::Reset { conn } | Action::Abandon { conn } => {
                self.engine.handle_closed(conn, now);
                self.end(conn, Ended::Reset)
            }
        });
        (step.stream, waker)
    }

    fn end(&mut self, conn: ConnId, how: Ended) -> Option<Waker> {
        let inbox = self.pipes.get_mut(&conn)?;
        // The first end stands: a close after a reset does not make it clean.
        inbox.ended.get_or_insert(how);
        inbox.reader.take()
    }

    pub(super) fn connect(&mut self, now: Instant) -> ConnId {
        let conn = ConnId(self.next_conn);
        self.next_conn += 1;
        self.engine.handle_connected(conn, ServerId(0), now);
        self.pipes.insert(conn, Inbox::default());
        conn
    }

    /// The client wrote.
    pub(super) fn receive(&mut self, conn: ConnId, bytes: &[u8], now: Instant) {
        self.engine.handle_input(conn, bytes, now);
    }

    /// The client reads as much as there is room for, from as many writes as that takes, as from a socket.
    pub(super) fn read(
        &mut self,
        conn: ConnId,
        room: usize,
        waker: &Waker,
        mut take: impl FnMut(&[u8]),
    ) -> Poll<io::Result<()>> {
        let Some(inbox) = self.pipes.get_mut(&conn) else { return Poll::Ready(Ok(())) };
        let mut read = 0;
        while let Some(first) = inbox.bytes.front_mut() {
            let piece = first.split_to(first.len().min(room - read));
            take(&piece);
            read += piece.len();
            // What is left of a write means that there is no more room.
            if !first.is_empty() {
                break;
            }
            inbox.bytes.pop_front();
        }
        // Bytes before the end: not even a reset overtakes what was sent before it.
        match inbox.ended {
            _ if read > 0 || room == 0 => Poll::Ready(Ok(())),
            Some(Ended::Eof) => Poll::Ready(Ok(())),
            Some(Ended::Reset) => Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
            None => {
                inbox.reader = Some(waker.clone());
                Poll::Pending
            }
        }
    }

    /// The client will send nothing more, which the engine takes for a hang-up. Hands back what must be dropped
    /// elsewhere.
    pub(super) fn hang_up(&mut self, conn: ConnId, now: Instant) -> Option<Waker> {
        if self.pipes.contains_key(&conn) && !self.engine.handle_half_closed(conn, now) {
            self.engine.handle_closed(conn, now);
        }
        self.pipes.remove(&conn)?.reader
    }
}
