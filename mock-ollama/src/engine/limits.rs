//! How much of a client the server bears, and the clock that it holds against it.

use std::time::Duration;

use super::action::{Action, Seq};
use super::conn::{Conn, State};
use super::run::Engine;
use super::timeline::{Event, What};
use crate::clock::Instant;
use crate::http::{MAX_BODY_BYTES, MAX_HEAD_BYTES};
use crate::journal::{Caller, ConnId, StreamId};

/// How much of a client the server bears. By default as much as Ollama does, which has no time limits.
///
/// A connection that reaches a limit of time is closed without a word, as by `net/http`.
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
    /// How long a client may leave bytes waiting for it without taking any.
    pub stall: Option<Duration>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { head_bytes: MAX_HEAD_BYTES, body_bytes: MAX_BODY_BYTES, idle: None, request: None, stall: None }
    }
}

impl Limits {
    /// When a connection has used up its patience, as things stand; `None` when what it does may take for ever.
    fn expiry(&self, conn: &Conn) -> Option<Instant> {
        let limit = match conn.state {
            _ if conn.backlog() > 0 => self.stall,
            State::Reading if conn.parser.is_idle() => self.idle,
            State::Reading => self.request,
            State::Answering(_) | State::Leaving => None,
        };
        limit.map(|limit| conn.since.saturating_add(limit))
    }

    /// How long after `since` it is time to look again, where nothing expires as things stand.
    fn shortest(&self) -> Option<Duration> {
        [self.idle, self.request, self.stall].into_iter().flatten().min()
    }
}

impl Engine {
    /// Sets the clock of a connection. There is at most one for each, which rings when the connection may have reached a
    /// limit, looks, and is set again: what a connection does costs nothing but a note of when it did.
    pub(super) fn watch(&mut self, conn: ConnId, now: Instant) {
        let Some(state) = self.conns.get_mut(&conn) else { return };
        let Some(shortest) = self.config.limits.shortest() else { return };
        let again = now.saturating_add(shortest);
        let at = self.config.limits.expiry(state).unwrap_or(again).min(again);
        let key = (at, StreamId { caller: Caller::Connection(conn), exchange: 0 }, Seq(state.next_seq()));
        state.pending.push(key.clone());
        self.timeline.insert(key, Event { conn, what: What::Look });
    }

    /// The clock of a connection rings.
    pub(super) fn look(&mut self, conn: ConnId, now: Instant) -> Option<Action> {
        let state = self.conns.get_mut(&conn)?;
        if self.config.limits.expiry(state).is_none_or(|expiry| expiry > now) {
            self.watch(conn, now);
            return None;
        }
        if state.backlog() > 0 {
            return Some(Action::Abandon { conn });
        }
        state.state = State::Leaving;
        Some(Action::Close { conn })
    }
}
