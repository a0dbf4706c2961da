//! What a verb can fail with, and the exit code of each.

use std::io;
use std::path::PathBuf;

use mock_ollama::recording::import::ImportError;
use mock_ollama::recording::limits::MAX_FILE_BYTES;
use mock_ollama::recording::{ReadError, WriteError};
use thiserror::Error;

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
        /// What the system said.
        source: io::Error,
    },
    /// A file is larger than any recording may be.
    #[error("{} is larger than {MAX_FILE_BYTES} bytes, the limit of a recording", path.display())]
    InputTooLarge {
        /// The file.
        path: PathBuf,
    },
    /// The output is there already.
    #[error("{} exists; give --force to replace it", path.display())]
    Exists {
        /// The output.
        path: PathBuf,
    },
    /// A file could not be written.
    #[error("cannot write {}", path.display())]
    Output {
        /// The file.
        path: PathBuf,
        /// What failed.
        source: WriteError,
    },
    /// Standard output could not be written.
    #[error("cannot write to standard output")]
    Stdout(#[source] io::Error),
    /// A recording could not be read.
    #[error(transparent)]
    Recording(#[from] ReadError),
    /// An input could not be imported.
    #[error(transparent)]
    Import(#[from] ImportError),
}

impl VerbError {
    /// The exit code of a program that ends with this error.
    pub(crate) fn exit_code(&self) -> u8 {
        let is_io = match self {
            Self::Input { .. } | Self::Exists { .. } | Self::Stdout(_) => true,
            Self::Output { source, .. } => source.is_io(),
            Self::Recording(error) => error.is_io(),
            Self::InputTooLarge { .. } | Self::Import(_) => false,
        };
        if is_io { EXIT_IO } else { EXIT_DATA }
    }
}
