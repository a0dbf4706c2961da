//! Why a script cannot be used.

use std::fmt::Display;
use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why a script cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ScriptError {
    /// A file or folder could not be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// It is no script, or states something of no use.
    #[error("{place}: {problem}")]
    Invalid {
        /// The file, and the line where there is one.
        place: String,
        /// What is wrong, and what to do.
        problem: String,
    },
}

impl ScriptError {
    pub(super) fn invalid(place: impl Into<String>, problem: impl Display) -> Self {
        Self::Invalid { place: place.into(), problem: problem.to_string() }
    }

    pub(super) fn bad_name(place: impl Into<String>, name: &str) -> Self {
        Self::invalid(place, format_args!("bad model name {name:?}; write [host/][namespace/]model[:tag]"))
    }

    /// Returns whether the system is at fault rather than the script.
    pub fn is_io(&self) -> bool {
        matches!(self, Self::Read { .. })
    }
}
