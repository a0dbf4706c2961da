//! Runs to a report.

use super::error::BuildError;
use super::facts_builder::facts;
use super::inputs::Inputs;
use super::model::{Format, Report};
use super::timings_builder::timings;

/// Makes the report of some runs. The same inputs give the same report.
pub fn build(inputs: &Inputs<'_>) -> Result<Report, BuildError> {
    let (facts, disagreements) = facts(inputs.workload, inputs.pace, inputs.seed, inputs.runs);
    Ok(Report {
        format: Format::V1,
        facts,
        timings: timings(inputs, disagreements)?,
        environment: inputs.environment.clone(),
    })
}
