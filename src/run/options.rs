//! What is to be run.

use std::fmt;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use mock_ollama::schedule::Pace;
use mock_ollama::seed::Seed;

use super::ClockKind;
use crate::variant::Variant;

/// What is to be run. What is left open is chosen by [`Plan::new`](super::Plan::new) and printed.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// The variants; each once.
    pub variants: Vec<Variant>,
    /// The workload.
    pub workload: WorkloadChoice,
    /// The number of agents, for workloads that leave it open.
    pub agents: Option<NonZeroUsize>,
    /// The pace; the workload's own when absent.
    pub pace: Option<Pace>,
    /// The number of blocks; as many as fit into a minute when absent.
    pub runs: Option<NonZeroUsize>,
    /// The seed of every random choice.
    pub seed: Seed,
    /// Which clock it goes by.
    pub clock: ClockKind,
}

/// Where a workload comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WorkloadChoice {
    /// One that comes with the program, or a published run, by name.
    Named(String),
    /// A TOML file.
    File(PathBuf),
}

impl WorkloadChoice {
    /// A name, or the path of a file: whatever has a separator in it or ends in `.toml` is a path.
    pub fn parse(text: &str) -> Self {
        let path = std::path::Path::new(text);
        let is_path = path.components().count() > 1 || path.extension().is_some_and(|extension| extension == "toml");
        if is_path { Self::File(text.into()) } else { Self::Named(text.to_owned()) }
    }
}

impl fmt::Display for WorkloadChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(name) => f.write_str(name),
            Self::File(path) => write!(f, "{}", path.display()),
        }
    }
}
