//! Why there is no page.

use lab_stats::proc::ProcError;

use crate::run::RunError;

use super::plan::{MOST_AGENTS, MOST_ROUNDS, MOST_TOKENS};

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub enum CostError {
    /// What it needs is there on Linux alone.
    #[error("`cost` measures on Linux only: it reads /proc and waits in epoll")]
    NotLinux,
    /// No variant is compiled in.
    #[error("no variant is compiled in; build with one of the features runtime-*")]
    NoVariant,
    /// More agents than it is used with.
    #[error("{0} agents are more than the {MOST_AGENTS} that `cost` takes")]
    TooManyAgents(usize),
    /// More tokens than it is used with.
    #[error("{0} tokens an agent are more than the {MOST_TOKENS} that `cost` takes")]
    TooManyTokens(usize),
    /// More rounds than there are intervals for.
    #[error("{0} rounds are more than the {MOST_ROUNDS} that `cost` takes")]
    TooManyRounds(usize),
    /// No size fits.
    #[error("{agents} agents need {needed} descriptors, and this process may have {limit}; raise `ulimit -n`")]
    TooFewDescriptors {
        /// The fewest agents that were asked for.
        agents: usize,
        /// The descriptors that they need.
        needed: u64,
        /// The limit.
        limit: u64,
    },
    /// Somebody did not get the whole answer.
    #[error("{who} with {agents} agents: {why}")]
    Incomplete {
        /// Who.
        who: &'static str,
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

impl CostError {
    /// Whether the command line is at fault, or the system that it was given on.
    pub fn is_usage(&self) -> bool {
        match self {
            Self::Run(error) => error.is_usage(),
            Self::NotLinux
            | Self::NoVariant
            | Self::TooManyAgents(_)
            | Self::TooManyTokens(_)
            | Self::TooManyRounds(_)
            | Self::TooFewDescriptors { .. } => true,
            Self::Incomplete { .. } | Self::Counters(_) | Self::Usage(_) | Self::Floor(_) => false,
        }
    }

    /// Whether files, sockets or processes are at fault.
    pub fn is_io(&self) -> bool {
        match self {
            Self::Run(error) => error.is_io(),
            error => matches!(error, Self::Counters(_) | Self::Usage(_) | Self::Floor(_)),
        }
    }

    /// Whether a variant delivered something else than was served.
    pub fn is_broken(&self) -> bool {
        matches!(self, Self::Incomplete { .. })
    }
}
