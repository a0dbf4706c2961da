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

use std::time::Duration;

use serde::Deserialize;

use super::plan::Workload;

mod stream;

/// How the name of a published run begins: `tr115:SCENARIO[:RUNTIME[:RUN]]`.
pub const PREFIX: &str = "tr115:";

/// The runtime whose run is taken where none is named.
pub const DEFAULT_RUNTIME: &str = "tokio-default";

/// The run that is taken where none is named: the second, since the first of a scenario often loads the model.
pub const DEFAULT_RUN: u32 = 2;

const RUNS: &str = include_str!("../../fixtures/papers/tr115/runs.csv");
const SUMMARY: &str = include_str!("../../fixtures/papers/tr115/summary.csv");

/// One agent of one published run. Every number is published, none was measured here.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentRow {
    /// The runtime, such as `tokio-default`.
    pub runtime: String,
    /// The scenario.
    pub scenario: String,
    /// The repetition, from 1.
    pub run: u32,
    /// `collector` or `insight`.
    pub agent: String,
    /// The model.
    pub model: String,
    /// The request option `num_gpu`; absent when it was not sent.
    pub num_gpu: Option<u32>,
    /// The request option `num_ctx`, in tokens; absent when it was not sent.
    pub num_ctx: Option<u32>,
    /// The request option `temperature`; absent when it was not sent.
    pub temperature: Option<f64>,
    /// Client clock: request sent to first token, in milliseconds.
    pub ttft_ms: f64,
    /// `load_duration`, in milliseconds.
    pub load_ms: f64,
    /// `prompt_eval_duration`, in milliseconds.
    pub prompt_eval_ms: f64,
    /// `eval_duration`, in milliseconds.
    pub eval_ms: f64,
    /// Client clock: request sent to the end of the body, in milliseconds. Not the server's `total_duration`.
    pub total_ms: f64,
    /// `eval_count`.
    pub tokens: u32,
    /// `total_ms` in seconds: what the published efficiency is computed from.
    pub execution_s: f64,
}

/// One published run of two agents.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunRow {
    /// The runtime.
    pub runtime: String,
    /// The scenario.
    pub scenario: String,
    /// The repetition, from 1.
    pub run: u32,
    /// `sequential_s / wall_s`, as published.
    pub speedup: f64,
    /// Half of the speed-up in per cent, as published.
    pub efficiency_pct: f64,
    /// Client clock over both agents, in seconds.
    pub wall_s: f64,
    /// The sum of both agents' times in the concurrent run, in seconds.
    pub sequential_s: f64,
    /// Whether the speed-up is below 1.5, as published.
    pub contention: bool,
}

/// All published runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Published {
    /// One row an agent and run.
    pub agents: Vec<AgentRow>,
    /// One row a run.
    pub runs: Vec<RunRow>,
}

/// Published data that cannot be used, or a run that was not published.
#[derive(Debug, thiserror::Error)]
pub enum Tr115Error {
    /// A table cannot be read.
    #[error("fixtures/papers/tr115/{table}")]
    Table {
        /// The file's name.
        table: &'static str,
        /// Line and column.
        source: csv::Error,
    },
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
        Self::parse(RUNS, SUMMARY)
    }

    /// Reads the text of `runs.csv` and `summary.csv`.
    pub fn parse(runs: &str, summary: &str) -> Result<Self, Tr115Error> {
        Ok(Self { agents: table("runs.csv", runs)?, runs: table("summary.csv", summary)? })
    }

    /// The rows of both agents of a run, in the order of the table.
    pub fn agents_of<'a>(&'a self, run: &'a RunRow) -> impl Iterator<Item = &'a AgentRow> {
        self.agents
            .iter()
            .filter(|row| row.runtime == run.runtime && row.scenario == run.scenario && row.run == run.run)
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
        stream::workload(run, self.agents_of(run))
    }
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

fn table<T: for<'de> Deserialize<'de>>(table: &'static str, text: &str) -> Result<Vec<T>, Tr115Error> {
    let rows: Result<Vec<T>, csv::Error> = csv::Reader::from_reader(text.as_bytes()).deserialize().collect();
    rows.map_err(|source| Tr115Error::Table { table, source })
}

/// A published time to the nanosecond; the published text carries the rounding of a division by 10⁶.
fn time(millis: f64) -> Option<Duration> {
    let nanos = (millis * 1e6).round();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an hour in nanoseconds fits a u64")]
    let exact = Duration::from_nanos(nanos as u64);
    (0.0..3.6e12).contains(&nanos).then_some(exact)
}

#[cfg(test)]
mod tests;
