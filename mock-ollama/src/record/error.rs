//! Why an exchange was not recorded.

use std::error::Error as _;
use std::io;
use std::path::PathBuf;

use thiserror::Error;

use super::limits::MAX_ANSWER_BYTES;
use super::upstream::UpstreamUrl;
use crate::http::BadResponse;
use crate::recording::WriteError;
use crate::recording::limits::MAX_CHUNKS;

/// Why an exchange was not recorded.
#[derive(Debug, Error)]
pub(super) enum NotRecorded {
    /// A method that the format does not have.
    #[error("recordings have no method {0}")]
    Method(String),
    /// A request body that the format does not hold.
    #[error("the request body is not UTF-8")]
    NotUtf8,
    /// No address of the upstream accepted a connection.
    #[error("cannot reach {url}")]
    Unreachable {
        /// The upstream.
        url: UpstreamUrl,
        /// The system's error for the last address.
        source: io::Error,
    },
    /// The upstream ended the connection before it had sent the head of an answer.
    #[error("the upstream closed the connection without an answer")]
    NoAnswer,
    /// The upstream reset the connection before it had sent the head of an answer.
    #[error("the upstream reset the connection without an answer")]
    NoAnswerButReset,
    /// The client left, or the recorder was stopped, before the head of an answer had come.
    #[error("it was cut off before the answer began")]
    CutOff,
    /// The answer is no HTTP.
    #[error("the answer was passed on, but cannot be read")]
    BadAnswer(#[source] BadResponse),
    /// The answer is larger than what is held.
    #[error("the answer was passed on, but has more than {MAX_ANSWER_BYTES} bytes, the limit")]
    TooLarge,
    /// The answer is compressed in a way that is not undone, so that nothing in it can be scrubbed.
    #[error("the answer was passed on, but a body with Content-Encoding {0:?} is not recorded")]
    Encoding(String),
    /// The compression of the answer cannot be undone.
    #[error("the answer was passed on, but its gzip body cannot be read")]
    Gzip(#[source] io::Error),
    /// The answer came in more pieces than a recording may have.
    #[error("the answer was passed on, but has more than {MAX_CHUNKS} chunks, the limit")]
    TooManyChunks,
    /// The file could not be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What failed.
        source: WriteError,
    },
}

impl NotRecorded {
    /// Returns whether there was an answer that should have been recorded.
    pub(super) fn is_loss(&self) -> bool {
        matches!(self, Self::TooLarge | Self::TooManyChunks | Self::Write { .. })
    }

    /// Returns the error and all that caused it, in a line.
    pub(super) fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut source = self.source();
        while let Some(error) = source {
            text = format!("{text}: {error}");
            source = error.source();
        }
        text
    }
}
