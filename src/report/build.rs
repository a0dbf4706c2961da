//! Runs to a report.

use super::facts_builder::{Seen, facts};
use super::inputs::Inputs;
use super::model::{Format, Report};
use super::timings_builder::timings;
use crate::measure::decision::DecisionError;
use crate::measure::factors::FactorError;

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
