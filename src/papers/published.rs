//! Tables of published runs: two agents each, a row of `runs.csv` an agent and a row of `summary.csv` a run.
//!
//! Two forms differ in one column: what TR115's tables call `runtime` is `set` in those of TR113 and TR114, which also
//! say what port an agent's server listened at.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

mod table;

pub use table::TableError;
use table::{Row, table};

/// The file of the agents.
pub const RUNS: &str = "runs.csv";
/// The file of the runs.
pub const SUMMARY: &str = "summary.csv";

/// What the first column of both tables tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Label {
    /// Variants of one experiment.
    Runtime,
    /// Experiments.
    Set,
}

impl Label {
    /// The column's name.
    pub fn column(self) -> &'static str {
        match self {
            Self::Runtime => "runtime",
            Self::Set => "set",
        }
    }
}

/// One agent of one published run. Every number is published, none was measured here.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentRow {
    /// The runtime, such as `tokio-default`; or the set, such as `tr114-dual`.
    #[serde(alias = "set")]
    pub runtime: String,
    /// The scenario.
    pub scenario: String,
    /// The repetition, from 1.
    pub run: u32,
    /// `collector` or `insight`.
    pub agent: String,
    /// The model.
    pub model: String,
    /// The port of the agent's server; absent where the tables do not say it.
    pub server_port: Option<u16>,
    /// The request option `num_gpu`; absent when it was not sent.
    pub num_gpu: Option<u32>,
    /// The request option `num_ctx`, in tokens; absent when it was not sent.
    pub num_ctx: Option<u32>,
    /// The request option `temperature`; absent when it was not sent.
    pub temperature: Option<f64>,
    /// The number of calls; absent where the tables do not say it, which is one.
    pub calls: Option<u32>,
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
    /// The runtime, or the set.
    #[serde(alias = "set")]
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
    /// What the first column tells apart.
    pub label: Label,
    /// One row an agent and run.
    pub agents: Vec<AgentRow>,
    /// One row a run.
    pub runs: Vec<RunRow>,
}

/// What names a run.
type Name = (String, String, u32);

impl Published {
    /// Reads the text of `runs.csv` and `summary.csv`; `folder` is what errors call the place where they are.
    pub fn parse(runs: &str, summary: &str, folder: &str) -> Result<Self, TableError> {
        let (runs_file, summary_file) = (format!("{folder}/{RUNS}"), format!("{folder}/{SUMMARY}"));
        let (label, agents) = table::<AgentRow>(runs, &runs_file)?;
        let (other, runs) = table::<RunRow>(summary, &summary_file)?;
        if label != other {
            let why = format!("`{}` is `{}` in {RUNS}", other.column(), label.column());
            return Err(TableError { file: summary_file, line: 1, why });
        }
        paired(&agents, &runs).map_err(|(in_runs, line, why)| TableError {
            file: if in_runs { runs_file } else { summary_file },
            line,
            why,
        })?;
        let rows = |row: (u64, AgentRow)| row.1;
        Ok(Self {
            label,
            agents: agents.into_iter().map(rows).collect(),
            runs: runs.into_iter().map(|row| row.1).collect(),
        })
    }

    /// The rows of both agents of a run, in the order of the table.
    pub fn agents_of<'a>(&'a self, run: &'a RunRow) -> impl Iterator<Item = &'a AgentRow> {
        self.agents
            .iter()
            .filter(|row| row.runtime == run.runtime && row.scenario == run.scenario && row.run == run.run)
    }

    /// Every run with both of its agents, in the order of the runs.
    pub fn pairs(&self) -> Vec<(&RunRow, [&AgentRow; 2])> {
        let mut agents: BTreeMap<Name, Vec<&AgentRow>> = BTreeMap::new();
        for row in &self.agents {
            agents.entry(row.name()).or_default().push(row);
        }
        let pair = |run: &RunRow| <[&AgentRow; 2]>::try_from(agents.get(&run.name())?.as_slice()).ok();
        self.runs.iter().filter_map(|run| Some((run, pair(run)?))).collect()
    }
}

/// Each run is stated once and has two agents, and nobody is without a run. Else: whether it shows in the table of the
/// agents, in which line, and what is wrong.
fn paired(agents: &[(u64, AgentRow)], runs: &[(u64, RunRow)]) -> Result<(), (bool, u64, String)> {
    let mut found: BTreeMap<Name, u32> = BTreeMap::new();
    for (line, run) in runs {
        if found.insert(run.name(), 0).is_some() {
            return Err((false, *line, format!("{} is there twice", run_name(&run.name()))));
        }
    }
    for (line, row) in agents {
        match found.get_mut(&row.name()) {
            Some(count) if *count < 2 => *count += 1,
            Some(_) => return Err((true, *line, format!("{} has a third agent", run_name(&row.name())))),
            None => return Err((true, *line, format!("{} is not in {SUMMARY}", run_name(&row.name())))),
        }
    }
    match runs.iter().find(|(_, run)| found.get(&run.name()) != Some(&2)) {
        Some((line, run)) => {
            Err((false, *line, format!("{} has fewer than two agents in {RUNS}", run_name(&run.name()))))
        }
        None => Ok(()),
    }
}

fn run_name((label, scenario, run): &Name) -> String {
    format!("run {run} of {scenario} ({label})")
}

/// A published time to the nanosecond, if it is one: from 0 to an hour. The published text carries the rounding of a
/// division by 10⁶.
pub fn time(millis: f64) -> Option<Duration> {
    let nanos = (millis * 1e6).round();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an hour in nanoseconds fits a u64")]
    let exact = Duration::from_nanos(nanos as u64);
    (0.0..3.6e12).contains(&nanos).then_some(exact)
}

impl AgentRow {
    fn name(&self) -> Name {
        (self.runtime.clone(), self.scenario.clone(), self.run)
    }
}

impl Row for AgentRow {
    const COLUMNS: &'static [&'static str] = &[
        "scenario",
        "run",
        "agent",
        "model",
        "num_gpu",
        "num_ctx",
        "temperature",
        "ttft_ms",
        "load_ms",
        "prompt_eval_ms",
        "eval_ms",
        "total_ms",
        "tokens",
        "execution_s",
    ];
    const MAY: &'static [&'static str] = &["server_port", "calls"];

    fn check(&self) -> Result<(), (&'static str, &'static str)> {
        let times = [
            ("ttft_ms", self.ttft_ms),
            ("load_ms", self.load_ms),
            ("prompt_eval_ms", self.prompt_eval_ms),
            ("eval_ms", self.eval_ms),
            ("total_ms", self.total_ms),
            ("execution_s", self.execution_s * 1e3),
        ];
        match times.iter().find(|(_, millis)| time(*millis).is_none()) {
            Some((column, _)) => Err((column, "a time from 0 to an hour is expected")),
            None if self.tokens == 0 => Err(("tokens", "at least one token is expected")),
            None if self.eval_ms <= 0.0 => Err(("eval_ms", "a time above 0 is expected")),
            None => Ok(()),
        }
    }
}

impl RunRow {
    fn name(&self) -> Name {
        (self.runtime.clone(), self.scenario.clone(), self.run)
    }
}

impl Row for RunRow {
    const COLUMNS: &'static [&'static str] =
        &["scenario", "run", "speedup", "efficiency_pct", "wall_s", "sequential_s", "contention"];
    const MAY: &'static [&'static str] = &[];

    fn check(&self) -> Result<(), (&'static str, &'static str)> {
        if time(self.wall_s * 1e3).is_none() || self.wall_s <= 0.0 {
            return Err(("wall_s", "a time above 0 and up to an hour is expected"));
        }
        let numbers =
            [("speedup", self.speedup), ("efficiency_pct", self.efficiency_pct), ("sequential_s", self.sequential_s)];
        match numbers.iter().find(|(_, number)| !number.is_finite() || *number < 0.0) {
            Some((column, _)) => Err((column, "a number from 0 on is expected")),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
