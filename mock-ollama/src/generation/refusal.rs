//! A request that is refused.

use thiserror::Error;

/// A request that is refused, with the status and text of the real server. Its framing depends on who refuses.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{text}")]
pub struct Refusal {
    /// The status code.
    pub status: u16,
    /// The text of the error.
    pub text: String,
    /// Who refuses.
    pub by: RefusedBy,
}

impl Refusal {
    /// Returns a refusal of a native handler.
    pub fn by_handler(status: u16, text: impl Into<String>) -> Self {
        Self { status, text: text.into(), by: RefusedBy::Handler }
    }

    /// Returns a refusal of a parser under `/v1`, whose status is 400.
    pub fn by_parser(text: impl Into<String>) -> Self {
        Self { status: 400, text: text.into(), by: RefusedBy::Parser }
    }
}

/// Who refuses a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusedBy {
    /// The parser of a dialect under `/v1`, before the native handler; on a native route the handler itself.
    Parser,
    /// The native handler; a dialect under `/v1` wraps its text.
    Handler,
    /// The model's runner, by way of the stream writer.
    Runner,
    /// What keeps models of the cloud out, before any wrapper: native in every dialect.
    Cloud,
}
