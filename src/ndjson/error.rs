//! What can be wrong with a stream.

use super::LineTooLong;

/// Why a response body is not a complete native Ollama stream. Lines count from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StreamError {
    /// A line has no bytes; Ollama's Go client refuses it too.
    #[error("line {line} is empty")]
    EmptyLine {
        /// Which line.
        line: u64,
    },
    /// A line is not UTF-8.
    #[error("line {line} is not UTF-8")]
    NotUtf8 {
        /// Which line.
        line: u64,
    },
    /// A line is not JSON.
    #[error("line {line} is not JSON: {reason}")]
    NotJson {
        /// Which line.
        line: u64,
        /// What the JSON reader says.
        reason: String,
    },
    /// A line is JSON, but not an object with fields of Ollama's types.
    #[error("line {line} is not an object of a stream: {reason}")]
    UnexpectedJson {
        /// Which line.
        line: u64,
        /// What the JSON reader says.
        reason: String,
    },
    /// The server reported an error in the middle of the stream (`server/routes.go`, `streamResponse`).
    #[error("the server reported in line {line}: {message}")]
    ErrorLine {
        /// Which line.
        line: u64,
        /// The server's text.
        message: String,
    },
    /// The body ended without an object that says `"done":true`.
    #[error("the stream ended after {lines} lines without a final object")]
    MissingDone {
        /// The number of its lines.
        lines: u64,
    },
    /// There is a line after the final object.
    #[error("line {line} comes after the final object")]
    AfterDone {
        /// Which line.
        line: u64,
    },
    /// A line is longer than the limit.
    #[error(transparent)]
    LineTooLong(#[from] LineTooLong),
    /// The body is longer than the limit.
    #[error("the body is longer than {limit} bytes")]
    BodyTooLong {
        /// The limit, in bytes.
        limit: u64,
    },
}

impl StreamError {
    /// The stable name of this kind of error, as transcripts and reports spell it.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::EmptyLine { .. } => "empty-line",
            Self::NotUtf8 { .. } => "not-utf-8",
            Self::NotJson { .. } => "not-json",
            Self::UnexpectedJson { .. } => "unexpected-json",
            Self::ErrorLine { .. } => "error-line",
            Self::MissingDone { .. } => "missing-done",
            Self::AfterDone { .. } => "after-done",
            Self::LineTooLong(_) => "line-too-long",
            Self::BodyTooLong { .. } => "body-too-long",
        }
    }
}
