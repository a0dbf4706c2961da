//! Why a folder holds no set.

use std::io;
use std::path::PathBuf;

use mock_ollama::import::ImportError;
use mock_ollama::recording::ReadError;

use crate::report::{Classified, ErrorClass};

/// Why there is no prediction.
#[derive(Debug, thiserror::Error)]
pub enum PredictError {
    /// A folder or file could not be read.
    #[error("cannot read {}", path.display())]
    Io {
        /// The folder or file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// There is no set.
    #[error(
        "{}: no recordings of requests alone and together, here or in a folder of it; expected files such as \
         rep1-solo-a.jsonl and rep1-both-a.jsonl, or folders such as x-solo and x-clients2",
        path.display()
    )]
    NoSet {
        /// The folder.
        path: PathBuf,
    },
    /// A recording in a set whose name does not tell what it is.
    #[error(
        "{}: the name does not say whether this was recorded alone or together, and of whom; expected such as \
         rep1-solo-a.jsonl or rep1-both-a.jsonl",
        path.display()
    )]
    Name {
        /// The file.
        path: PathBuf,
    },
    /// A recording of one agent together without anybody.
    #[error("{}: recorded together, but with nobody: no second file of {repetition}", path.display())]
    Lonely {
        /// The file.
        path: PathBuf,
        /// The repetition.
        repetition: String,
    },
    /// A recording alone in a repetition without any together.
    #[error("{}: recorded alone, but there is no recording of {repetition} together", path.display())]
    NotTogether {
        /// The file.
        path: PathBuf,
        /// The repetition.
        repetition: String,
    },
    /// A recording together of somebody of whom there is none alone.
    #[error("{}: recorded together, but there is no recording of the same request alone", path.display())]
    NotAlone {
        /// The file.
        path: PathBuf,
    },
    /// A raw capture or recording is malformed.
    #[error(transparent)]
    Capture(#[from] ImportError),
    /// A recording is malformed.
    #[error(transparent)]
    Recording(#[from] ReadError),
    /// A file in no form that is known.
    #[error("{}: neither a recording of this project nor raw-capture/1", path.display())]
    Form {
        /// The file.
        path: PathBuf,
    },
    /// A recording of no use here.
    #[error("{}: {why}", path.display())]
    Unfit {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
}

impl Classified for PredictError {
    fn class(&self) -> ErrorClass {
        if matches!(self, Self::Io { .. }) { ErrorClass::Io } else { ErrorClass::Data }
    }
}
