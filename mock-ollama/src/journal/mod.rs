//! The witness: every request a server got and every chunk it wrote.
//!
//! Tests assert on it, and the lab joins it with what clients saw.
//!
//! | file | what |
//! | --- | --- |
//! | `ledger` | a journal while it is written, and what bounds it |
//! | `sent` | the bytes of an answer that left |
//! | `redact` | credentials become `[redacted 1]`, `[redacted 2]`, … |

mod ledger;
mod redact;
mod sent;

use std::fmt;
use std::ops::Index;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use ledger::{DEFAULT_JOURNAL_BYTES, Keep};
pub(crate) use ledger::{Ledger, MAX_ANSWERED_BYTES, size_of_text};
pub(crate) use redact::Redactor;
pub use redact::{MAX_NUMBERED_CREDENTIALS, Secrets};
pub use sent::SentBody;

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
    pub(crate) fn is_none(&self) -> bool {
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
    /// The body of the answer, as far as it left. It is kept in memory alone.
    #[serde(skip)]
    pub sent: SentBody,
    /// The credentials of the request. They are kept in memory alone.
    #[serde(skip)]
    pub secrets: Secrets,
}

/// A request as it was received, but for its credentials: each value is `[redacted 1]`, `[redacted 2]`, … in the order of
/// first appearance in the journal, and the same value has the same number. That concerns fields and parameters of the
/// query whose name says token, secret, password, cookie, key and the like, a value that begins with `Bearer`, `Basic` or
/// `Digest`, and the user of a URL. The body is kept as it is, unless it repeats one of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestSeen {
    /// The request method, verbatim.
    pub method: String,
    /// The request target, verbatim but for credentials.
    pub target: String,
    /// The header fields in wire order; values that are not UTF-8 are shown lossily, and credentials not at all.
    pub headers: Vec<(String, String)>,
    /// The body, lossily when it is not UTF-8; a credential of this request that it repeats is not shown.
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
    /// The client hung up after this number of chunks had been written.
    Aborted {
        /// Chunks that had been written in full.
        after_chunk: usize,
    },
    /// The server reset the connection: the answer states that end, or the client took nothing of it for too long.
    Reset,
    /// The server ended the connection in the middle of the body, since the answer states that end.
    Truncated,
    /// The server was stopped before the answer had ended.
    Stopped,
}

/// Why the body of a request could not be read.
#[derive(Debug, Error)]
#[error("the body of {method} {target} is not the JSON that was asked for: {body}")]
pub struct BodyError {
    method: String,
    target: String,
    /// The beginning of the body.
    body: String,
    source: serde_json::Error,
}

/// The most characters of a body in an error.
const MAX_BODY_CHARS: usize = 200;

impl Entry {
    /// Returns the body of the request as a `T`.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::io::{Read as _, Write as _};
    /// let server = mock_ollama::MockOllama::builder().lenient().start()?;
    /// let mut client = std::net::TcpStream::connect(server.addr())?;
    /// let body = r#"{"model":"m","prompt":"hello","options":{"temperature":0.2}}"#;
    /// write!(client, "POST /api/generate HTTP/1.0\r\nContent-Length: {}\r\n\r\n{body}", body.len())?;
    /// # client.read_to_end(&mut Vec::new())?;
    /// let journal = server.finish()?;
    /// assert_eq!(journal[0].json::<serde_json::Value>()?["options"]["temperature"], 0.2);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`BodyError`] when it is no JSON, or none of that type.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, BodyError> {
        let RequestSeen { method, target, body, .. } = &self.request;
        serde_json::from_str(body).map_err(|source| BodyError {
            method: method.clone(),
            target: target.clone(),
            body: body.chars().take(MAX_BODY_CHARS).collect(),
            source,
        })
    }

    /// Returns the value of the first header field of this name, in whatever case; that of a credential is `[redacted 1]`, ….
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::io::{Read as _, Write as _};
    /// let server = mock_ollama::MockOllama::builder().start()?;
    /// let mut client = std::net::TcpStream::connect(server.addr())?;
    /// client.write_all(b"GET / HTTP/1.0\r\nX-Team: embed\r\nAuthorization: Bearer sk-1\r\n\r\n")?;
    /// # client.read_to_end(&mut Vec::new())?;
    /// let journal = server.finish()?;
    /// assert_eq!(journal[0].header("x-team"), Some("embed"));
    /// assert_eq!(journal[0].header("authorization"), Some("[redacted 1]"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut fields = self.request.headers.iter();
        fields.find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Returns the bytes of the answer's body that were written, cut where the answer was cut.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::io::{Read as _, Write as _};
    /// let server = mock_ollama::MockOllama::builder().start()?;
    /// let mut client = std::net::TcpStream::connect(server.addr())?;
    /// client.write_all(b"GET / HTTP/1.0\r\n\r\n")?;
    /// # client.read_to_end(&mut Vec::new())?;
    /// assert_eq!(server.finish()?[0].body(), b"Ollama is running");
    /// # Ok(())
    /// # }
    /// ```
    pub fn body(&self) -> Vec<u8> {
        let written = self.chunks_written().checked_sub(1).map_or(0, |last| self.chunks[last].body_end);
        let mut body = self.sent.bytes();
        body.truncate(usize::try_from(written).unwrap_or(usize::MAX));
        body
    }

    /// Returns the number of chunks that were written in full.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::io::{Read as _, Write as _};
    /// let server = mock_ollama::MockOllama::builder().says("m", ["Hi"]).pace(mock_ollama::Pace::instant()).start()?;
    /// let mut client = std::net::TcpStream::connect(server.addr())?;
    /// let body = r#"{"model":"m","prompt":"hello"}"#;
    /// write!(client, "POST /api/generate HTTP/1.0\r\nContent-Length: {}\r\n\r\n{body}", body.len())?;
    /// # client.read_to_end(&mut Vec::new())?;
    /// assert_eq!(server.finish()?[0].chunks_written(), 2); // the word, and the final object
    /// # Ok(())
    /// # }
    /// ```
    pub fn chunks_written(&self) -> usize {
        self.chunks.iter().take_while(|chunk| chunk.written.is_some()).count()
    }
}

impl Answer {
    /// Returns whether nobody stated the request. Bytes that are no request are among these.
    pub fn is_unexpected(&self) -> bool {
        matches!(self, Self::Unexpected { .. } | Self::Rejected)
    }

    /// Makes the credentials of the request unreadable where the answer's reason repeats them.
    pub(crate) fn conceal(&mut self, secrets: &Secrets) {
        if let Self::Unexpected { why } = self {
            secrets.conceal(why);
        }
    }
}

/// The kept entry of this place, from zero. It panics where there is none.
impl Index<usize> for Journal {
    type Output = Entry;

    fn index(&self, place: usize) -> &Entry {
        &self.entries[place]
    }
}

impl<'a> IntoIterator for &'a Journal {
    type Item = &'a Entry;
    type IntoIter = std::slice::Iter<'a, Entry>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.iter()
    }
}

impl Journal {
    /// The kept entries, in the order in which their requests were complete.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let journal = mock_ollama::MockOllama::builder().start()?.finish()?;
    /// assert!(journal.iter().all(|entry| entry.status == 200));
    /// # Ok(())
    /// # }
    /// ```
    pub fn iter(&self) -> std::slice::Iter<'_, Entry> {
        self.entries.iter()
    }

    /// The number of kept entries.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let journal = mock_ollama::MockOllama::builder().start()?.finish()?;
    /// assert_eq!(journal.len(), 0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no kept entry.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// assert!(mock_ollama::MockOllama::builder().start()?.finish()?.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

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
        self.forgotten.unexpected += forgotten.filter(|entry| entry.answer.is_unexpected()).count();
        self.forgotten.requests += first;
    }

    /// The kept unexpected requests.
    pub fn unexpected(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| entry.answer.is_unexpected())
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
