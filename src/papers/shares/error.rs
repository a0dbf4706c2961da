//! Why a folder holds no set.

use std::io;
use std::path::{Path, PathBuf};

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
    /// A raw capture or recording is malformed.
    #[error(transparent)]
    Capture(#[from] ImportError),
    /// A recording is malformed.
    #[error(transparent)]
    Recording(#[from] ReadError),
    /// A folder, a file or its name is not as it must be.
    #[error("{}: {why}", path.display())]
    Unfit {
        /// The folder or file.
        path: PathBuf,
        /// Why.
        why: String,
    },
}

impl PredictError {
    pub(super) fn unfit(path: &Path, why: impl Into<String>) -> Self {
        Self::Unfit { path: path.to_owned(), why: why.into() }
    }
}

impl Classified for PredictError {
    fn class(&self) -> ErrorClass {
        if matches!(self, Self::Io { .. }) { ErrorClass::Io } else { ErrorClass::Data }
    }
}
