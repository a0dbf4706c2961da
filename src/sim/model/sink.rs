//! Where the events of a model run go.

use mock_ollama::clock::Instant;
use mock_ollama::journal::StreamId;

use super::super::log::{EventDigest, EventLog, LoggedEvent};
use crate::clients::AgentEvent;

/// Where events go.
pub(super) trait Sink {
    fn note(&mut self, at: Instant, agent: &str, exchange: u32, event: AgentEvent);
}

/// Counts events and digests them, and keeps none.
pub(super) struct Tally {
    pub(super) events: u64,
    /// When the last event happened.
    pub(super) ended: Instant,
    pub(super) digest: EventDigest,
}

impl Sink for Tally {
    fn note(&mut self, at: Instant, agent: &str, exchange: u32, event: AgentEvent) {
        self.events += 1;
        // Events come in order, so the last one is the end.
        self.ended = at;
        self.digest.add_parts(at, agent.as_bytes(), exchange, &event);
    }
}

impl Sink for EventLog {
    fn note(&mut self, at: Instant, agent: &str, exchange: u32, event: AgentEvent) {
        self.push(LoggedEvent { at, stream: StreamId::of(agent, exchange), event });
    }
}
