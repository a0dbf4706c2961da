//! The response head, in the case and order of Go's server.

use super::Version;

/// How the client finds the end of a response body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// `Content-Length` with this value.
    Length(u64),
    /// `Transfer-Encoding: chunked`.
    Chunked,
    /// The body ends when the connection does (HTTP/1.0).
    UntilClose,
    /// No length at all: HEAD of a body that GET would send chunked.
    Unstated,
}

/// A response head to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseHead {
    /// The version of the request; Go answers 1.0 with 1.0.
    pub version: Version,
    /// The status code.
    pub status: u16,
    /// The fields that the handler set, canonical case, in any order.
    pub fields: Vec<(String, String)>,
    /// Seconds since 1970 for the `Date` field; none is written without.
    pub date_unix_s: Option<u64>,
    /// How the body ends.
    pub framing: Framing,
    /// What the `Connection` field says; none is written without.
    pub connection: Option<&'static str>,
}

impl ResponseHead {
    /// The bytes up to and including the blank line: handler fields sorted, then `Date`, `Content-Length`,
    /// `Connection`, `Transfer-Encoding` (`net/http/server.go`, `extraHeader.Write`).
    pub fn encode(&self) -> Vec<u8> {
        let version = if self.version == Version::Http10 { "HTTP/1.0" } else { "HTTP/1.1" };
        let mut out = format!("{version} {} {}\r\n", self.status, reason(self.status)).into_bytes();
        let mut field = |name: &str, value: &str| {
            out.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        };
        let mut fields: Vec<_> = self.fields.iter().collect();
        fields.sort_by(|(one, _), (other, _)| one.cmp(other));
        for (name, value) in fields {
            field(name, value);
        }
        if let Some(seconds) = self.date_unix_s {
            let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
            field("Date", &httpdate::fmt_http_date(time));
        }
        if let Framing::Length(length) = self.framing {
            field("Content-Length", &length.to_string());
        }
        if let Some(connection) = self.connection {
            field("Connection", connection);
        }
        if self.framing == Framing::Chunked {
            field("Transfer-Encoding", "chunked");
        }
        out.extend_from_slice(b"\r\n");
        out
    }
}

/// The reason phrase of a status code, as Go's `http.StatusText` says it.
pub fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        204 => "No Content",
        301 => "Moved Permanently",
        307 => "Temporary Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        409 => "Conflict",
        413 => "Request Entity Too Large",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        // Go writes this for a code it has no text for.
        _ => "status code unknown",
    }
}
