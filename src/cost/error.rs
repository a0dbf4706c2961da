//! Why there is no page.

use crate::stats::proc::ProcError;

use super::LeftOut;
use crate::report::{Classified, ErrorClass};
use crate::run::RunError;

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub enum CostError {
    /// No variant is compiled in.
    #[error("no variant is compiled in; build with one of the features runtime-*")]
    NoVariant,
    /// More agents, tokens or rounds than it is used with.
    #[error("{asked} {what} are more than the {limit} that `cost` takes")]
    TooMany {
        /// The number that was asked for.
        asked: usize,
        /// `agents`, `tokens an agent` or `rounds`.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
    /// No size fits.
    #[error("{} agents need {} descriptors, and this process may have {}; raise `ulimit -n`", .0.agents, .0.needed, .0.limit)]
    TooFewDescriptors(LeftOut),
    /// An agent did not get the whole answer.
    #[error("{subject} with {agents} agents: {why}")]
    Incomplete {
        /// Subject.
        subject: &'static str,
        /// With how many agents.
        agents: usize,
        /// What was missing.
        why: String,
    },
    /// The counters of this process cannot be read.
    #[error(transparent)]
    Counters(#[from] ProcError),
    /// What this process has used cannot be read.
    #[error("cannot read what this process has used")]
    Usage(#[source] std::io::Error),
    /// The floor could not reach the server, or lost it.
    #[error("the floor lost its connection")]
    Floor(#[source] std::io::Error),
    /// A child or a file failed.
    #[error(transparent)]
    Run(#[from] RunError),
}

impl Classified for CostError {
    fn class(&self) -> ErrorClass {
        match self {
            Self::Run(error) => error.class(),
            Self::NoVariant | Self::TooMany { .. } | Self::TooFewDescriptors(_) => ErrorClass::Usage,
            Self::Incomplete { .. } => ErrorClass::Broken,
            Self::Counters(_) | Self::Usage(_) | Self::Floor(_) => ErrorClass::Io,
        }
    }
}
