//! The state of one connection.

use std::collections::VecDeque;

use super::action::Seq;
use super::limits::Limits;
use super::stream::Answering;
use super::timeline::{Event, Key, Timeline, What};
use crate::clock::Instant;
use crate::http::Parser;
use crate::journal::{ConnId, Fate, Ledger, ServerId};

/// One connection.
#[derive(Debug)]
pub(super) struct Conn {
    pub(super) server: ServerId,
    /// Boxed, since a chunk that leaves has no use for it: what it does use lies close together.
    pub(super) parser: Box<Parser>,
    pub(super) state: State,
    /// When it came to be as it is: idle, in the middle of a request, with bytes waiting that the client does not take.
    pub(super) since: Instant,
    /// Places of this connection's events that have not fired, beside the next chunk's.
    pub(super) pending: Vec<Key>,
    next_seq: u64,
    /// Bytes that were handed to the driver, and how many of them the transport has taken.
    handed: u64,
    written: u64,
    marks: VecDeque<Mark>,
}

/// What a connection is doing.
#[derive(Debug)]
pub(super) enum State {
    /// Waiting for a request.
    Reading,
    /// Sending a response; requests that were pipelined wait in the parser.
    Answering(Box<Answering>),
    /// On its way out: whatever comes is dropped.
    Leaving,
}

/// A place in the output whose passing the journal is told of.
#[derive(Debug)]
struct Mark {
    at: u64,
    entry: usize,
    /// The chunk that ends here; none at the end of the response.
    chunk: Option<usize>,
}

impl Conn {
    pub(super) fn new(server: ServerId, limits: &Limits, now: Instant) -> Self {
        Self {
            server,
            parser: Box::new(Parser::new(limits.head_bytes, limits.body_bytes)),
            since: now,
            state: State::Reading,
            pending: Vec::new(),
            next_seq: 0,
            handed: 0,
            written: 0,
            marks: VecDeque::new(),
        }
    }

    /// Puts the next chunk of the answer on the timeline, at `at`; it is due at `due`. `conn` is this connection.
    pub(super) fn place_chunk(&mut self, timeline: &mut Timeline, conn: ConnId, at: Instant, due: Instant) {
        let seq = Seq(self.next_seq());
        let State::Answering(answering) = &mut self.state else { return };
        answering.next_chunk_at = Some((at, seq));
        timeline.insert((at, answering.stream.clone(), seq), Event { conn, what: What::Chunk { due } });
    }

    /// Takes all its events off the timeline.
    pub(super) fn forget_events(&mut self, timeline: &mut Timeline) {
        let chunk = match &mut self.state {
            State::Answering(answering) => answering.take_next_key(),
            State::Reading | State::Leaving => None,
        };
        for key in self.pending.drain(..).chain(chunk) {
            timeline.remove(key);
        }
    }

    /// Reads of what a chunk that leaves is going to use; the value means nothing.
    pub(super) fn look(&self) -> u64 {
        let room = self.marks.len() as u64;
        self.handed ^ self.written ^ self.next_seq ^ room ^ u64::from(matches!(self.state, State::Reading))
    }

    /// The answer that it is sending, if any.
    pub(super) fn answering(&self) -> Option<&Answering> {
        match &self.state {
            State::Answering(answering) => Some(answering),
            State::Reading | State::Leaving => None,
        }
    }

    pub(super) fn next_seq(&mut self) -> u64 {
        self.next_seq += 1;
        self.next_seq
    }

    /// Bytes that the driver holds for the transport.
    pub(super) fn backlog(&self) -> u64 {
        self.handed - self.written
    }

    pub(super) fn hand_out(&mut self, bytes: usize, now: Instant) {
        if self.backlog() == 0 {
            self.since = now;
        }
        self.handed += bytes as u64;
    }

    /// Notes that the output handed out so far ends a chunk, or the response, of an entry that the journal has.
    pub(super) fn mark(&mut self, entry: usize, chunk: Option<usize>) {
        self.marks.push_back(Mark { at: self.handed, entry, chunk });
    }

    /// Tells the journal what the transport has taken in full.
    pub(super) fn wrote(&mut self, bytes: usize, now: Instant, ledger: &mut Ledger) {
        self.written += bytes as u64;
        if bytes > 0 {
            self.since = now;
        }
        while let Some(mark) = self.marks.front().filter(|mark| mark.at <= self.written) {
            if let Some(entry) = ledger.entry_mut(mark.entry) {
                match mark.chunk {
                    Some(chunk) => entry.chunks[chunk].written = Some(now),
                    None => entry.fate = Fate::Complete,
                }
            }
            self.marks.pop_front();
        }
    }

    /// Tells the journal that the rest will never be taken.
    pub(super) fn abort(&mut self, ledger: &mut Ledger) {
        let open = self.answering().map(|answering| answering.entry);
        for entry in self.marks.drain(..).map(|mark| mark.entry).chain(open) {
            let Some(entry) = ledger.entry_mut(entry) else { continue };
            let after_chunk = entry.chunks.iter().take_while(|chunk| chunk.written.is_some()).count();
            entry.fate = Fate::Aborted { after_chunk };
        }
    }
}
