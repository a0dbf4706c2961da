//! The witness: every request a server got and every chunk it wrote.
//!
//! Tests assert on it, and the lab joins it with what clients saw.
//!
//! | file | what |
//! | --- | --- |
//! | `ledger` | a journal while it is written, and what bounds it |
//! | `redact` | credentials become `[redacted 1]`, `[redacted 2]`, … |

mod ledger;
mod redact;

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub(crate) use ledger::Ledger;
pub use ledger::{DEFAULT_JOURNAL_BYTES, Keep};
pub use redact::MAX_NUMBERED_CREDENTIALS;
pub(crate) use redact::Redactor;

use crate::clock::Instant;

/// The request header that names the agent a request belongs to.
pub const CALLER_HEADER: &str = "x-mock-caller";

/// One server of an engine: a listener, numbered from zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ServerId(pub u32);

impl ServerId {
    /// Whether it is the first, which is not mentioned where there is no other.
    pub fn is_first(&self) -> bool {
        self.0 == 0
    }
}

/// A connection, numbered by its listener in the order of accepts. The numbers 1, 2, 3, … are dealt to the servers in
/// turn, so that those of one never depend on what another one accepts: of two, the first has the odd ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ConnId(pub u64);

/// Who asked: the text of the header [`CALLER_HEADER`], or else the connection.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Caller {
    /// A caller known only by its connection.
    Connection(ConnId),
    /// A caller that named itself.
    Agent(Arc<str>),
}

/// One response in progress: a caller's n-th exchange, counted from zero.
///
/// The id comes from the request, never from the order of accepts, so that it is the same in every run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StreamId {
    /// Who asked.
    pub caller: Caller,
    /// The caller's n-th exchange, counted from zero.
    pub exchange: u32,
}

impl StreamId {
    /// The `exchange`-th stream (counted from zero) of the agent that calls itself `agent`.
    pub fn of(agent: &str, exchange: u32) -> Self {
        Self { caller: Caller::Agent(agent.into()), exchange }
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.caller {
            Caller::Agent(name) => write!(f, "agent {name} exchange {}", self.exchange),
            Caller::Connection(id) => write!(f, "connection {} exchange {}", id.0, self.exchange),
        }
    }
}

/// Everything that happened on a server, in the order in which requests were complete.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Journal {
    /// One entry a request.
    pub entries: Vec<Entry>,
    /// Requests that came before these, of which nothing is kept but their number: see [`Keep`].
    #[serde(default, skip_serializing_if = "Forgotten::is_none")]
    pub forgotten: Forgotten,
    /// How often each rule was used.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<RuleUse>,
    /// Streams in progress now.
    pub in_flight: usize,
    /// The most streams that were in progress at once.
    pub max_in_flight: usize,
}

/// How many requests a journal has forgotten.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forgotten {
    /// All of them.
    pub requests: usize,
    /// Those that were unexpected.
    pub unexpected: usize,
}

impl Forgotten {
    fn is_none(&self) -> bool {
        self.requests == 0
    }
}

/// One request, how it was answered, and every chunk of the answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The stream that this request opened.
    pub stream: StreamId,
    /// The connection it came on.
    pub conn: ConnId,
    /// The server that it came to.
    #[serde(default, skip_serializing_if = "ServerId::is_first")]
    pub server: ServerId,
    /// When the last byte of the request had been received.
    pub received: Instant,
    /// The request.
    pub request: RequestSeen,
    /// Which rule answered.
    pub answer: Answer,
    /// The status code that was sent.
    pub status: u16,
    /// The chunks of the answer that were due so far, in order.
    pub chunks: Vec<ChunkSent>,
    /// What became of the answer.
    pub fate: Fate,
}

/// A request as it was received, but for its credentials: each value is `[redacted 1]`, `[redacted 2]`, … in the order of
/// first appearance in the journal, and the same value has the same number. That concerns fields and parameters of the
/// query whose name says token, secret, password, cookie, key and the like, a value that begins with `Bearer`, `Basic` or
/// `Digest`, and the user of a URL. The body is kept as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestSeen {
    /// The request method, verbatim.
    pub method: String,
    /// The request target, verbatim but for credentials.
    pub target: String,
    /// The header fields in wire order; values that are not UTF-8 are shown lossily, and credentials not at all.
    pub headers: Vec<(String, String)>,
    /// The body, lossily when it is not UTF-8.
    pub body: String,
}

/// Which rule answered a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// A recording was replayed.
    Matched {
        /// The recording's name.
        recording: String,
        /// Which of its exchanges, counted from zero.
        exchange: usize,
    },
    /// A rule answered.
    Rule {
        /// Its number, counted from 1: rules of scripts first, then in the order of their statement.
        number: usize,
        /// Its name; empty where none is stated.
        name: String,
        /// How often it was used before.
        turn: usize,
    },
    /// Nobody stated this request: no rule and no recording answers it, or Ollama refuses it.
    Unexpected {
        /// What comes nearest, and where it differs first.
        why: String,
    },
    /// The server's own answer: a listing, the router, a check that failed.
    Served,
    /// The bytes were not a request that could be read; the connection was closed.
    Rejected,
}

/// How often a rule was used.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleUse {
    /// Its number, counted from 1.
    pub number: usize,
    /// Its name; empty where none is stated.
    pub name: String,
    /// The requests that it is for.
    pub matcher: String,
    /// How often it was used.
    pub used: u64,
    /// How often it was to be used, where it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unmet: Option<String>,
}

/// One chunk of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChunkSent {
    /// When it was to leave.
    pub due: Instant,
    /// When the transport was handed its last byte and took it; absent while it has not.
    pub written: Option<Instant>,
    /// The number of body bytes up to and including this chunk.
    pub body_end: u64,
}

/// What became of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// In progress.
    Open,
    /// Every byte was handed to the transport.
    Complete,
    /// The client hung up after this many chunks had been written.
    Aborted {
        /// Chunks that had been written in full.
        after_chunk: usize,
    },
}

impl Journal {
    /// The number of requests, with those that are forgotten.
    pub fn requests(&self) -> usize {
        self.forgotten.requests + self.entries.len()
    }

    /// The number of unexpected requests, with those that are forgotten.
    pub fn unexpected_count(&self) -> usize {
        self.forgotten.unexpected + self.unexpected().count()
    }

    /// Forgets the `first` entries but for their number.
    fn forget(&mut self, first: usize) {
        let forgotten = self.entries.drain(..first);
        self.forgotten.unexpected +=
            forgotten.filter(|entry| matches!(entry.answer, Answer::Unexpected { .. })).count();
        self.forgotten.requests += first;
    }

    /// The kept unexpected requests.
    pub fn unexpected(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| matches!(entry.answer, Answer::Unexpected { .. }))
    }

    /// The kept requests that a recording answered.
    pub fn matched(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| matches!(entry.answer, Answer::Matched { .. }))
    }

    /// The kept entry of `stream`.
    pub fn stream(&self, stream: &StreamId) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.stream == *stream)
    }
}
