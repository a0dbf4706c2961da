//! The clock that agents run on, and what it asks of an executor.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use mock_ollama::clock::Instant;
use mock_ollama::journal::StreamId;

/// The clock that agents run on: they read it, sleep on it, and report to it what they observe.
///
/// In real time each variant brings the timers of its own runtime, through [`Executor`]; in virtual time it is the
/// simulation's, whatever the runtime.
pub trait AgentClock: Clone + 'static {
    /// The time.
    fn now(&self) -> Instant;

    /// Resolves at `at`. In virtual time, waits for one instant end in the order of their streams.
    fn sleep_until(&self, at: Instant, stream: &StreamId) -> impl Future<Output = ()>;

    /// Notes what an agent observed or did. Only virtual time keeps it.
    fn note(&self, stream: &StreamId, event: AgentEvent) {
        let _ = (stream, event);
    }
}

/// What the lab asks of an executor: tasks, and timers in real time. Each variant implements it for its executor.
pub trait Executor: Clone + 'static {
    /// Spawns a task. Every executor can take it: what the lab spawns by itself, connections in memory, is `Send`.
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static);

    /// Waits for `time`, in real time.
    fn sleep(&self, time: Duration) -> impl Future<Output = ()>;
}

/// Something that an agent observed or did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AgentEvent {
    /// The agent began.
    Started,
    /// A request was handed to the client.
    Sent,
    /// The response head came.
    Head {
        /// The status code.
        status: u16,
    },
    /// A line was handed on.
    Line {
        /// The number of body bytes up to and including its newline.
        body_end: u64,
        /// Whether it carries a token.
        token: bool,
    },
    /// The exchange ended.
    Ended {
        /// `done`, or the kind of failure.
        how: Cow<'static, str>,
    },
    /// The agent ended.
    Left,
}

impl fmt::Display for AgentEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Started => f.write_str("started"),
            Self::Sent => f.write_str("sent"),
            Self::Head { status } => write!(f, "status {status}"),
            Self::Line { body_end, token: true } => write!(f, "token, {body_end} bytes"),
            Self::Line { body_end, token: false } => write!(f, "line, {body_end} bytes"),
            Self::Ended { how } => write!(f, "ended, {how}"),
            Self::Left => f.write_str("left"),
        }
    }
}
