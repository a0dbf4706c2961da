//! An `[[agent]]`: what it reads, and what it does beside reading answers to their end.

use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use serde::Deserialize;

use super::WorkloadProblem;
use crate::workload::plan::AgentBehavior;

/// The most times that a request may be sent again.
pub const MAX_RETRIES: u32 = 100;

/// The longest duration, one day; anything longer is a slip of the unit.
pub const MAX_MS: u64 = 86_400_000;

/// An `[[agent]]` as written.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AgentEntry {
    pub(super) name: Option<String>,
    pub(super) count: Option<NonZeroUsize>,
    #[serde(default)]
    assign: Assign,
    pub(super) recordings: Vec<String>,
    think_ms: Option<u64>,
    timeout_ms: Option<u64>,
    cancel_after_tokens: Option<u32>,
    retries: Option<u32>,
    retry_pause_ms: Option<u64>,
}

/// How recordings are assigned to the agents of an entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Assign {
    #[default]
    All,
    RoundRobin,
}

impl AgentEntry {
    /// How many agents it stands for.
    pub(super) fn count(&self) -> usize {
        self.count.map_or(1, NonZeroUsize::get)
    }

    /// The recordings of the `index`-th agent of this entry.
    pub(super) fn assigned(&self, index: usize) -> &[String] {
        match self.assign {
            Assign::All => &self.recordings,
            Assign::RoundRobin => std::slice::from_ref(&self.recordings[index % self.recordings.len()]),
        }
    }

    /// What is wrong with the keys of the `[[agent]]` that has this number.
    pub(super) fn problem(&self, agent: usize) -> Option<WorkloadProblem> {
        let retries = self.retries.unwrap_or(0);
        if self.timeout_ms == Some(0) {
            return Some(WorkloadProblem::ZeroTimeout(agent));
        }
        if self.cancel_after_tokens == Some(0) {
            return Some(WorkloadProblem::ZeroCancelAfter(agent));
        }
        if retries > MAX_RETRIES {
            return Some(WorkloadProblem::TooManyRetries { agent, retries });
        }
        if retries == 0 && self.retry_pause_ms.is_some() {
            return Some(WorkloadProblem::PauseWithoutRetries(agent));
        }
        let durations =
            [("think_ms", self.think_ms), ("timeout_ms", self.timeout_ms), ("retry_pause_ms", self.retry_pause_ms)];
        durations.into_iter().find_map(|(key, ms)| {
            let ms = ms.filter(|&ms| ms > MAX_MS)?;
            Some(WorkloadProblem::TooLong { agent, key, ms })
        })
    }

    /// The behavior that the keys ask for, once they have no problem.
    pub(super) fn behavior(&self) -> AgentBehavior {
        AgentBehavior {
            think: millis(self.think_ms),
            timeout: self.timeout_ms.map(Duration::from_millis),
            cancel_after: self.cancel_after_tokens.and_then(NonZeroU32::new),
            retries: self.retries.unwrap_or(0),
            retry_pause: millis(self.retry_pause_ms),
        }
    }
}

fn millis(ms: Option<u64>) -> Duration {
    Duration::from_millis(ms.unwrap_or(0))
}
