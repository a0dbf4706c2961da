//! What a verb can end with, and the exit code of each.

use std::process::ExitCode;

use runtime_lab::cost::CostError;
use runtime_lab::measure::bounds::BoundsError;
use runtime_lab::papers::PapersError;
use runtime_lab::papers::shares::PredictError;
use runtime_lab::run::RunError;

use super::server::OtherPlace;

/// Exit code: a bound failed, or variants delivered different bytes.
const EXIT_BROKEN: u8 = 1;
/// Exit code: the command line is wrong.
const EXIT_USAGE: u8 = 2;
/// Exit code: a bound that was asked for can neither be called kept nor broken.
const EXIT_INCONCLUSIVE: u8 = 3;
/// Exit code: a recording, workload or other data is wrong.
const EXIT_DATA: u8 = 4;
/// Exit code: a file, socket or process failed.
const EXIT_IO: u8 = 5;

/// How a verb ended that did what it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// Done, whatever the statistics say.
    Done,
    /// A bound failed, or variants delivered different bytes.
    Broken,
    /// No bound failed, and at least one is inconclusive.
    Inconclusive,
}

impl From<Ending> for ExitCode {
    fn from(ending: Ending) -> Self {
        match ending {
            Ending::Done => Self::SUCCESS,
            Ending::Broken => Self::from(EXIT_BROKEN),
            Ending::Inconclusive => Self::from(EXIT_INCONCLUSIVE),
        }
    }
}

/// Why a verb could not do what it was asked for.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) error: Error,
    pub(super) code: u8,
}

/// What was wrong.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error(transparent)]
    Run(#[from] RunError),
    #[error(transparent)]
    Bounds(#[from] BoundsError),
    #[error(transparent)]
    Predict(#[from] PredictError),
    #[error(transparent)]
    Papers(#[from] PapersError),
    #[error(transparent)]
    Cost(#[from] CostError),
    #[error(transparent)]
    Server(#[from] OtherPlace),
    #[error("cannot write to standard output")]
    Stdout(#[source] std::io::Error),
    #[error("cannot find this program's own executable")]
    Program(#[source] std::io::Error),
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        let code = if error.is_usage() {
            EXIT_USAGE
        } else if error.is_io() {
            EXIT_IO
        } else {
            EXIT_DATA
        };
        Self { error: error.into(), code }
    }
}

impl From<BoundsError> for Failure {
    fn from(error: BoundsError) -> Self {
        Self { error: error.into(), code: EXIT_DATA }
    }
}

impl From<PredictError> for Failure {
    fn from(error: PredictError) -> Self {
        let code = if error.is_io() { EXIT_IO } else { EXIT_DATA };
        Self { error: error.into(), code }
    }
}

impl From<PapersError> for Failure {
    fn from(error: PapersError) -> Self {
        let code = if error.is_usage() {
            EXIT_USAGE
        } else if error.is_io() {
            EXIT_IO
        } else {
            EXIT_DATA
        };
        Self { error: error.into(), code }
    }
}

impl From<CostError> for Failure {
    fn from(error: CostError) -> Self {
        let code = if error.is_usage() {
            EXIT_USAGE
        } else if error.is_broken() {
            EXIT_BROKEN
        } else if error.is_io() {
            EXIT_IO
        } else {
            EXIT_DATA
        };
        Self { error: error.into(), code }
    }
}

impl From<OtherPlace> for Failure {
    fn from(error: OtherPlace) -> Self {
        Self { error: error.into(), code: EXIT_USAGE }
    }
}

impl Failure {
    pub(super) fn io(error: Error) -> Self {
        Self { error, code: EXIT_IO }
    }
}
