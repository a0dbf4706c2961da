//! Every event in order, and its digest.

use std::fmt;

use mock_ollama::clock::Instant;
use mock_ollama::journal::{Caller, StreamId};
use sha2::{Digest as _, Sha256};

use crate::clients::Seen;
use crate::report::facts_builder::hex;

/// Something that an agent saw or did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When.
    pub at: Instant,
    /// In which exchange.
    pub stream: StreamId,
    /// What.
    pub seen: Seen,
}

/// Every event of a run in the order in which it happened, whoever it happened to.
///
/// It has no reads, pieces or connections in it: those depend on the transport, these do not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Log(Vec<Event>);

impl Log {
    pub(super) fn push(&mut self, event: Event) {
        self.0.push(event);
    }

    /// The events.
    pub fn events(&self) -> &[Event] {
        &self.0
    }

    /// SHA-256 over all events, in hexadecimal digits.
    pub fn digest(&self) -> String {
        let mut digest = Digest::default();
        self.0.iter().for_each(|event| digest.add(event.at, &event.stream, &event.seen));
        digest.finish()
    }
}

impl fmt::Display for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|event| writeln!(f, "{} {}: {}", event.at, event.stream, event.seen))
    }
}

/// A digest of events that need not be kept.
#[derive(Clone, Debug, Default)]
pub struct Digest(Sha256);

impl Digest {
    /// Adds an event.
    pub fn add(&mut self, at: Instant, stream: &StreamId, seen: &Seen) {
        let name = match &stream.caller {
            Caller::Agent(name) => name.as_bytes(),
            Caller::Connection(_) => b"",
        };
        self.add_parts(at, name, stream.exchange, seen);
    }

    /// The same, of an event whose stream is known by its parts.
    pub fn add_parts(&mut self, at: Instant, agent: &[u8], exchange: u32, seen: &Seen) {
        let mut head = [0; 25];
        head[..8].copy_from_slice(&at.as_nanos().to_le_bytes());
        head[8..12].copy_from_slice(&exchange.to_le_bytes());
        let (kind, number, flag) = match seen {
            Seen::Started => (0, 0, 0),
            Seen::Sent => (1, 0, 0),
            Seen::Head { status } => (2, u64::from(*status), 0),
            Seen::Line { body_end, token } => (3, *body_end, u8::from(*token)),
            Seen::Ended { how } => (4, how.len() as u64, 0),
            Seen::Left => (5, 0, 0),
        };
        head[12] = kind;
        head[13..21].copy_from_slice(&number.to_le_bytes());
        head[21] = flag;
        head[22] = u8::try_from(agent.len()).unwrap_or(u8::MAX);
        self.0.update(head);
        self.0.update(agent);
        if let Seen::Ended { how } = seen {
            self.0.update(how.as_bytes());
        }
    }

    /// The digest, in hexadecimal digits.
    pub fn finish(self) -> String {
        hex(&self.0.finalize())
    }
}
