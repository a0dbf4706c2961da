//! A response that is written at once, and a request that is refused.

use thiserror::Error;

/// A response that a handler writes at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// The fields that the handler set, in any order.
    pub fields: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// Whether the handler flushed it, so that it is chunked however short.
    pub flushed: bool,
}

impl Reply {
    /// A reply with this content type.
    pub fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let fields = vec![("Content-Type".to_owned(), content_type.to_owned())];
        Self { status, fields, body: body.into(), flushed: false }
    }

    /// A reply without a body and without fields.
    pub fn empty(status: u16) -> Self {
        Self { status, fields: Vec::new(), body: Vec::new(), flushed: false }
    }
}

/// A request that is refused, with the status and text of the real server. How it is framed depends on who refuses.
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

/// Who refuses a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusedBy {
    /// The parser of a dialect under `/v1`, before the native handler; on a native route the handler itself.
    Parser,
    /// The native handler; a dialect under `/v1` wraps what it says.
    Handler,
    /// The model's runner, by way of the stream writer.
    Runner,
    /// What keeps models of the cloud out, before any wrapper: native in every dialect.
    Cloud,
}
