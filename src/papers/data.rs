//! Published runs, sorted into the sets that they were recorded in.

use std::io;
use std::path::{Path, PathBuf};

use mock_ollama::files::read_limited;
use mock_ollama::import::ImportError;
use mock_ollama::recording::ReadError;

use super::predict::{Backend, Constants, Counters, Input, Limiter, Setup};
use super::published::{AgentRow, Label, Published, RUNS, RunRow, SUMMARY, TableError, time};
use super::replay::Tr115Error;
use crate::report::{Classified, ErrorClass};

/// The tables of TR113 and TR114 that come with the program.
const TR113_TR114: [&str; 2] = [
    include_str!("../../fixtures/papers/tr113-tr114/runs.csv"),
    include_str!("../../fixtures/papers/tr113-tr114/summary.csv"),
];

/// The most bytes of a table that are read; TR115's larger one has 30 kB.
pub(crate) const MAX_TABLE_BYTES: u64 = 64 << 20;

/// A load that takes no longer, in milliseconds, found its model in memory.
pub(crate) const WARM_LOAD_MS: f64 = 1_500.0;

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub enum PapersError {
    /// A table cannot be used.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The built-in tables of TR115 cannot be used, which is a bug in the build.
    #[error(transparent)]
    Tr115(#[from] Tr115Error),
    /// A folder or file could not be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The folder or file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A raw capture or recording is malformed.
    #[error(transparent)]
    Capture(#[from] ImportError),
    /// A recording is malformed.
    #[error(transparent)]
    Recording(#[from] ReadError),
    /// A folder, a file or its name is not as it must be.
    #[error("{}: {why}", path.display())]
    Unfit {
        /// The folder or file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// A run in virtual time failed, which is a bug.
    #[error(transparent)]
    Runtime(#[from] crate::runtimes::RunError),
}

impl PapersError {
    pub(super) fn unfit(path: &Path, why: impl Into<String>) -> Self {
        Self::Unfit { path: path.to_owned(), why: why.into() }
    }
}

impl Classified for PapersError {
    fn class(&self) -> ErrorClass {
        if matches!(self, Self::Read { .. } | Self::Runtime(_)) { ErrorClass::Io } else { ErrorClass::Data }
    }
}

/// The tables of TR113 and TR114 that come with the program.
pub(crate) fn tr113_tr114() -> Result<Published, PapersError> {
    let [runs, summary] = TR113_TR114;
    Ok(Published::parse(runs, summary, "fixtures/papers/tr113-tr114")?)
}

/// The tables in a folder.
pub(crate) fn read_folder(folder: &Path) -> Result<Published, PapersError> {
    let (runs, summary) = (read(&folder.join(RUNS))?, read(&folder.join(SUMMARY))?);
    Ok(Published::parse(&runs, &summary, &folder.display().to_string())?)
}

fn read(path: &Path) -> Result<String, PapersError> {
    let wrong = |line, why: &str| TableError { file: path.display().to_string(), line, why: why.to_owned() };
    let bytes = read_limited(path, MAX_TABLE_BYTES).map_err(|error| match error.kind() {
        io::ErrorKind::FileTooLarge => wrong(1, &format!("a table has at most {MAX_TABLE_BYTES} bytes")).into(),
        _ => PapersError::Read { path: path.to_owned(), source: error },
    })?;
    String::from_utf8(bytes).map_err(|error| {
        let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = good.split(|&byte| byte == b'\n').count() as u64;
        wrong(line, "this is not UTF-8").into()
    })
}

/// A published run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run<'a> {
    /// Its row.
    pub row: &'a RunRow,
    /// Its agents, the one whose first token came first before the other.
    pub agents: [&'a AgentRow; 2],
    /// What its program does with the agents and the servers, as its source says.
    pub setup: Setup,
}

/// Runs that were recorded together.
#[derive(Clone, Debug)]
pub(crate) struct DataSet<'a> {
    /// Its name.
    pub name: String,
    /// Its runs, in the order of the table.
    pub runs: Vec<Run<'a>>,
}

/// The sets of the tables, by name: where runtimes are told apart, all of them are one.
pub(crate) fn sets<'a>(published: &'a Published, name: &str) -> Vec<DataSet<'a>> {
    let mut sets: Vec<DataSet<'a>> = Vec::new();
    for (row, agents) in published.pairs() {
        let (set, limiter) = match published.label {
            Label::Runtime => (name, limiter_of(&row.runtime)),
            Label::Set => (row.runtime.as_str(), Limiter::SemaphoreOfTwo),
        };
        let run = Run::new(row, agents, limiter);
        match sets.iter_mut().find(|known| known.name == set) {
            Some(known) => known.runs.push(run),
            None => sets.push(DataSet { name: set.to_owned(), runs: vec![run] }),
        }
    }
    sets.sort_by(|a, b| a.name.cmp(&b.name));
    sets
}

/// The limiter of a published program, read from its source.
fn limiter_of(runtime: &str) -> Limiter {
    if runtime == "async-std" { Limiter::Mutex } else { Limiter::SemaphoreOfTwo }
}

impl<'a> Run<'a> {
    fn new(row: &'a RunRow, mut agents: [&'a AgentRow; 2], limiter: Limiter) -> Self {
        agents.sort_by(|a, b| a.ttft_ms.total_cmp(&b.ttft_ms));
        let [first, second] = agents.map(|agent| agent.server_port);
        let backend = if first.is_some() && first == second { Backend::OneSlot } else { Backend::SharedDevice };
        Self { row, agents, setup: Setup { limiter, backend } }
    }

    /// Whether both agents found their model in memory.
    pub(crate) fn is_warm(&self) -> bool {
        self.agents.iter().all(|agent| agent.load_ms <= WARM_LOAD_MS)
    }

    /// Whether both could decode at once on one device.
    pub(crate) fn overlaps(&self) -> bool {
        self.setup == Setup { limiter: Limiter::SemaphoreOfTwo, backend: Backend::SharedDevice }
    }

    /// What the predictor knows of it.
    pub(crate) fn input(&self, constants: Constants) -> Input {
        let agents = self.agents.map(|agent| Counters {
            tokens: agent.tokens,
            load: time(agent.load_ms).unwrap_or_default(),
            prompt_eval: time(agent.prompt_eval_ms).unwrap_or_default(),
        });
        Input { agents, constants }
    }

    /// The published rule on the published times of the agents and of the run.
    pub(crate) fn recomputed_pct(&self) -> f64 {
        // A sum of two does not depend on their order.
        super::predict::efficiency_pct(self.agents.map(|agent| agent.execution_s), self.row.wall_s)
    }

    /// The tokens of both agents.
    pub(crate) fn tokens(&self) -> f64 {
        self.agents.iter().map(|agent| f64::from(agent.tokens)).sum()
    }
}

#[cfg(test)]
mod tests;
