//! The keys of an `[[agent]]` that say what it does beside reading answers to their end.

use std::num::NonZeroU32;
use std::time::Duration;

use super::WorkloadProblem;
use crate::workload::plan::AgentBehavior;

/// The most times that a request may be sent again.
pub const MAX_RETRIES: u32 = 100;

/// The longest duration, one day; anything longer is a slip of the unit.
pub const MAX_MS: u64 = 86_400_000;

/// The keys as written. They are no table of their own in the file, and serde cannot flatten a struct into one that
/// denies unknown keys, so the entry hands them over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct BehaviorKeys {
    pub think_ms: Option<u64>,
    pub timeout_ms: Option<u64>,
    pub cancel_after_tokens: Option<u32>,
    pub retries: Option<u32>,
    pub retry_pause_ms: Option<u64>,
}

impl BehaviorKeys {
    /// What is wrong with the keys of the `[[agent]]` that has this number.
    pub(super) fn problem(self, agent: usize) -> Option<WorkloadProblem> {
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
    pub(super) fn behavior(self) -> AgentBehavior {
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
