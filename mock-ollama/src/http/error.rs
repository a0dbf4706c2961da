//! Why a request cannot be read, and the bytes that say so.

use thiserror::Error;

use super::reason;

/// A request that is refused before any handler sees it. The connection is closed afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum BadRequest {
    /// The request line or a header field breaks the grammar.
    #[error("malformed request head")]
    Malformed,
    /// An HTTP/1.1 request without `Host` (RFC 9112 §3.2).
    #[error("missing required Host header")]
    MissingHost,
    /// More than one `Host`.
    #[error("too many Host headers")]
    ManyHosts,
    /// A `Host` with a character that no host has.
    #[error("malformed Host header")]
    BadHost,
    /// The name of a field has a space in it.
    #[error("invalid header name")]
    BadName,
    /// `Content-Length` is not one decimal number.
    #[error("bad Content-Length")]
    BadLength,
    /// The chunked body breaks the grammar (RFC 9112 §7.1): how, in Go's words.
    #[error("malformed chunked body: {0}")]
    BadChunk(&'static str),
    /// A transfer coding other than `chunked`.
    #[error("unsupported transfer coding")]
    UnsupportedCoding,
    /// The head is longer than [`super::MAX_HEAD_BYTES`].
    #[error("request head too large")]
    HeadTooLarge,
    /// The body is longer than [`super::MAX_BODY_BYTES`].
    #[error("request body too large")]
    BodyTooLarge,
    /// A version other than 1.x.
    #[error("unsupported protocol version")]
    Version,
}

impl BadRequest {
    /// The status code of the answer.
    pub fn status(self) -> u16 {
        match self {
            Self::UnsupportedCoding => 501,
            Self::HeadTooLarge => 431,
            Self::BodyTooLarge => 413,
            Self::Version => 505,
            _ => 400,
        }
    }

    /// The whole answer: Go's server writes these by hand, without `Date` and without a length
    /// (`net/http/server.go`, `errorHeaders`); the reason of some stands in the status line, too.
    pub fn response(self) -> Vec<u8> {
        let mut line = format!("{} {}", self.status(), reason(self.status()));
        if matches!(self, Self::MissingHost | Self::BadHost | Self::BadName | Self::Version) {
            line = format!("{line}: {self}");
        }
        let body = if self == Self::UnsupportedCoding { "Unsupported transfer encoding" } else { &line };
        let fields = "Content-Type: text/plain; charset=utf-8\r\nConnection: close\r\n";
        format!("HTTP/1.1 {line}\r\n{fields}\r\n{body}").into_bytes()
    }
}
