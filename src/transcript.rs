//! What the clients saw, with instants. The counterpart of the server's journal.

use std::collections::BTreeSet;

use mock_ollama::clock::Instant;
use serde::{Deserialize, Serialize};

use crate::workload::RequestPlan;

/// Everything the agents of one run saw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transcript {
    /// When the runtime was about to start its first agent.
    pub started: Instant,
    /// When the last agent had ended.
    pub ended: Instant,
    /// One log an agent, in the order of the workload.
    pub agents: Vec<AgentLog>,
    /// What the runtime was, as it showed itself.
    pub introspection: Introspection,
}

/// What one agent saw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentLog {
    /// The agent's name, sent as `x-mock-caller`.
    pub agent: String,
    /// When the agent was first polled.
    pub started: Instant,
    /// When it had ended.
    pub ended: Instant,
    /// One log a request, in order.
    pub exchanges: Vec<ExchangeLog>,
    /// The names of the threads that polled this agent.
    pub polled_on: BTreeSet<String>,
    /// The names of the threads that woke it.
    pub woken_by: BTreeSet<String>,
    /// Which task this agent ran in: agents that share a task share this number.
    pub task: u32,
}

/// What an agent saw of one exchange.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExchangeLog {
    /// Which of the agent's requests it was, counted from zero; a request that was sent again has several exchanges.
    pub request: usize,
    /// The recording that the request was taken from.
    pub recording: String,
    /// Which of its exchanges, counted from zero.
    pub exchange: usize,
    /// Just before the request was handed to the client (after any limiter).
    pub sent: Instant,
    /// When the response head had been read; absent when none came.
    pub head: Option<Instant>,
    /// The response status; 0 when no response came.
    pub status: u16,
    /// The pieces as the chunk policy handed them on.
    pub pieces: Vec<PieceArrival>,
    /// The lines of the body.
    pub lines: Vec<LineArrival>,
    /// Every byte of the body that came, in order.
    #[serde(with = "text_or_base64")]
    pub body: Vec<u8>,
    /// When the exchange had ended.
    pub ended: Instant,
    /// How it ended.
    pub outcome: ExchangeOutcome,
}

impl ExchangeLog {
    /// An exchange whose request is sent at `sent`, and of which nothing has come.
    pub fn begin(request: usize, plan: &RequestPlan, sent: Instant) -> Self {
        Self {
            request,
            recording: plan.recording.clone(),
            exchange: plan.exchange,
            sent,
            head: None,
            status: 0,
            pieces: Vec::new(),
            lines: Vec::new(),
            body: Vec::new(),
            ended: sent,
            outcome: ExchangeOutcome::Done { eval_count: None, done_reason: None },
        }
    }
}

/// Some bytes that the chunk policy handed on at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PieceArrival {
    /// When they were handed on.
    pub at: Instant,
    /// Their number.
    pub bytes: u64,
}

/// One NDJSON line of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineArrival {
    /// When the piece that completed it was handed on.
    pub at: Instant,
    /// The number of body bytes up to and including its newline.
    pub body_end: u64,
    /// Whether it carries a token: text, thinking or a tool call that is not empty.
    pub token: bool,
}

/// How an exchange ended for the client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "how")]
pub enum ExchangeOutcome {
    /// The stream ended with its final object.
    Done {
        /// `eval_count` of the final object, where it has one.
        eval_count: Option<u64>,
        /// `done_reason` of the final object, where it has one.
        done_reason: Option<String>,
    },
    /// The exchange failed.
    Failed {
        /// The kind of failure: one of the names of `ndjson::StreamError` and `clients::ClientError`, or
        /// [`ExchangeOutcome::TIMED_OUT`] or [`ExchangeOutcome::HUNG_UP`].
        kind: String,
        /// What happened, in words.
        message: String,
    },
}

impl ExchangeOutcome {
    /// The kind of failure of an exchange that the agent gave up because it took too long.
    pub const TIMED_OUT: &'static str = "timed-out";
    /// The kind of failure of an exchange that the agent ended because it had seen enough.
    pub const HUNG_UP: &'static str = "hung-up";

    /// `done`, or the kind of failure.
    pub fn kind(&self) -> &str {
        match self {
            Self::Done { .. } => "done",
            Self::Failed { kind, .. } => kind,
        }
    }

    /// Whether an agent that retries sends the request again: not after it has seen enough by its own will.
    pub fn is_worth_another_try(&self) -> bool {
        Self::kind_is_worth_another_try(self.kind())
    }

    /// The same, by [`ExchangeOutcome::kind`] alone.
    pub(crate) fn kind_is_worth_another_try(kind: &str) -> bool {
        !matches!(kind, "done" | Self::HUNG_UP)
    }
}

/// What a runtime is, as it showed itself while it ran; never prose about it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Introspection {
    /// What the executor says of itself, such as tokio's runtime flavour and its number of workers.
    pub executor: String,
    /// The names of the process's threads while agents ran, sorted, one entry a thread.
    pub threads: Vec<String>,
    /// The chunk policy in force and the client's read cap.
    pub client: String,
}

/// Bytes as a JSON string where they are UTF-8, which bodies are, else as `{"b64":"…"}`.
mod text_or_base64 {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde::de::{Deserialize, Deserializer, Error as _};
    use serde::ser::{Serialize, Serializer};

    #[derive(serde::Serialize, serde::Deserialize)]
    #[serde(untagged)]
    enum Form<'a> {
        Text(std::borrow::Cow<'a, str>),
        Base64 { b64: String },
    }

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        let form = match std::str::from_utf8(bytes) {
            Ok(text) => Form::Text(text.into()),
            Err(_) => Form::Base64 { b64: STANDARD.encode(bytes) },
        };
        form.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        match Form::deserialize(deserializer)? {
            Form::Text(text) => Ok(text.into_owned().into_bytes()),
            Form::Base64 { b64 } => STANDARD.decode(b64).map_err(D::Error::custom),
        }
    }
}

#[cfg(test)]
mod tests {
    use mock_ollama::clock::Instant;

    use super::{ExchangeLog, RequestPlan};

    #[test]
    fn a_log_reads_back_what_was_written_whatever_bytes_the_body_has() {
        for body in ["{\"response\":\"é\"}\n".as_bytes(), b"\xf0\x9f", b""] {
            let plan = RequestPlan { recording: "r".to_owned(), exchange: 0, path: String::new(), body: String::new() };
            let log = ExchangeLog { status: 200, body: body.to_vec(), ..ExchangeLog::begin(0, &plan, Instant::ZERO) };
            let text = serde_json::to_string(&log).unwrap();
            assert_eq!(serde_json::from_str::<ExchangeLog>(&text).unwrap(), log);
        }
    }
}
