//! A request on its way out, and the answer on its way in.

use bytes::Bytes;

use super::capture::Capture;
use super::error::NotRecorded;
use super::limits::MAX_ANSWER_BYTES;
use super::upstream::UpstreamUrl;
use super::wire::forwarded;
use crate::clock::{Clock as _, Instant};
use crate::driver::{Monotonic, Socket};
use crate::http::{Received, Request, Upstream};
use crate::recording::End;

/// The upstream's side of an exchange.
#[derive(Debug)]
pub(super) struct Relay {
    pub(super) upstream: Socket,
    /// Whether some of the request has not been sent, and may still be.
    sends: bool,
    response: Upstream,
    /// When the last bytes of the answer came; `None` before the first.
    arrived: Option<Instant>,
    /// Whether bytes of the answer are still understood.
    is_read: bool,
    capture: Capture,
}

impl Relay {
    /// Sends a request on over a connection that has just been made.
    pub(super) fn new(mut upstream: Socket, request: Request, url: &UpstreamUrl, now: Instant) -> Self {
        let Request { head, body, .. } = request;
        let body = Bytes::from(body);
        upstream.push(forwarded(&head, body.len(), url).into());
        if !body.is_empty() {
            upstream.push(body.clone());
        }
        let response = Upstream::new(&head.method, MAX_ANSWER_BYTES);
        Self { upstream, sends: true, response, arrived: None, is_read: true, capture: Capture::of(head, body, now) }
    }

    /// Sends what the upstream takes of the request. One that takes no more may have answered all the same (RFC 9112 §9.5).
    pub(super) fn send(&mut self, gathered: &mut Vec<u8>) {
        if !self.sends {
            return;
        }
        let failed = self.upstream.flush(gathered, false).is_err();
        self.sends = !failed && !self.upstream.is_flushed();
        if self.upstream.is_flushed() && !self.capture.is_answered() {
            self.capture.sent(Monotonic.now());
        }
    }

    /// Notes what has come of the answer.
    pub(super) fn look_at(&mut self, bytes: &[u8], now: Instant) {
        self.arrived = Some(now);
        if !self.is_read {
            return;
        }
        let received = self.response.push(bytes).unwrap_or_else(|error| {
            self.is_read = false;
            self.capture.give_up(NotRecorded::BadAnswer(error));
            Vec::new()
        });
        for received in received {
            match received {
                Received::Head { status, fields } => self.capture.head(status, fields),
                Received::Chunk(bytes) => self.capture.chunk(bytes, now),
                Received::TooLong => self.capture.give_up(NotRecorded::TooLarge),
                Received::End => {}
            }
        }
    }

    /// Returns whether any of the answer has come.
    pub(super) fn has_passed_on(&self) -> bool {
        self.arrived.is_some()
    }

    /// Returns whether all of the answer has come.
    pub(super) fn is_done(&self) -> bool {
        self.response.is_done()
    }

    /// Returns how the answer ended, since the upstream has closed.
    pub(super) fn end_of_connection(&mut self) -> End {
        if self.response.finish() { End::Clean } else { End::Eof }
    }

    /// Returns what was noted, with what came of a chunk that is not complete.
    pub(super) fn into_capture(mut self) -> Capture {
        if let (Some(chunk), Some(arrived)) = (self.response.take_partial_chunk(), self.arrived) {
            self.capture.chunk(chunk, arrived);
        }
        self.capture
    }
}
