//! Why a script cannot be used.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why a script cannot be used. Each names the file, the line where there is one, and what to do.
#[derive(Debug, Error)]
pub enum ScriptError {
    /// A file or folder could not be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file is too long to be a script.
    #[error("{file}: larger than {limit} bytes, the limit of a script")]
    TooLarge {
        /// The file.
        file: String,
        /// The limit.
        limit: u64,
    },
    /// It is no TOML, or not of this form.
    #[error("{file}: {what}")]
    Form {
        /// The file.
        file: String,
        /// The place and what is wrong there.
        what: String,
    },
    /// There is no model.
    #[error("{file}: states no model; add a [[model]] with a name")]
    NoModel {
        /// The file or folder.
        file: String,
    },
    /// A model's name breaks the grammar.
    #[error("{place}: bad model name {name:?}; write [host/][namespace/]model[:tag]")]
    BadName {
        /// The file and the line.
        place: String,
        /// The name.
        name: String,
    },
    /// Two models have one name.
    #[error("{place}: model {name} is stated twice; keep one")]
    Twice {
        /// The file and the line.
        place: String,
        /// The name.
        name: String,
    },
    /// An answer is for a model that nobody states.
    #[error("{place}: answer {number} is for model {name:?}, which no [[model]] states; there are: {known}")]
    UnknownModel {
        /// The file and the line.
        place: String,
        /// Which answer of its file, counted from 1.
        number: usize,
        /// The model.
        name: String,
        /// The models that are stated.
        known: String,
    },
    /// A model does not answer everything.
    #[error("{place}: model {name} has no answer without conditions; add an [[answer]] with pieces alone")]
    NoDefault {
        /// The file and the line of the model.
        place: String,
        /// The model.
        name: String,
    },
    /// An answer holds something of no use.
    #[error("{place}: answer {number}: {what}")]
    Answer {
        /// The file and the line.
        place: String,
        /// Which answer of its file, counted from 1.
        number: usize,
        /// What is wrong and what to do.
        what: String,
    },
    /// A model holds something of no use.
    #[error("{place}: model {name}: {what}")]
    Model {
        /// The file and the line.
        place: String,
        /// The model.
        name: String,
        /// What is wrong and what to do.
        what: String,
    },
}

impl ScriptError {
    /// Whether the system is at fault rather than the script.
    pub fn is_io(&self) -> bool {
        matches!(self, Self::Read { .. })
    }
}
