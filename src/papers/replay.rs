//! The published runs of TR115, and streams reconstructed from their counters.
//!
//! TR115 compared five Rust async runtimes on two agents that share one GPU, 125 runs. Its source repository publishes
//! per agent the counters of Ollama's final object and two client-side times; `fixtures/papers/tr115/README.md` gives
//! source, commit, licence and the meaning of each column.
//!
//! A stream is rebuilt from the server's own counters alone: the k-th of `tokens` generated tokens comes at
//!
//! ```text
//! load + prompt_eval + k * eval / tokens        k = 1, 2, … tokens
//! ```
//!
//! and the last of them is the end-of-text token, which Ollama counts and sends as the final object. The published
//! `ttft_ms` is *not* used: it contains about 326 ms that are neither load nor evaluation, whose cause is not recorded
//! and which TR114's runs against `127.0.0.1` do not have, so they are taken to be the client's. A replay thus shows
//! what the server did, and what a client adds to it can be seen.

use std::num::NonZeroUsize;

use super::published::{AgentRow, Published, RunRow, TableError};
use crate::workload::Workload;

mod stream;

/// How the name of a published run begins: `tr115:SCENARIO[:RUNTIME[:RUN]]`.
pub const PREFIX: &str = "tr115:";

/// The runtime whose run is taken where none is named.
pub const DEFAULT_RUNTIME: &str = "tokio-default";

/// The run that is taken where none is named: the second, since the first of a scenario often loads the model.
pub const DEFAULT_RUN: u32 = 2;

const FOLDER: &str = "fixtures/papers/tr115";
const RUNS: &str = include_str!("../../fixtures/papers/tr115/runs.csv");
const SUMMARY: &str = include_str!("../../fixtures/papers/tr115/summary.csv");

/// Published data that cannot be used, or a run that was not published.
#[derive(Debug, thiserror::Error)]
pub enum Tr115Error {
    /// A table cannot be used, which is a bug in the build.
    #[error(transparent)]
    Table(#[from] TableError),
    /// No such run.
    #[error("TR115 has no {what} `{wanted}`; there are: {known}")]
    Unknown {
        /// `scenario`, `runtime` or `run`.
        what: &'static str,
        /// What was asked for.
        wanted: String,
        /// What there is.
        known: String,
    },
    /// A number of agents was asked of a published run.
    #[error("`{PREFIX}{run}` is a published run of two agents; --agents does not go with it")]
    Agents {
        /// The run asked for.
        run: String,
    },
    /// A row that no stream can be built from.
    #[error("TR115 {scenario}:{runtime}:{run}: {why}")]
    Row {
        /// The scenario.
        scenario: String,
        /// The runtime.
        runtime: String,
        /// The repetition.
        run: u32,
        /// What is wrong with it.
        why: &'static str,
    },
}

impl Published {
    /// The tables that come with the program.
    pub fn built_in() -> Result<Self, Tr115Error> {
        Ok(Self::parse(RUNS, SUMMARY, FOLDER)?)
    }

    /// The run `SCENARIO[:RUNTIME[:RUN]]`; [`DEFAULT_RUNTIME`] and [`DEFAULT_RUN`] where nothing is said.
    pub fn find(&self, name: &str) -> Result<&RunRow, Tr115Error> {
        let mut parts = name.splitn(3, ':');
        let scenario = parts.next().unwrap_or_default();
        let runtime = parts.next().unwrap_or(DEFAULT_RUNTIME);
        let run = parts.next().map_or_else(|| DEFAULT_RUN.to_string(), str::to_owned);
        let all: Vec<&RunRow> = self.runs.iter().collect();
        let rows = narrowed("scenario", all, scenario, |row| row.scenario.clone())?;
        let rows = narrowed("runtime", rows, runtime, |row| row.runtime.clone())?;
        let rows = narrowed("run", rows, &run, |row| row.run.to_string())?;
        Ok(rows[0])
    }

    /// The workload that replays the run `SCENARIO[:RUNTIME[:RUN]]` (without [`PREFIX`]).
    pub fn workload(&self, name: &str) -> Result<Workload, Tr115Error> {
        let run = self.find(name)?;
        workload_of(run, self.agents_of(run))
    }
}

/// Returns the workload that `--workload tr115:RUN` asks for. A number of agents does not go with it.
pub fn select(run: &str, agents: Option<NonZeroUsize>) -> Result<Workload, Tr115Error> {
    match agents {
        Some(_) => Err(Tr115Error::Agents { run: run.to_owned() }),
        None => Published::built_in()?.workload(run),
    }
}

/// The workload of a run's agents, each as its row says.
pub fn workload_of<'a>(run: &RunRow, agents: impl Iterator<Item = &'a AgentRow>) -> Result<Workload, Tr115Error> {
    stream::workload(run, agents)
}

/// The rows whose `key` is `wanted`; at least one.
fn narrowed<'a>(
    what: &'static str,
    mut rows: Vec<&'a RunRow>,
    wanted: &str,
    key: impl Fn(&RunRow) -> String,
) -> Result<Vec<&'a RunRow>, Tr115Error> {
    let mut known: Vec<String> = rows.iter().map(|row| key(row)).collect();
    rows.retain(|row| key(row) == wanted);
    if rows.is_empty() {
        known.sort_unstable();
        known.dedup();
        return Err(Tr115Error::Unknown { what, wanted: wanted.to_owned(), known: known.join(", ") });
    }
    Ok(rows)
}

#[cfg(test)]
mod tests;
