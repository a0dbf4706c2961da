//! Why there is no report.

use crate::measure::bounds::BoundsError;
use crate::measure::decision::DecisionError;
use crate::measure::factors::FactorError;

/// Who has to act on an error. A program's exit code follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorClass {
    /// A variant delivered other bytes than were served.
    Broken,
    /// A name or number on the command line is wrong.
    Usage,
    /// A file holds something wrong.
    Data,
    /// A file, socket or process failed.
    Io,
}

/// An error that knows its class.
pub trait Classified: std::error::Error + Send + Sync + 'static {
    /// Returns the class.
    fn class(&self) -> ErrorClass;
}

impl Classified for BoundsError {
    fn class(&self) -> ErrorClass {
        ErrorClass::Data
    }
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
