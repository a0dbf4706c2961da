//! What is the same in every run.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Kind;

/// The deterministic part of a report: no variant, no time, no thread, no count of reads or connections in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    /// Always `derived`: computed from bytes that were delivered.
    pub kind: Kind,
    /// The workload's name.
    pub workload: String,
    /// What it is for.
    pub description: String,
    /// The pace of the replay, in the words of `--pace`.
    pub pace: String,
    /// The seed, where something was drawn at random.
    pub seed: Option<u64>,
    /// At most this many agents at once; no limiter when absent.
    pub limit: Option<usize>,
    /// The agents, in the order of the workload.
    pub agents: Vec<AgentFacts>,
}

/// What one agent asked and got.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AgentFacts {
    /// The agent's name.
    pub agent: String,
    /// Its exchanges, in order.
    pub exchanges: Vec<ExchangeFacts>,
}

/// What came of one request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExchangeFacts {
    /// Its place among the agent's exchanges, counted from zero.
    pub order: usize,
    /// The recording that the request was taken from.
    pub recording: String,
    /// Which of the recording's exchanges, counted from zero.
    pub exchange: usize,
    /// The response status; 0 when no response came.
    pub status: u16,
    /// Bytes of the body.
    pub bytes: usize,
    /// Lines of the body.
    pub lines: usize,
    /// Lines with a token.
    pub tokens: usize,
    /// SHA-256 of the body, 64 hexadecimal digits.
    pub sha256: String,
    /// How it ended.
    pub outcome: OutcomeFacts,
}

/// How an exchange ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "how", deny_unknown_fields)]
pub enum OutcomeFacts {
    /// With its final object.
    Done {
        /// `eval_count` of the final object, where it has one.
        eval_count: Option<u64>,
        /// `done_reason` of the final object, where it has one.
        done_reason: Option<String>,
    },
    /// It failed.
    Failed {
        /// The kind of failure. What a client says of it in words differs between clients, so it is no fact.
        error: String,
    },
    /// No run has it.
    Missing,
}
