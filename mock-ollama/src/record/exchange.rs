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

use super::capture::Capture;
use super::error::NotRecorded;
use super::relay::Relay;
use super::state::{ExchangePermit, RecorderState};
use super::wire::{forbidden, unreachable};
use super::writers::WriteJob;
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

/// How many reads an exchange gets before the other exchanges are served.
const MAX_READS_PER_STEP: usize = 16;

/// What exchanges need of the loop around them.
pub(super) struct LoopContext<'a> {
    pub(super) state: &'a RecorderState,
    pub(super) poller: &'a Poller,
    pub(super) jobs: &'a Sender<WriteJob>,
    /// Room for one read.
    pub(super) buffer: &'a mut [u8],
    /// Room for output that is copied together.
    pub(super) gathered: &'a mut Vec<u8>,
}

/// What is to be done next with an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// There may be more to do at once.
    Again,
    /// There is nothing to do before something happens to a socket.
    Wait,
    /// The connection is to be closed.
    Close,
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
    permit: Arc<ExchangePermit>,
}

#[derive(Debug)]
enum Stage {
    /// The request comes in.
    Reading(Box<Parser>),
    /// A connection to the upstream is being made.
    Connecting(Box<Connecting>),
    /// The request goes out, and the answer comes in.
    Relay(Box<Relay>),
    /// The client has got everything.
    Leaving,
}

#[derive(Debug)]
struct Connecting {
    upstream: Socket,
    request: Request,
    /// The addresses that have not been tried.
    untried: std::vec::IntoIter<SocketAddr>,
}

impl Exchange {
    /// Returns an exchange with a client that has just connected. `token` is what its upstream's socket will be polled
    /// by.
    pub(super) fn new(client: Socket, token: u64, permit: Arc<ExchangePermit>) -> Self {
        Self { client, stage: Stage::Reading(Box::default()), since: Monotonic.now(), token, permit }
    }

    /// Notes that something happened to the client's socket.
    pub(super) fn set_client_ready(&mut self, readable: bool, writable: bool) {
        self.client.readable |= readable;
        self.client.writable |= writable;
    }

    /// Notes that something happened to the upstream's socket.
    pub(super) fn set_upstream_ready(&mut self, readable: bool, writable: bool) {
        let upstream = match &mut self.stage {
            Stage::Connecting(connecting) => &mut connecting.upstream,
            Stage::Relay(relaying) => &mut relaying.upstream,
            Stage::Reading(_) | Stage::Leaving => return,
        };
        upstream.readable |= readable;
        upstream.writable |= writable;
    }

    /// Returns when the current stage times out; `None` where it may take for ever.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let timeout = match &self.stage {
            _ if !self.client.is_flushed() => STALL_TIMEOUT,
            Stage::Reading(_) => REQUEST_TIMEOUT,
            Stage::Connecting(_) => CONNECT_TIMEOUT,
            // A model may take as long as it likes.
            Stage::Relay(_) => return None,
            Stage::Leaving => LEAVING_TIMEOUT,
        };
        Some(self.since.saturating_add(timeout))
    }

    /// Ends the stage, which has timed out.
    pub(super) fn time_out(&mut self, context: &mut LoopContext<'_>) -> Step {
        match &self.stage {
            Stage::Connecting(_) => {
                self.connect_again(io::ErrorKind::TimedOut.into(), context);
                self.advance(context)
            }
            _ => self.cut(context),
        }
    }

    /// Ends it, as far as it has come.
    pub(super) fn cut(&mut self, context: &mut LoopContext<'_>) -> Step {
        match std::mem::replace(&mut self.stage, Stage::Leaving) {
            Stage::Relay(relaying) => self.record(relaying.into_capture(), End::ClientClosed, context),
            Stage::Connecting(connecting) => {
                let Request { head, body, .. } = connecting.request;
                self.record(Capture::of(head, body.into(), self.since), End::ClientClosed, context);
            }
            Stage::Reading(_) | Stage::Leaving => {}
        }
        Step::Close
    }

    /// Does all that can be done at once, or a fair part of it.
    pub(super) fn advance(&mut self, context: &mut LoopContext<'_>) -> Step {
        for _ in 0..MAX_READS_PER_STEP {
            match self.client.flush(context.gathered, false) {
                Ok(flushed) if flushed.bytes > 0 => self.since = Monotonic.now(),
                Ok(_) => {}
                Err(_) => return self.cut(context),
            }
            if !matches!(self.stage, Stage::Reading(_)) && self.client_left(context) {
                return self.cut(context);
            }
            let step = match &self.stage {
                Stage::Reading(_) => self.read_request(context),
                Stage::Connecting(_) => self.finish_connecting(context),
                Stage::Relay(_) => self.relay(context),
                Stage::Leaving => Step::Wait,
            };
            match step {
                Step::Again => {}
                Step::Wait if self.client.readable => {}
                Step::Wait => return Step::Wait,
                Step::Close => return Step::Close,
            }
        }
        Step::Again
    }

    /// Reads what a client sends behind its request, which is ignored. Returns whether it has hung up.
    fn client_left(&mut self, context: &mut LoopContext<'_>) -> bool {
        // A client that closes its sending side has left, as Go's server takes it.
        self.client.readable && matches!(self.client.read(context.buffer), Ok(ReadOutcome::Eof) | Err(_))
    }

    fn read_request(&mut self, context: &mut LoopContext<'_>) -> Step {
        let Stage::Reading(parser) = &mut self.stage else { return Step::Wait };
        match parser.parse_next() {
            Ok(Parsed::Request(request)) => self.admit(*request, context),
            Ok(Parsed::Continue) => {
                self.client.push(Bytes::from_static(CONTINUE));
                Step::Again
            }
            Ok(Parsed::Incomplete) => match self.client.read(context.buffer) {
                Ok(ReadOutcome::Bytes(read)) => {
                    parser.push(&context.buffer[..read]);
                    Step::Again
                }
                Ok(ReadOutcome::Nothing) => Step::Wait,
                Ok(ReadOutcome::Eof) | Err(_) => Step::Close,
            },
            Err(error) => self.answer(error.response()),
        }
    }

    /// Lets a request in, where its origin and its `Host` are those that the real server lets in.
    fn admit(&mut self, request: Request, context: &mut LoopContext<'_>) -> Step {
        match gate(&request.head, ServerId::default(), &context.state.gate, &[]) {
            Gate::Answer { status: 403, fields, body } => self.answer(forbidden(&request.head, fields, body)),
            // All else is for the upstream to say.
            _ => {
                self.connect(request, context.state.addrs.clone().into_iter(), io::ErrorKind::NotFound.into(), context)
            }
        }
    }

    /// Begins to connect to the next address; tells the client when there is none, and how the last one `failed`.
    fn connect(
        &mut self,
        request: Request,
        mut untried: std::vec::IntoIter<SocketAddr>,
        mut failed: io::Error,
        context: &mut LoopContext<'_>,
    ) -> Step {
        while let Some(addr) = untried.next() {
            let begun = Socket::connecting(addr).and_then(|mut upstream| {
                context.poller.add_stream(&mut upstream.stream, self.token)?;
                Ok(upstream)
            });
            match begun {
                Ok(upstream) => {
                    self.go_to(Stage::Connecting(Box::new(Connecting { upstream, request, untried })));
                    return Step::Wait;
                }
                Err(error) => failed = error,
            }
        }
        let answer = unreachable(&context.state.upstream, &failed);
        let mut capture = Capture::of(request.head, request.body.into(), self.since);
        capture.give_up(NotRecorded::Unreachable { url: context.state.upstream.clone(), source: failed });
        self.record(capture, End::ClientClosed, context);
        self.answer(answer)
    }

    /// Goes on to the next address, since one has `failed`.
    fn connect_again(&mut self, failed: io::Error, context: &mut LoopContext<'_>) -> Step {
        match std::mem::replace(&mut self.stage, Stage::Leaving) {
            Stage::Connecting(connecting) => self.connect(connecting.request, connecting.untried, failed, context),
            _ => Step::Close,
        }
    }

    fn finish_connecting(&mut self, context: &mut LoopContext<'_>) -> Step {
        let Stage::Connecting(connecting) = &mut self.stage else { return Step::Wait };
        if !connecting.upstream.writable {
            return Step::Wait;
        }
        match connecting.upstream.is_connected() {
            Ok(true) => {}
            Ok(false) => {
                connecting.upstream.writable = false;
                return Step::Wait;
            }
            Err(error) => return self.connect_again(error, context),
        }
        let Stage::Connecting(connecting) = std::mem::replace(&mut self.stage, Stage::Leaving) else {
            return Step::Close;
        };
        let Connecting { upstream, request, .. } = *connecting;
        let relaying = Relay::new(upstream, request, &context.state.upstream, Monotonic.now());
        self.go_to(Stage::Relay(Box::new(relaying)));
        Step::Again
    }

    fn relay(&mut self, context: &mut LoopContext<'_>) -> Step {
        let Stage::Relay(relaying) = &mut self.stage else { return Step::Wait };
        relaying.send(context.gathered);
        // As long as the client does not take what there is, nothing more is read: so the upstream is held up, too.
        if !relaying.upstream.readable || !self.client.is_flushed() {
            return Step::Wait;
        }
        let ended = match relaying.upstream.read(context.buffer) {
            Ok(ReadOutcome::Bytes(read)) => {
                let (bytes, now) = (&context.buffer[..read], Monotonic.now());
                // The client first: it need not wait until the bytes have been looked at.
                self.client.push(Bytes::copy_from_slice(bytes));
                let has_left = self.client.flush(context.gathered, false).is_err();
                self.since = now;
                relaying.look_at(bytes, now);
                if has_left {
                    self.cut(context);
                    return Step::Close;
                }
                if !relaying.is_done() {
                    return Step::Again;
                }
                End::Clean
            }
            Ok(ReadOutcome::Nothing) => return Step::Wait,
            Ok(ReadOutcome::Eof) => relaying.end_of_connection(),
            Err(_) => End::Reset,
        };
        let Stage::Relay(relaying) = std::mem::replace(&mut self.stage, Stage::Leaving) else { return Step::Close };
        let is_reset = ended == End::Reset && !relaying.has_passed_on();
        self.record(relaying.into_capture(), ended, context);
        if is_reset {
            // Of an answer that has begun a reset could cost the client what it has not read.
            self.client.abandon();
            return Step::Close;
        }
        self.leave()
    }

    /// Hands what was captured to the writers.
    fn record(&self, capture: Capture, end: End, context: &mut LoopContext<'_>) {
        // The writers live as long as the loop.
        let _ = context.jobs.send(WriteJob { capture, end, permit: Arc::clone(&self.permit) });
    }

    /// Answers in place of the upstream.
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
