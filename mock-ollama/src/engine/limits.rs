//! How much of a client the server bears.

use std::time::Duration;

use crate::http::{MAX_BODY_BYTES, MAX_HEAD_BYTES};

/// How much of a client the server bears. By default as much as Ollama does, which has no time limits.
///
/// A connection that reaches a time limit is closed without a word, as by `net/http`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The bytes of a request's head; at most [`MAX_HEAD_BYTES`]. A longer one is answered with 431.
    pub head_bytes: usize,
    /// The bytes of a request's body. A longer one is answered with 413.
    pub body_bytes: u64,
    /// How long a connection may stay open between requests.
    pub idle: Option<Duration>,
    /// How long a request may take from its first byte to its last.
    pub request: Option<Duration>,
    /// How long a client may leave output waiting without taking any of it.
    pub stall: Option<Duration>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { head_bytes: MAX_HEAD_BYTES, body_bytes: MAX_BODY_BYTES, idle: None, request: None, stall: None }
    }
}

impl Limits {
    /// Returns the shortest of the time limits.
    pub(super) fn shortest(&self) -> Option<Duration> {
        [self.idle, self.request, self.stall].into_iter().flatten().min()
    }
}
