//! A workload with every name resolved: nothing in it needs a file, a default or a lookup any more.

use std::num::NonZeroUsize;

use mock_ollama::recording::Recording;
use serde::{Deserialize, Serialize};

/// All agents of a run and the recordings that answer them.
#[derive(Clone, Debug, PartialEq)]
pub struct Workload {
    /// The workload's name, such as `duet`.
    pub name: String,
    /// What it is for, in a sentence.
    pub description: String,
    /// The agents, in the order of reports.
    pub agents: Vec<AgentPlan>,
    /// At most this many agents at once; no limiter when absent.
    pub limit: Option<NonZeroUsize>,
    /// The pace that suits it, in the words of `--pace`.
    pub pace: String,
    /// The recordings that the server replays.
    pub recordings: Vec<Recording>,
}

/// One sequential caller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentPlan {
    /// The agent's name, sent as the header `x-lab-agent`.
    pub name: String,
    /// Its requests, sent one after the other.
    pub requests: Vec<RequestPlan>,
}

/// One request of an agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestPlan {
    /// The recording that the request was taken from.
    pub recording: String,
    /// Which of its exchanges, counted from zero.
    pub exchange: usize,
    /// The path to post to, such as `/api/generate`.
    pub path: String,
    /// The request body, JSON.
    pub body: String,
}

/// What a runtime is given: whom to ask, and what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// The server's address, such as `http://127.0.0.1:40123`.
    pub url: String,
    /// The agents.
    pub agents: Vec<AgentPlan>,
    /// At most this many agents at once.
    pub limit: Option<NonZeroUsize>,
}
