//! Why a run cannot continue, and what is printed then.

use std::fmt;
use std::time::Duration;

use mock_ollama::clock::Instant;
use mock_ollama::seed::Seed;

/// A deadlock shows within a few tasks; thousands of lines would hide it.
const MAX_LISTED_TASKS: usize = 20;

/// A run that cannot continue, or whose order would depend on chance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimFailure {
    /// What is wrong.
    pub reason: FailureReason,
    /// The virtual time.
    pub at: Instant,
    /// The tasks that had not ended.
    pub parked: Vec<ParkedTask>,
    /// What was in flight or held.
    pub outstanding: Vec<String>,
    /// The seed of the run.
    pub seed: Seed,
    /// The command that repeats it; empty where none was given.
    pub repeat: String,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FailureReason {
    /// A deadlock.
    #[error("nothing can run, no timer is set and nothing is in flight")]
    Stalled,
    /// A hold that is never released, or a task that is not polled when it is its turn.
    #[error("nothing has happened for {} ms of real time", .patience.as_millis())]
    Stuck {
        /// How long that may be.
        patience: Duration,
    },
    /// A wake from outside: its order is chance, and the clock may have moved without it.
    #[error(
        "{task} was woken from outside virtual time; register the task, join or callback that wakes it, or hold the clock"
    )]
    Foreign {
        /// The task that was woken.
        task: String,
    },
    /// A timer or a piece of an answer went to a task that is not registered.
    #[error("what {stream} waited for came, and no registered task was woken; register the task that waits")]
    Unregistered {
        /// The stream.
        stream: String,
    },
}

/// A task that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParkedTask {
    /// Its name.
    pub task: String,
    /// When it last ran.
    pub since: Instant,
    /// Whether it has ever been polled.
    pub begun: bool,
}

impl fmt::Display for SimFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "virtual time stands still at {}: {}", self.at, self.reason)?;
        list(f, "parked", self.parked.iter().map(ToString::to_string))?;
        list(f, "outstanding", self.outstanding.iter().cloned())?;
        write!(f, "\nseed {}", self.seed)?;
        if self.repeat.is_empty() { Ok(()) } else { write!(f, "; to repeat it: {}", self.repeat) }
    }
}

fn list(f: &mut fmt::Formatter<'_>, title: &str, lines: impl ExactSizeIterator<Item = String>) -> fmt::Result {
    let count = lines.len();
    if count > 0 {
        write!(f, "\n{title}:")?;
    }
    for line in lines.take(MAX_LISTED_TASKS) {
        write!(f, "\n  {line}")?;
    }
    if count > MAX_LISTED_TASKS { write!(f, "\n  … and {} more", count - MAX_LISTED_TASKS) } else { Ok(()) }
}

impl fmt::Display for ParkedTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { task, since, begun } = self;
        if *begun { write!(f, "{task}, since {since}") } else { write!(f, "{task}, never polled") }
    }
}

impl std::error::Error for SimFailure {}
