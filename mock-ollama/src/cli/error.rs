//! What a verb can fail with, and the exit code of each.

use std::io;
use std::path::PathBuf;

use mock_ollama::import::ImportError;
use mock_ollama::record::RecordError;
use mock_ollama::recording::limits::MAX_FILE_BYTES;
use mock_ollama::recording::{ReadError, WriteError};
use mock_ollama::{FinishError, StartError};
use thiserror::Error;

/// Exit code: the command line or the environment is wrong.
pub(crate) const EXIT_USAGE: u8 = 2;

/// Exit code: a recording or other data is malformed.
pub(crate) const EXIT_DATA: u8 = 4;

/// Exit code: a file or socket failed.
pub(crate) const EXIT_IO: u8 = 5;

/// Why a verb failed.
#[derive(Debug, Error)]
pub(crate) enum VerbError {
    /// A file could not be read.
    #[error("cannot read {}", path.display())]
    Input {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// A file is larger than any recording may be.
    #[error("{} is larger than {MAX_FILE_BYTES} bytes, the limit of a recording", .0.display())]
    InputTooLarge(PathBuf),
    /// The output is there already.
    #[error("{} exists; give --force to replace it", .0.display())]
    Exists(PathBuf),
    /// The output is one of the inputs.
    #[error("{} is an input, and would be lost; write to another file", .0.display())]
    OntoInput(PathBuf),
    /// A file could not be written.
    #[error("cannot write {}", path.display())]
    Output {
        /// The file.
        path: PathBuf,
        /// What failed.
        source: WriteError,
    },
    /// The flag `--threads`, which is gone.
    #[error("--threads is gone: a server has one thread; leave the flag out")]
    Threads,
    /// Standard output could not be written.
    #[error("cannot write to standard output")]
    Stdout(#[source] io::Error),
    /// A recording could not be read.
    #[error(transparent)]
    Recording(#[from] ReadError),
    /// Some of several files are of no use; each has been named.
    #[error("{bad} of {count} files are of no use")]
    SomeBad {
        /// How many.
        bad: usize,
        /// Of how many.
        count: usize,
    },
    /// A folder that was to be imported has no body in it.
    #[error("{} has nothing to import in it; bodies end in .ndjson, .sse or .json, raw captures in .jsonl", .0.display())]
    NothingToImport(PathBuf),
    /// Two files of a folder would become the same recording.
    #[error("{} would become the same recording as {}; rename one of them", path.display(), first.display())]
    SameName {
        /// The file.
        path: PathBuf,
        /// The one before it.
        first: PathBuf,
    },
    /// An input could not be imported.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// A folder that was to be served has no recording in it.
    #[error("{} has nothing to serve in it; recordings end in .jsonl, scripts in .toml", .0.display())]
    EmptyFolder(PathBuf),
    /// An environment variable has a value of no use.
    #[error("bad {name}: {why}")]
    Environment {
        /// The variable.
        name: &'static str,
        /// What is wrong and what to do.
        why: String,
    },
    /// The server did not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The server failed while it ran.
    #[error(transparent)]
    Finish(#[from] FinishError),
    /// A pattern of `--scrub` is no regular expression.
    #[error("{0}")]
    Pattern(String),
    /// The recorder did not start.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// Answers that should have been recorded were not; each has been named.
    #[error("{0} answer(s) could not be recorded")]
    NotRecorded(usize),
    /// Ctrl-C could not be caught.
    #[error("cannot catch Ctrl-C: {0}")]
    Signal(String),
}

impl VerbError {
    /// Returns the exit code of a program that ends with this error.
    pub(crate) fn exit_code(&self) -> u8 {
        let is_io = match self {
            Self::Environment { .. }
            | Self::OntoInput(_)
            | Self::Pattern(_)
            | Self::Threads
            | Self::Start(StartError::TooManyServers(_)) => return EXIT_USAGE,
            Self::Output { source, .. } => source.is_io(),
            Self::Recording(error) | Self::Start(StartError::Recording(error)) => error.is_io(),
            Self::Start(StartError::Script(error)) => error.is_io(),
            Self::Start(StartError::UnknownBuiltin { .. })
            | Self::InputTooLarge(_)
            | Self::SomeBad { .. }
            | Self::Import(_)
            | Self::NothingToImport(_)
            | Self::SameName { .. }
            | Self::EmptyFolder(_) => false,
            _ => true,
        };
        if is_io { EXIT_IO } else { EXIT_DATA }
    }
}
