//! The TOML form of a workload.
//!
//! ```toml
//! name = "pair"
//! description = "Two agents with unequal answers."
//! pace = "x4"                      # as in --pace; "x1" when absent
//! limit = 2                        # at most this many agents at once; no limiter when absent
//!
//! [backend]                        # the backend behind the server; no agent waits for another when absent
//! share = "0.41"                   # the share of its solo speed that each of two, three, … streams has, by commas
//! parallel = 1                     # requests that a model serves at once
//! load_ms = 1500                   # how long loading a model takes; max_queue and max_loaded as Ollama has them
//!
//! [[agent]]
//! name = "collector"               # a0000, a0001, … when absent
//! recordings = ["small-greedy"]    # names, or paths from this file's folder that end in .jsonl
//!
//! [[agent]]
//! count = 8                        # how many agents; 1 when absent
//! assign = "round-robin"           # the i-th agent gets the i-th recording, then again the first; "all" when absent
//! recordings = ["small-greedy", "tiny-emoji"]
//! think_ms = 250                   # pauses so long before each request; 0 when absent
//! timeout_ms = 2000                # gives up an exchange that has not ended after so long; never when absent
//! cancel_after_tokens = 5          # hangs up after this many tokens of an answer; never when absent
//! retries = 2                      # sends a failed request this many times more; 0 when absent
//! retry_pause_ms = 100             # pauses so long before each of these instead; 0 when absent
//! ```
//!
//! An agent sends the recordings' own requests, verbatim and in order, one after the other.
//!
//! # Agents that think, time out, hang up and ask again
//!
//! The last five keys, alone or together, give every agent of an entry a behavior; without them it reads each answer to
//! its end and continues at once. Durations are whole milliseconds, at most those of a day, on the lab's clock. Retries,
//! at most 100, are for exchanges that failed otherwise than by the agent's own hanging up; `retry_pause_ms` needs them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use mock_ollama::backend::Settings;
use mock_ollama::recording::Recording;
use serde::Deserialize;

use self::entry::AgentEntry;
use self::shelf::{Shelf, shared_request};
use super::plan::{AgentPlan, Workload};

mod entry;
mod shelf;

pub use self::entry::{MAX_MS, MAX_RETRIES};
pub use self::shelf::requests_of;

/// The most agents a workload may have; a clock with sockets takes fewer.
pub const MAX_AGENTS: usize = 100_000;

/// The most requests of all agents of a workload: each is kept as text.
pub const MAX_REQUESTS: usize = 1_000_000;

/// The ending by which a path is told from a name.
const RECORDING_SUFFIX: &str = ".jsonl";

/// A workload as written, its names not resolved.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkloadFile {
    name: String,
    description: String,
    #[serde(default = "as_recorded")]
    pace: String,
    limit: Option<NonZeroUsize>,
    #[serde(default)]
    backend: Settings,
    #[serde(default)]
    agent: Vec<AgentEntry>,
    /// What errors name.
    #[serde(skip)]
    path: PathBuf,
}

fn as_recorded() -> String {
    "x1".to_owned()
}

/// Where names of recordings are looked up.
#[derive(Clone, Copy)]
pub struct Library<'a> {
    /// The recordings that have names.
    pub named: &'a [Recording],
    /// Reads a recording from a file; what it says goes into the error.
    pub read: &'a dyn Fn(&Path) -> Result<Recording, ReadError>,
}

/// Why a recording could not be read from a file.
pub type ReadError = Box<dyn std::error::Error + Send + Sync>;

impl fmt::Debug for Library<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Library").field("named", &self.names()).finish_non_exhaustive()
    }
}

impl<'a> Library<'a> {
    /// A library without files.
    pub fn of(named: &'a [Recording]) -> Self {
        Self { named, read: &|_| Err("recordings in files cannot be read here".into()) }
    }

    fn names(&self) -> Vec<&'a str> {
        self.named.iter().map(|recording| recording.name.as_str()).collect()
    }
}

/// A workload that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum WorkloadError {
    /// Not TOML, or not of this form.
    #[error("{path}: not a workload")]
    Form {
        /// The file.
        path: PathBuf,
        /// Line, column and what is expected there.
        source: Box<toml::de::Error>,
    },
    /// Of the right form, and still it makes no sense.
    #[error("{path}: {problem}")]
    Problem {
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do.
        problem: WorkloadProblem,
    },
    /// A recording file cannot be read.
    #[error("{path}: recording {recording}")]
    Recording {
        /// The workload's file.
        path: PathBuf,
        /// The recording's file.
        recording: PathBuf,
        /// Why.
        source: ReadError,
    },
}

/// What is wrong with a workload of the right form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WorkloadProblem {
    /// The name is empty.
    #[error("the name is empty; give it one, reports print it")]
    NoName,
    /// The pace is empty.
    #[error("the pace is empty; remove it to replay as recorded")]
    NoPace,
    /// There is no agent.
    #[error("there is no [[agent]] in it; add one")]
    NoAgents,
    /// An agent has nothing to send.
    #[error("[[agent]] number {0} has no recordings; name at least one")]
    NoRecordings(usize),
    /// The key that `assign` had before.
    #[error("the key `deal` is called `assign`, and `one-each` is `round-robin`; rename them")]
    Deal,
    /// A timeout in which nothing can be answered.
    #[error("[[agent]] number {0} has a timeout_ms of 0; raise it, or remove it to wait without a limit")]
    ZeroTimeout(usize),
    /// An agent that hangs up before the first token.
    #[error("[[agent]] number {0} has a cancel_after_tokens of 0; raise it, or remove it to read answers to their end")]
    ZeroCancelAfter(usize),
    /// More retries than [`MAX_RETRIES`].
    #[error("[[agent]] number {agent} has {retries} retries, more than the limit of {MAX_RETRIES}; lower them")]
    TooManyRetries {
        /// The number of the entry, counted from one.
        agent: usize,
        /// As written.
        retries: u32,
    },
    /// A pause before retries that never happen.
    #[error("[[agent]] number {0} has a retry_pause_ms and no retries; set retries, or remove the pause")]
    PauseWithoutRetries(usize),
    /// A duration above [`MAX_MS`].
    #[error("[[agent]] number {agent} has a {key} of {ms}, more than the {MAX_MS} of a day; lower it")]
    TooLong {
        /// The number of the entry, counted from one.
        agent: usize,
        /// Which duration.
        key: &'static str,
        /// As written.
        ms: u64,
    },
    /// More agents than [`MAX_AGENTS`].
    #[error("{0} agents are more than the limit of {MAX_AGENTS}")]
    TooManyAgents(usize),
    /// More requests than [`MAX_REQUESTS`].
    #[error(
        "the agents have more than {MAX_REQUESTS} requests in all, the limit; take fewer agents, or fewer recordings"
    )]
    TooManyRequests,
    /// A name that cannot be sent as a header value, or that reads badly in reports.
    #[error("agent name `{0}`: use letters, digits, `-`, `_` and `.` only")]
    AgentName(String),
    /// Two agents of one name.
    #[error("two agents are called `{0}`; rename one of them")]
    DuplicateAgent(String),
    /// No recording has this name.
    #[error("no recording is called `{name}`; there are: {}", listed(.known))]
    UnknownRecording {
        /// The name.
        name: String,
        /// The names there are.
        known: Vec<String>,
    },
    /// Two different recordings have the same name.
    #[error("two different recordings are called `{0}`; rename one of them")]
    DuplicateRecording(String),
    /// Two recordings that a server cannot tell apart by what is asked.
    #[error(
        "recordings `{0}` and `{1}` answer the same path, model and prompt, so the server cannot tell which is asked for; drop one"
    )]
    SharedRequest(String, String),
    /// A recorded request that an agent cannot send.
    #[error("recording `{recording}`, exchange {exchange}: {why}, so no agent can send it; use another recording")]
    NotSendable {
        /// The recording's name.
        recording: String,
        /// Which of its exchanges, counted from zero.
        exchange: usize,
        /// What is in the way.
        why: &'static str,
    },
    /// A number of agents was asked of a workload that names each agent.
    #[error(
        "the number of agents is fixed here; only a workload with a single [[agent]], with count and without name, takes another one"
    )]
    FixedAgents,
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

impl WorkloadFile {
    /// Reads a workload; `path` is what errors name.
    pub fn parse(text: &str, path: &Path) -> Result<Self, WorkloadError> {
        let form = |source: toml::de::Error| {
            let path = path.to_owned();
            if source.message().starts_with("unknown field `deal`") {
                return WorkloadError::Problem { path, problem: WorkloadProblem::Deal };
            }
            WorkloadError::Form { path, source: Box::new(source) }
        };
        let mut file: Self = toml::from_str(text).map_err(form)?;
        path.clone_into(&mut file.path);
        match file.problem() {
            Some(problem) => Err(file.error(problem)),
            None => Ok(file),
        }
    }

    /// The workload's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is for, in a sentence.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// The same workload with `agents` agents. Only a workload that has a single `[[agent]]` entry, with `count` and
    /// without `name`, takes another number.
    pub fn with_agents(mut self, agents: NonZeroUsize) -> Result<Self, WorkloadError> {
        match self.agent.as_mut_slice() {
            [AgentEntry { name: None, count: count @ Some(_), .. }] => *count = Some(agents),
            _ => return Err(self.error(WorkloadProblem::FixedAgents)),
        }
        match self.problem() {
            Some(problem) => Err(self.error(problem)),
            None => Ok(self),
        }
    }

    /// Resolves every name in `library`; paths are taken from the folder of the workload's file.
    pub fn resolve(&self, library: Library<'_>) -> Result<Workload, WorkloadError> {
        let mut taken = Shelf { file: self, library, taken: BTreeMap::new(), order: Vec::new() };
        self.check_requests(&mut taken)?;
        let mut agents = Vec::new();
        for (entry, name, index) in self.agents() {
            let mut requests = Vec::new();
            for recording in entry.assigned(index) {
                requests.extend_from_slice(taken.requests(recording)?);
            }
            agents.push(AgentPlan { name, requests, behavior: entry.behavior() });
        }
        if let Some((a, b)) = shared_request(&taken.order) {
            return Err(self.error(WorkloadProblem::SharedRequest(a.name.clone(), b.name.clone())));
        }
        let recordings = taken.order.into_iter().map(Rc::unwrap_or_clone).collect();
        Ok(Workload {
            name: self.name.clone(),
            description: self.description.clone(),
            agents,
            limit: self.limit,
            backend: self.backend.clone(),
            pace: self.pace.clone(),
            recordings,
        })
    }

    /// Counts the requests before any agent has its own.
    fn check_requests(&self, taken: &mut Shelf<'_>) -> Result<(), WorkloadError> {
        let mut count = 0;
        for (entry, _, index) in self.agents() {
            for recording in entry.assigned(index) {
                count += taken.requests(recording)?.len();
                if count > MAX_REQUESTS {
                    return Err(self.error(WorkloadProblem::TooManyRequests));
                }
            }
        }
        Ok(())
    }

    /// Every agent: its entry, its name, and its number within the entry.
    fn agents(&self) -> impl Iterator<Item = (&AgentEntry, String, usize)> {
        let each = self.agent.iter().flat_map(|entry| (0..entry.count()).map(move |index| (entry, index)));
        each.enumerate().map(|(number, (entry, index))| {
            let name = match (&entry.name, entry.count) {
                (None, _) => format!("a{number:04}"),
                (Some(name), None) => name.clone(),
                (Some(name), Some(_)) => format!("{name}{index:04}"),
            };
            (entry, name, index)
        })
    }

    fn problem(&self) -> Option<WorkloadProblem> {
        if self.name.trim().is_empty() {
            return Some(WorkloadProblem::NoName);
        }
        if self.pace.trim().is_empty() {
            return Some(WorkloadProblem::NoPace);
        }
        if self.agent.is_empty() {
            return Some(WorkloadProblem::NoAgents);
        }
        if let Some(empty) = self.agent.iter().position(|entry| entry.recordings.is_empty()) {
            return Some(WorkloadProblem::NoRecordings(empty + 1));
        }
        if let Some(problem) = (1..).zip(&self.agent).find_map(|(agent, entry)| entry.problem(agent)) {
            return Some(problem);
        }
        let count = self.agent.iter().fold(0_usize, |sum, entry| sum.saturating_add(entry.count()));
        if count > MAX_AGENTS {
            return Some(WorkloadProblem::TooManyAgents(count));
        }
        let mut names = BTreeSet::new();
        self.agents().find_map(|(_, name, _)| {
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
            if name.is_empty() || !name.chars().all(plain) {
                Some(WorkloadProblem::AgentName(name))
            } else {
                (!names.insert(name.clone())).then_some(WorkloadProblem::DuplicateAgent(name))
            }
        })
    }

    fn error(&self, problem: WorkloadProblem) -> WorkloadError {
        WorkloadError::Problem { path: self.path.clone(), problem }
    }
}

#[cfg(test)]
mod tests;
