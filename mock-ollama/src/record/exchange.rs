//! One exchange on its way through: a request of a client, and what the upstream answers.
//!
//! Neither side is ever waited for: every step does what the sockets can do at once, so that the client's hang-up and
//! the end of the recorder are seen at any moment.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Duration;

use bytes::Bytes;

use super::error::NotRecorded;
use super::note::Note;
use super::relaying::Relaying;
use super::setting::{Setting, Slot};
use super::wire::{forbidden, unreachable};
use super::writers::Job;
use crate::clock::{Clock as _, Instant};
use crate::driver::{AfterFlush, Monotonic, Poller, ReadOutcome, Socket};
use crate::http::{CONTINUE, Gate, Parsed, Parser, Request, gate};
use crate::journal::ServerId;
use crate::recording::End;

/// How long a request may take from the start of its connection.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);

/// How long an address of the upstream may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a client may leave bytes waiting for it without taking any.
const STALL_TIMEOUT: Duration = Duration::from_secs(300);

/// How long a client may take to close after its answer: to close first could cost it the end of that.
const LEAVING_TIMEOUT: Duration = Duration::from_secs(2);

/// How many reads an exchange gets before the others have their turn.
const MAX_READS: usize = 16;

/// What exchanges need of the loop around them.
pub(super) struct Around<'a> {
    pub(super) setting: &'a Setting,
    pub(super) poller: &'a Poller,
    pub(super) jobs: &'a Sender<Job>,
    /// Room for one read.
    pub(super) buffer: &'a mut [u8],
    /// Room for output that is copied together.
    pub(super) gathered: &'a mut Vec<u8>,
}

/// What an exchange does after its turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// It waits for its sockets.
    Waits,
    /// It has more to do at once.
    HasMore,
    /// It is over.
    Over,
}

/// One connection of a client, which carries one exchange.
#[derive(Debug)]
pub(super) struct Exchange {
    client: Socket,
    stage: Stage,
    /// When the stage began, or the client last took something.
    since: Instant,
    /// The token of the upstream's socket.
    token: u64,
    slot: Arc<Slot>,
}

#[derive(Debug)]
enum Stage {
    /// The request comes in.
    Reading(Box<Parser>),
    /// A connection to the upstream is being made.
    Connecting(Box<Connecting>),
    /// The request goes out, and the answer comes in.
    Relaying(Box<Relaying>),
    /// The client has got all that it gets.
    Leaving,
}

#[derive(Debug)]
struct Connecting {
    upstream: Socket,
    request: Request,
    /// The addresses that have not been tried.
    left: std::vec::IntoIter<SocketAddr>,
}

impl Exchange {
    /// An exchange with a client that has just connected. `token` is what its upstream's socket will be polled by.
    pub(super) fn new(client: Socket, token: u64, slot: Arc<Slot>) -> Self {
        Self { client, stage: Stage::Reading(Box::default()), since: Monotonic.now(), token, slot }
    }

    /// Something happened to the client's socket.
    pub(super) fn client_is(&mut self, readable: bool, writable: bool) {
        self.client.readable |= readable;
        self.client.writable |= writable;
    }

    /// Something happened to the upstream's socket.
    pub(super) fn upstream_is(&mut self, readable: bool, writable: bool) {
        let upstream = match &mut self.stage {
            Stage::Connecting(connecting) => &mut connecting.upstream,
            Stage::Relaying(relaying) => &mut relaying.upstream,
            Stage::Reading(_) | Stage::Leaving => return,
        };
        upstream.readable |= readable;
        upstream.writable |= writable;
    }

    /// When it has waited for long enough, as things stand.
    pub(super) fn expiry(&self) -> Option<Instant> {
        let patience = match &self.stage {
            _ if !self.client.is_flushed() => STALL_TIMEOUT,
            Stage::Reading(_) => REQUEST_TIMEOUT,
            Stage::Connecting(_) => CONNECT_TIMEOUT,
            // A model may take as long as it likes.
            Stage::Relaying(_) => return None,
            Stage::Leaving => LEAVING_TIMEOUT,
        };
        Some(self.since.saturating_add(patience))
    }

    /// It has waited for long enough.
    pub(super) fn expire(&mut self, around: &mut Around<'_>) -> Turn {
        match &self.stage {
            Stage::Connecting(_) => {
                self.connect_again(io::ErrorKind::TimedOut.into(), around);
                self.turn(around)
            }
            _ => self.cut(around),
        }
    }

    /// Ends it, as far as it has come.
    pub(super) fn cut(&mut self, around: &mut Around<'_>) -> Turn {
        match std::mem::replace(&mut self.stage, Stage::Leaving) {
            Stage::Relaying(relaying) => self.report(relaying.into_note(), End::ClientClosed, around),
            Stage::Connecting(connecting) => {
                let Request { head, body, .. } = connecting.request;
                self.report(Note::of(head, body.into(), self.since), End::ClientClosed, around);
            }
            Stage::Reading(_) | Stage::Leaving => {}
        }
        Turn::Over
    }

    /// Does all that can be done at once, or a fair part of it.
    pub(super) fn turn(&mut self, around: &mut Around<'_>) -> Turn {
        for _ in 0..MAX_READS {
            match self.client.flush(around.gathered, false) {
                Ok(flushed) if flushed.bytes > 0 => self.since = Monotonic.now(),
                Ok(_) => {}
                Err(_) => return self.cut(around),
            }
            if !matches!(self.stage, Stage::Reading(_)) && self.client_left(around) {
                return self.cut(around);
            }
            let step = match &self.stage {
                Stage::Reading(_) => self.read_request(around),
                Stage::Connecting(_) => self.finish_connecting(around),
                Stage::Relaying(_) => self.relay(around),
                Stage::Leaving => Step::Waits,
            };
            match step {
                Step::Again => {}
                Step::Waits if self.client.readable => {}
                Step::Waits => return Turn::Waits,
                Step::Over => return Turn::Over,
            }
        }
        Turn::HasMore
    }

    /// Reads what a client sends behind its request, which is ignored. Returns whether it has hung up.
    fn client_left(&mut self, around: &mut Around<'_>) -> bool {
        // A client that closes its sending side has left, as Go's server takes it.
        self.client.readable && matches!(self.client.read(around.buffer), Ok(ReadOutcome::Eof) | Err(_))
    }

    fn read_request(&mut self, around: &mut Around<'_>) -> Step {
        let Stage::Reading(parser) = &mut self.stage else { return Step::Waits };
        match parser.parse_next() {
            Ok(Parsed::Request(request)) => self.admit(*request, around),
            Ok(Parsed::Continue) => {
                self.client.push(Bytes::from_static(CONTINUE));
                Step::Again
            }
            Ok(Parsed::Incomplete) => match self.client.read(around.buffer) {
                Ok(ReadOutcome::Bytes(read)) => {
                    parser.push(&around.buffer[..read]);
                    Step::Again
                }
                Ok(ReadOutcome::Nothing) => Step::Waits,
                Ok(ReadOutcome::Eof) | Err(_) => Step::Over,
            },
            Err(error) => self.answer(error.response()),
        }
    }

    /// Lets a request in, where its origin and its `Host` are those that the real server lets in.
    fn admit(&mut self, request: Request, around: &mut Around<'_>) -> Step {
        match gate(&request.head, ServerId::default(), &around.setting.gate, &[]) {
            Gate::Answer { status: 403, fields, body } => self.answer(forbidden(&request.head, fields, body)),
            // All else is for the upstream to say.
            _ => {
                self.connect(request, around.setting.addrs.clone().into_iter(), io::ErrorKind::NotFound.into(), around)
            }
        }
    }

    /// Begins to connect to the next address; tells the client when there is none, and how the last one `failed`.
    fn connect(
        &mut self,
        request: Request,
        mut left: std::vec::IntoIter<SocketAddr>,
        mut failed: io::Error,
        around: &mut Around<'_>,
    ) -> Step {
        while let Some(addr) = left.next() {
            let begun = Socket::connecting(addr).and_then(|mut upstream| {
                around.poller.add_stream(&mut upstream.stream, self.token)?;
                Ok(upstream)
            });
            match begun {
                Ok(upstream) => {
                    self.go_to(Stage::Connecting(Box::new(Connecting { upstream, request, left })));
                    return Step::Waits;
                }
                Err(error) => failed = error,
            }
        }
        let answer = unreachable(&around.setting.upstream, &failed);
        let mut note = Note::of(request.head, request.body.into(), self.since);
        note.give_up(NotRecorded::Unreachable { url: around.setting.upstream.clone(), source: failed });
        self.report(note, End::ClientClosed, around);
        self.answer(answer)
    }

    /// An address has `failed`: on to the next.
    fn connect_again(&mut self, failed: io::Error, around: &mut Around<'_>) -> Step {
        match std::mem::replace(&mut self.stage, Stage::Leaving) {
            Stage::Connecting(connecting) => self.connect(connecting.request, connecting.left, failed, around),
            _ => Step::Over,
        }
    }

    fn finish_connecting(&mut self, around: &mut Around<'_>) -> Step {
        let Stage::Connecting(connecting) = &mut self.stage else { return Step::Waits };
        if !connecting.upstream.writable {
            return Step::Waits;
        }
        match connecting.upstream.is_connected() {
            Ok(true) => {}
            Ok(false) => {
                connecting.upstream.writable = false;
                return Step::Waits;
            }
            Err(error) => return self.connect_again(error, around),
        }
        let Stage::Connecting(connecting) = std::mem::replace(&mut self.stage, Stage::Leaving) else {
            return Step::Over;
        };
        let Connecting { upstream, request, .. } = *connecting;
        let relaying = Relaying::new(upstream, request, &around.setting.upstream, Monotonic.now());
        self.go_to(Stage::Relaying(Box::new(relaying)));
        Step::Again
    }

    fn relay(&mut self, around: &mut Around<'_>) -> Step {
        let Stage::Relaying(relaying) = &mut self.stage else { return Step::Waits };
        relaying.send(around.gathered);
        // As long as the client does not take what there is, nothing more is read: so the upstream is held up, too.
        if !relaying.upstream.readable || !self.client.is_flushed() {
            return Step::Waits;
        }
        let ended = match relaying.upstream.read(around.buffer) {
            Ok(ReadOutcome::Bytes(read)) => {
                let (bytes, now) = (&around.buffer[..read], Monotonic.now());
                // The client first: it need not wait until the bytes have been looked at.
                self.client.push(Bytes::copy_from_slice(bytes));
                let has_left = self.client.flush(around.gathered, false).is_err();
                self.since = now;
                relaying.look_at(bytes, now);
                if has_left {
                    self.cut(around);
                    return Step::Over;
                }
                if !relaying.is_done() {
                    return Step::Again;
                }
                End::Clean
            }
            Ok(ReadOutcome::Nothing) => return Step::Waits,
            Ok(ReadOutcome::Eof) => relaying.end_of_connection(),
            Err(_) => End::Reset,
        };
        let Stage::Relaying(relaying) = std::mem::replace(&mut self.stage, Stage::Leaving) else { return Step::Over };
        let is_reset = ended == End::Reset && !relaying.has_passed_on();
        self.report(relaying.into_note(), ended, around);
        if is_reset {
            // Of an answer that has begun a reset could cost the client what it has not read.
            self.client.abandon();
            return Step::Over;
        }
        self.leave()
    }

    /// Hands on what was noted of an exchange that ended so.
    fn report(&self, note: Note, end: End, around: &mut Around<'_>) {
        // The writers live as long as the loop.
        let _ = around.jobs.send(Job { note, end, slot: Arc::clone(&self.slot) });
    }

    /// Answers in the upstream's stead.
    fn answer(&mut self, bytes: Vec<u8>) -> Step {
        self.client.push(bytes.into());
        self.leave()
    }

    fn leave(&mut self) -> Step {
        self.client.set_after_flush(AfterFlush::Shutdown);
        self.go_to(Stage::Leaving);
        Step::Again
    }

    fn go_to(&mut self, stage: Stage) {
        (self.stage, self.since) = (stage, Monotonic.now());
    }
}

/// What a stage comes to.
enum Step {
    /// There may be more to do.
    Again,
    /// There is nothing to do before something happens to a socket.
    Waits,
    /// The connection is to be closed.
    Over,
}
