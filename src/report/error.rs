//! Why there is no report.

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
