//! How a verb ends, and the exit code of each ending.

use std::io;
use std::process::ExitCode;

use runtime_lab::report::{Classified, ErrorClass};

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
pub(super) enum Completion {
    /// Done, whatever the statistics say.
    Done,
    /// A bound failed, or variants delivered different bytes.
    Broken,
    /// No bound failed, and at least one is inconclusive.
    Inconclusive,
}

impl From<Completion> for ExitCode {
    fn from(completion: Completion) -> Self {
        match completion {
            Completion::Done => Self::SUCCESS,
            Completion::Broken => Self::from(EXIT_BROKEN),
            Completion::Inconclusive => Self::from(EXIT_INCONCLUSIVE),
        }
    }
}

/// Why a verb could not do what it was asked for.
#[derive(Debug)]
pub(super) struct CommandError {
    pub(super) error: anyhow::Error,
    pub(super) code: u8,
}

impl<E: Classified> From<E> for CommandError {
    fn from(error: E) -> Self {
        let code = match error.class() {
            ErrorClass::Broken => EXIT_BROKEN,
            ErrorClass::Usage => EXIT_USAGE,
            ErrorClass::Data => EXIT_DATA,
            ErrorClass::Io => EXIT_IO,
        };
        Self { error: error.into(), code }
    }
}

impl CommandError {
    /// Returns the failure of a file, socket or process, with what could not be done.
    pub(super) fn io(what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |error| Self { error: anyhow::Error::new(error).context(what), code: EXIT_IO }
    }
}
