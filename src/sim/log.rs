//! Every event in order, and its digest.

use std::fmt;

use mock_ollama::clock::Instant;
use mock_ollama::journal::{Caller, StreamId};
use sha2::{Digest as _, Sha256};

use crate::clients::AgentEvent;
use crate::report::facts_builder::hex;

/// Something that an agent saw or did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedEvent {
    /// When.
    pub at: Instant,
    /// In which exchange.
    pub stream: StreamId,
    /// What.
    pub event: AgentEvent,
}

/// Every event of a run in the order in which it happened, of all agents.
///
/// It has no reads, pieces or connections in it: those depend on the transport, these do not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventLog(Vec<LoggedEvent>);

impl EventLog {
    pub(super) fn push(&mut self, event: LoggedEvent) {
        self.0.push(event);
    }

    /// The events.
    pub fn events(&self) -> &[LoggedEvent] {
        &self.0
    }

    /// SHA-256 over all events, in hexadecimal digits.
    pub fn digest(&self) -> String {
        let mut digest = EventDigest::default();
        self.0.iter().for_each(|event| digest.add(event.at, &event.stream, &event.event));
        digest.finish()
    }
}

impl fmt::Display for EventLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|event| writeln!(f, "{} {}: {}", event.at, event.stream, event.event))
    }
}

/// A digest of events that need not be kept.
#[derive(Clone, Debug, Default)]
pub struct EventDigest(Sha256);

impl EventDigest {
    /// Adds an event.
    pub fn add(&mut self, at: Instant, stream: &StreamId, event: &AgentEvent) {
        let name = match &stream.caller {
            Caller::Agent(name) => name.as_bytes(),
            Caller::Connection(_) => b"",
        };
        self.add_parts(at, name, stream.exchange, event);
    }

    /// The same, of an event whose stream is known by its parts.
    pub fn add_parts(&mut self, at: Instant, agent: &[u8], exchange: u32, event: &AgentEvent) {
        // Fields of fixed width, and a length before each name: a name cannot run into what follows it.
        let mut head = [0; 25];
        head[..8].copy_from_slice(&at.as_nanos().to_le_bytes());
        head[8..12].copy_from_slice(&exchange.to_le_bytes());
        let (kind, number, flag) = match event {
            AgentEvent::Started => (0, 0, 0),
            AgentEvent::Sent => (1, 0, 0),
            AgentEvent::Head { status } => (2, u64::from(*status), 0),
            AgentEvent::Line { body_end, token } => (3, *body_end, u8::from(*token)),
            AgentEvent::Ended { how } => (4, how.len() as u64, 0),
            AgentEvent::Left => (5, 0, 0),
        };
        head[12] = kind;
        head[13..21].copy_from_slice(&number.to_le_bytes());
        head[21] = flag;
        head[22] = u8::try_from(agent.len()).unwrap_or(u8::MAX);
        self.0.update(head);
        self.0.update(agent);
        if let AgentEvent::Ended { how } = event {
            self.0.update(how.as_bytes());
        }
    }

    /// The digest, in hexadecimal digits.
    pub fn finish(self) -> String {
        hex(&self.0.finalize())
    }
}
