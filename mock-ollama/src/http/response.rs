//! The response head, in the case and order of Go's server.

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;

use super::Version;

/// The longest body that Go buffers to learn its length, in bytes (`net/http/server.go`, `bufferBeforeChunkingSize`).
pub const MAX_BUFFERED: u64 = 2048;

/// How the client finds the end of a response body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// `Content-Length` with this value.
    Length(u64),
    /// `Transfer-Encoding: chunked`.
    Chunked,
    /// The body ends when the connection does (HTTP/1.0).
    UntilClose,
    /// No length at all: 204, or a HEAD of a body that GET would send chunked or that nobody wrote.
    Unstated,
}

impl Framing {
    /// How the body of a response that is written at once ends (`net/http/server.go`): by its length up to what Go
    /// buffers, else chunked; not at all where nothing may follow or nothing was written to a HEAD.
    pub fn of_whole(version: Version, method: &str, status: u16, body_length: u64) -> Self {
        let bodiless = status < 200 || matches!(status, 204 | 304);
        match (method, body_length) {
            _ if bodiless => Self::Unstated,
            ("HEAD", 0) => Self::Unstated,
            (_, ..=MAX_BUFFERED) => Self::Length(body_length),
            ("HEAD", _) => Self::Unstated,
            _ if version == Version::Http10 => Self::UntilClose,
            _ => Self::Chunked,
        }
    }
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

/// Returns a time as the `Date` field has it (RFC 9110 §5.6.7). The last that can be written is in the year 9999.
fn http_date(unix_s: u64) -> String {
    let seconds = i64::try_from(unix_s).unwrap_or(i64::MAX);
    let time = Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX);
    DateTimePrinter::new().timestamp_to_rfc9110_string(&time).unwrap_or_default()
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
            field("Date", &http_date(seconds));
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
        202 => "Accepted",
        204 => "No Content",
        301 => "Moved Permanently",
        302 => "Found",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        409 => "Conflict",
        410 => "Gone",
        412 => "Precondition Failed",
        413 => "Request Entity Too Large",
        417 => "Expectation Failed",
        422 => "Unprocessable Entity",
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

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::{Framing, ResponseHead, reason};
    use crate::http::Version;

    #[rstest]
    #[case::w_011_short("GET", 200, 2048, Framing::Length(2048))]
    #[case::w_011_long("GET", 200, 2049, Framing::Chunked)]
    #[case::head_of_short("HEAD", 200, 17, Framing::Length(17))]
    #[case::head_of_long("HEAD", 200, 2049, Framing::Unstated)]
    #[case::head_of_nothing("HEAD", 200, 0, Framing::Unstated)]
    #[case::no_content("OPTIONS", 204, 0, Framing::Unstated)]
    #[case::refused("GET", 403, 0, Framing::Length(0))]
    fn a_body_written_at_once_is_framed_as_go_does(
        #[case] method: &str,
        #[case] status: u16,
        #[case] length: u64,
        #[case] expected: Framing,
    ) {
        assert_eq!(Framing::of_whole(Version::Http11, method, status, length), expected);
    }

    #[test]
    fn a_long_body_ends_with_the_connection_in_the_older_version() {
        assert_eq!(Framing::of_whole(Version::Http10, "POST", 200, 2049), Framing::UntilClose);
        assert_eq!(Framing::of_whole(Version::Http10, "POST", 200, 20), Framing::Length(20));
    }

    #[test]
    fn fields_of_one_name_keep_their_lines_and_their_order() {
        let vary = |value: &str| ("Vary".to_owned(), value.to_owned());
        let head = ResponseHead {
            version: Version::Http11,
            status: 204,
            fields: vec![vary("Origin"), ("Allow".to_owned(), "POST".to_owned()), vary("A"), vary("B")],
            date_unix_s: None,
            framing: Framing::Unstated,
            connection: Some("close"),
        };
        let expected = "HTTP/1.1 204 No Content\r\nAllow: POST\r\nVary: Origin\r\nVary: A\r\nVary: B\r\n\
            Connection: close\r\n\r\n";
        assert_eq!(String::from_utf8(head.encode()).unwrap(), expected);
    }

    #[rstest]
    #[case(204, "No Content")]
    #[case(403, "Forbidden")]
    #[case(499, "status code unknown")]
    fn a_status_has_the_reason_of_go(#[case] status: u16, #[case] text: &str) {
        assert_eq!(reason(status), text);
    }
}
