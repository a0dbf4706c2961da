//! A workload with every name resolved: nothing in it needs a file, a default or a lookup any more.

use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use mock_ollama::backend::Settings;
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
    /// The backend behind the server.
    pub backend: Settings,
    /// The recordings that the server replays.
    pub recordings: Vec<Recording>,
}

/// One sequential caller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentPlan {
    /// The agent's name, sent as the header `x-mock-caller`.
    pub name: String,
    /// Its requests, sent one after the other.
    pub requests: Vec<RequestPlan>,
    /// What it does beside reading answers to their end.
    #[serde(default)]
    pub behavior: AgentBehavior,
}

/// What an agent does beside reading answers to their end, all of it on the lab's clock. By default nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentBehavior {
    /// How long it thinks before each request.
    pub think: Duration,
    /// After this time it gives up an exchange that has not ended. Never 0.
    pub timeout: Option<Duration>,
    /// It hangs up once it has seen this many tokens of an answer.
    pub cancel_after: Option<NonZeroU32>,
    /// How many times more it sends a request whose exchange failed or timed out; hanging up by itself is no failure …
    pub retries: u32,
    /// … each time after this pause instead of thinking.
    pub retry_pause: Duration,
}

impl AgentPlan {
    /// An agent that sends requests one after the other and reads each answer to its end.
    pub fn new(name: impl Into<String>, requests: Vec<RequestPlan>) -> Self {
        Self { name: name.into(), requests, behavior: AgentBehavior::default() }
    }
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
