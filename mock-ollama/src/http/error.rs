//! Why a request cannot be read, and the bytes that say so.

use thiserror::Error;

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
    /// `Content-Length` is not one decimal number.
    #[error("bad Content-Length")]
    BadLength,
    /// The chunked body breaks the grammar (RFC 9112 §7.1).
    #[error("malformed chunked body")]
    BadChunk,
    /// A transfer coding other than `chunked`.
    #[error("unsupported transfer coding")]
    UnsupportedCoding,
    /// The head is longer than [`super::MAX_HEAD_BYTES`] or has more than [`super::MAX_HEADERS`] fields.
    #[error("request head too large")]
    HeadTooLarge,
    /// The body is longer than [`super::MAX_BODY_BYTES`].
    #[error("request body too large")]
    BodyTooLarge,
    /// A version other than 1.0 and 1.1.
    #[error("unsupported protocol version")]
    Version,
}

impl BadRequest {
    /// The status code of the answer.
    pub fn status(self) -> u16 {
        match self {
            Self::Malformed | Self::MissingHost | Self::ManyHosts | Self::BadLength | Self::BadChunk => 400,
            Self::UnsupportedCoding => 501,
            Self::HeadTooLarge => 431,
            Self::BodyTooLarge => 413,
            Self::Version => 505,
        }
    }

    /// The whole answer: Go's server writes these by hand, without `Date` and without a length
    /// (`net/http/server.go`, `errorHeaders`); the detail stands in the status line too.
    pub fn response(self) -> Vec<u8> {
        let (line, body) = match self {
            Self::Malformed | Self::BadLength | Self::BadChunk => ("400 Bad Request", "400 Bad Request"),
            Self::MissingHost => {
                ("400 Bad Request: missing required Host header", "400 Bad Request: missing required Host header")
            }
            Self::ManyHosts => ("400 Bad Request: too many Host headers", "400 Bad Request: too many Host headers"),
            Self::UnsupportedCoding => ("501 Not Implemented", "Unsupported transfer encoding"),
            Self::HeadTooLarge => ("431 Request Header Fields Too Large", "431 Request Header Fields Too Large"),
            Self::BodyTooLarge => ("413 Request Entity Too Large", "413 Request Entity Too Large"),
            Self::Version => (
                "505 HTTP Version Not Supported: unsupported protocol version",
                "505 HTTP Version Not Supported: unsupported protocol version",
            ),
        };
        let fields = "Content-Type: text/plain; charset=utf-8\r\nConnection: close\r\n";
        format!("HTTP/1.1 {line}\r\n{fields}\r\n{body}").into_bytes()
    }
}
