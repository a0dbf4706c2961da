//! Runs to a report.

use std::time::Duration;

use mock_ollama::journal::Journal;

use super::facts_builder::{Seen, facts};
use super::model::{Environment, Format, Kind, Report};
use super::timings_builder::timings;
use crate::measure::bounds::Bound;
use crate::measure::decision::{DecisionError, Rule};
use crate::measure::factors::FactorError;
use crate::transcript::Transcript;
use crate::workload::Workload;

/// One run of one variant.
#[derive(Clone, Copy, Debug)]
pub struct Run<'a> {
    /// The variant's name.
    pub variant: &'a str,
    /// The block it was measured in: each block has one run of every variant.
    pub block: usize,
    /// What the agents saw.
    pub transcript: &'a Transcript,
    /// What the server did.
    pub journal: &'a Journal,
    /// The wall time of a measured run of this variant in which the agents went one after the other.
    pub serial_wall: Option<Duration>,
}

/// Everything a report is made of.
#[derive(Clone, Debug)]
pub struct Inputs<'a> {
    /// What was run.
    pub workload: &'a Workload,
    /// The pace of the replay, in the words of `--pace`.
    pub pace: &'a str,
    /// The seed, where something was drawn at random.
    pub seed: Option<u64>,
    /// How long each agent takes alone on an idle backend, from the schedule; in the order of the workload.
    pub alone: &'a [Duration],
    /// [`Kind::Measured`] in real time, [`Kind::Virtual`] under the simulator's clock.
    pub clock: Kind,
    /// The runs, in the order in which they are to be shown.
    pub runs: &'a [Run<'a>],
    /// When a difference counts.
    pub rule: Rule,
    /// The limits that were asked for.
    pub bounds: &'a [Bound],
    /// Where it was measured.
    pub environment: Environment,
}

/// Runs that no report can be made of.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// There is nothing to report.
    #[error("there is no run to report")]
    NoRuns,
    /// Two runs of one variant in one block.
    #[error("variant {variant} ran twice in block {block}")]
    Twice {
        /// The variant.
        variant: String,
        /// The block.
        block: usize,
    },
    /// A run that cannot be judged.
    #[error("variant {variant}, block {block}")]
    Run {
        /// The variant.
        variant: String,
        /// The block.
        block: usize,
        /// Why.
        source: FactorError,
    },
    /// The rule cannot be applied.
    #[error("the variants cannot be compared")]
    Decision(#[from] DecisionError),
}

/// Makes the report of some runs. The same inputs give the same report.
pub fn build(inputs: &Inputs<'_>) -> Result<Report, BuildError> {
    let seen: Vec<Seen<'_>> = inputs
        .runs
        .iter()
        .map(|run| Seen { variant: run.variant, block: run.block, transcript: run.transcript, journal: run.journal })
        .collect();
    let (facts, disagreements) = facts(inputs.workload, inputs.pace, inputs.seed, &seen);
    Ok(Report {
        format: Format::V1,
        facts,
        timings: timings(inputs, disagreements)?,
        environment: inputs.environment.clone(),
    })
}
