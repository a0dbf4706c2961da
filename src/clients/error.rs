//! Errors between a client and the server.

use std::error::Error;
use std::io;

/// The error of an HTTP stack.
pub type Cause = Box<dyn Error + Send + Sync>;

/// Why an exchange failed below the level of streams.
///
/// The words and kinds are the same for every HTTP stack, so that transcripts of different variants compare; what a
/// stack has to say is the source.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The server's URL is not one.
    #[error("the server's URL `{url}` is not of the form `http://ADDRESS:PORT`, the address being an IP address")]
    Url {
        /// The URL as given.
        url: String,
    },
    /// The HTTP stack could not be set up.
    #[error("the client cannot be built")]
    Build(#[source] Cause),
    /// The request cannot be written, such as when an agent's name does not fit a header field.
    #[error("the request cannot be written as HTTP")]
    BadRequest(#[source] Cause),
    /// There is no connection.
    #[error("the server cannot be reached")]
    Connect(#[source] Cause),
    /// The connection ended, or what came is not HTTP, before there was a response head.
    #[error("no response came")]
    NoResponse(#[source] Cause),
    /// The response head does not fit the cap on the client's reads, which limits the head too.
    #[error("the response head is longer than {limit} bytes, the cap on the reads of this client")]
    HeadTooLong {
        /// The cap, in bytes.
        limit: usize,
    },
    /// The server answered with an error.
    #[error("the server answered {status}: {message}")]
    Status {
        /// The status code.
        status: u16,
        /// The text of its `error` field, else the body.
        message: String,
    },
    /// The connection was reset before the end of the body.
    #[error("the connection was reset in the middle of the body")]
    BodyReset(#[source] Cause),
    /// The connection was closed before the end of the body.
    #[error("the connection was closed in the middle of the body")]
    BodyCut(#[source] Cause),
    /// The body could not be read for another reason, such as broken chunked encoding.
    #[error("the body cannot be read")]
    Body(#[source] Cause),
}

impl ClientError {
    /// The stable name of this kind of error, as transcripts and reports spell it.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Url { .. } => "url",
            Self::Build(_) => "client-build",
            Self::BadRequest(_) => "bad-request",
            Self::Connect(_) => "connect",
            Self::NoResponse(_) => "no-response",
            Self::HeadTooLong { .. } => "head-too-long",
            Self::Status { .. } => "status",
            Self::BodyReset(_) => "body-reset",
            Self::BodyCut(_) => "body-cut",
            Self::Body(_) => "body",
        }
    }

    /// The kind of failure in the middle of a body, by the I/O error at its root.
    pub fn in_body(cause: impl Into<Cause>) -> Self {
        let cause = cause.into();
        match io_kind(cause.as_ref()) {
            Some(io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted) => Self::BodyReset(cause),
            Some(io::ErrorKind::UnexpectedEof) => Self::BodyCut(cause),
            _ => Self::Body(cause),
        }
    }
}

/// The kind of the first I/O error in the chain.
fn io_kind(error: &(dyn Error + 'static)) -> Option<io::ErrorKind> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(io) = error.downcast_ref::<io::Error>() {
            return Some(io.kind());
        }
        next = error.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    /// What an HTTP stack wraps around the I/O error.
    #[derive(Debug, thiserror::Error)]
    #[error("error reading a body from connection")]
    struct Wrapped(#[source] io::Error);

    #[rstest]
    #[case(io::ErrorKind::ConnectionReset, "body-reset")]
    #[case(io::ErrorKind::ConnectionAborted, "body-reset")]
    #[case(io::ErrorKind::UnexpectedEof, "body-cut")]
    #[case(io::ErrorKind::InvalidData, "body")]
    fn a_failure_in_a_body_is_named_after_the_error_at_its_root(#[case] root: io::ErrorKind, #[case] kind: &str) {
        assert_eq!(ClientError::in_body(Wrapped(root.into())).kind(), kind);
    }
}
