//! Why there is no report.

use std::io;
use std::path::PathBuf;

use mock_ollama::recording::{ReadError, WriteError};
use mock_ollama::schedule::{Pace, PaceError};
use mock_ollama::{FinishError, StartError};

use super::ClockKind;
use super::plan::MAX_RUNS;
use crate::papers::replay::Tr115Error;
use crate::report::{BuildError, Classified, ErrorClass};
use crate::runtimes;
use crate::sim::model::ModelError;
use crate::workload::{SelectError, WorkloadError};

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// There is no such workload.
    #[error(transparent)]
    Select(#[from] SelectError),
    /// There is no such published run.
    #[error(transparent)]
    Published(#[from] Tr115Error),
    /// The workload cannot be used.
    #[error(transparent)]
    Workload(#[from] WorkloadError),
    /// The workload does not take the number of agents that was asked for.
    #[error(transparent)]
    Agents(WorkloadError),
    /// More agents than the clock's transport takes.
    #[error("{agents} agents are more than the {most} that `--clock {clock}` takes; take fewer, or `--clock virtual`")]
    TooManyAgents {
        /// The number of agents.
        agents: usize,
        /// The limit.
        most: usize,
        /// The clock.
        clock: ClockKind,
    },
    /// More runs than there are intervals for.
    #[error("{0} runs are more than the {MAX_RUNS} that `run` takes")]
    TooManyRuns(usize),
    /// No time passes at this pace.
    #[error("at pace {pace} the workload takes no time, so nothing can be said of its share; use one such as x50")]
    NoTime {
        /// The pace.
        pace: Pace,
    },
    /// The workload's own pace cannot be read.
    #[error("workload {workload}")]
    Pace {
        /// The workload.
        workload: String,
        /// What is wrong with its pace.
        source: PaceError,
    },
    /// A recording of the built-in catalog cannot be read, which is a bug in the build.
    #[error(transparent)]
    Recording(#[from] ReadError),
    /// No variant is compiled in.
    #[error("no variant is compiled in; build with one of the features runtime-*")]
    NoVariant,
    /// A file could not be read or written.
    #[error("cannot {what} {}", path.display())]
    File {
        /// `read`, `write`, …
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A recording could not be written for the server.
    #[error("cannot write {}", path.display())]
    WriteRecording {
        /// The file.
        path: PathBuf,
        /// What failed.
        source: WriteError,
    },
    /// A file between parent and child is not what its reader expects.
    #[error("{} is not what was expected there", path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The program cannot start itself.
    #[error("cannot start a child process of this program")]
    Spawn(#[source] io::Error),
    /// A child did not do what it was started for.
    #[error("the child process that was to {purpose} failed: {why}")]
    Child {
        /// What it was to do, in words.
        purpose: String,
        /// What it said, or how it ended.
        why: String,
    },
    /// The workload cannot be modelled.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A runtime did not start, or virtual time stands still.
    #[error(transparent)]
    Runtime(#[from] runtimes::RunError),
    /// The server did not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The server was asked for something that it does not offer.
    #[error(transparent)]
    Finish(#[from] FinishError),
    /// The runs cannot be judged.
    #[error(transparent)]
    Report(#[from] BuildError),
}

impl RunError {
    /// Returns the failure to do something with a file.
    pub fn file(what: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::File { what, path: path.into(), source }
    }
}

impl Classified for RunError {
    fn class(&self) -> ErrorClass {
        match self {
            Self::Select(_)
            | Self::Published(_)
            | Self::Agents(_)
            | Self::TooManyAgents { .. }
            | Self::TooManyRuns(_)
            | Self::NoTime { .. }
            | Self::NoVariant => ErrorClass::Usage,
            Self::File { .. }
            | Self::WriteRecording { .. }
            | Self::Spawn(_)
            | Self::Child { .. }
            | Self::Runtime(_) => ErrorClass::Io,
            Self::Finish(error) if !matches!(error, FinishError::Unverified(_)) => ErrorClass::Io,
            Self::Start(error) if !matches!(error, StartError::Recording(_) | StartError::UnknownBuiltin { .. }) => {
                ErrorClass::Io
            }
            _ => ErrorClass::Data,
        }
    }
}
