//! The request head, line by line, as Go reads it (`net/http/request.go` `readRequest`; `net/textproto` `ReadMIMEHeader`).

use super::BadRequest;
use super::target::Url;

/// The longest request head, in bytes, from the request line to the blank line.
pub const MAX_HEAD_BYTES: usize = 64 * 1024;

/// An HTTP version that this server speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// HTTP/1.0: no chunking; the connection closes at the end unless both sides say otherwise.
    Http10,
    /// HTTP/1.1, and what claims to be a later 1.x.
    Http11,
}

/// A parsed request head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestHead {
    /// The method, verbatim.
    pub method: String,
    /// The request target, verbatim.
    pub target: String,
    /// The version.
    pub version: Version,
    /// The fields in wire order; a value that is not UTF-8 is kept lossily.
    pub headers: Vec<(String, String)>,
    /// How long the body is.
    pub length: BodyLength,
    /// What the target says.
    pub(super) url: Url,
    /// Whether the connection ends with the answer, whatever the client asked for.
    pub(super) is_last: bool,
}

/// How the end of a request body is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyLength {
    /// By counting; zero when there is no body.
    Exact(u64),
    /// By the chunked coding.
    Chunked,
}

impl RequestHead {
    /// The first value of the field called `name`, compared without case.
    pub fn header(&self, name: &str) -> Option<&str> {
        values(&self.headers, name).next()
    }

    fn has_token(&self, name: &str, token: &str) -> bool {
        let mut tokens = values(&self.headers, name).flat_map(|value| value.split([' ', '\t', ',']));
        tokens.any(|part| part.eq_ignore_ascii_case(token))
    }

    /// Whether the client wants to use the connection again (RFC 9112 §9.3), and may.
    pub fn keeps_alive(&self) -> bool {
        let asked = match self.version {
            Version::Http11 => !self.has_token("connection", "close"),
            Version::Http10 => self.has_token("connection", "keep-alive"),
        };
        asked && !self.is_last
    }

    /// Whether the client asked to be told to go on before it sends the body (RFC 9110 §10.1.1).
    pub fn expects_continue(&self) -> bool {
        self.version == Version::Http11
            && self.length != BodyLength::Exact(0)
            && self.has_token("expect", "100-continue")
    }

    /// Whether the client expects something else, which is refused before any of the body comes.
    pub(super) fn expects_the_unknown(&self) -> bool {
        self.header("expect").is_some_and(|value| !value.is_empty()) && !self.has_token("expect", "100-continue")
    }

    /// Whether the target is the server itself; only `OPTIONS` may ask that.
    pub(super) fn asks_the_server(&self) -> bool {
        self.target == "*"
    }

    /// The path of the target, without query.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The host of the target; else that of the field `Host`.
    pub(super) fn host(&self) -> &str {
        if self.url.host.is_empty() { self.header("host").unwrap_or_default() } else { &self.url.host }
    }
}

fn values<'a>(fields: &'a [(String, String)], name: &str) -> impl Iterator<Item = &'a str> {
    fields.iter().filter(move |(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

/// A head in the making.
#[derive(Debug, Default)]
pub(super) struct HeadReader {
    first: Option<RequestLine>,
    fields: Vec<(String, String)>,
}

#[derive(Debug)]
struct RequestLine {
    method: String,
    target: String,
    /// Major and minor.
    version: (u8, u8),
    url: Url,
}

impl HeadReader {
    /// Whether no line has come.
    pub(super) fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// Takes the next line, without its end; the head, where this line ends it.
    pub(super) fn read_line(&mut self, line: &[u8]) -> Result<Option<RequestHead>, BadRequest> {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if self.first.is_none() {
            self.first = Some(RequestLine::parse(line).ok_or(BadRequest::Malformed)?);
            return Ok(None);
        }
        if !line.is_empty() {
            self.read_field(line).ok_or(BadRequest::Malformed)?;
            return Ok(None);
        }
        let Self { first, fields } = std::mem::take(self);
        first.map(|first| first.with_fields(fields)).transpose()
    }

    /// A field, or the rest of the one before, which Go joins with a space.
    fn read_field(&mut self, line: &[u8]) -> Option<()> {
        let is_folded = line.starts_with(b" ") || line.starts_with(b"\t");
        let (name, value) = if is_folded { (&b""[..], line) } else { split_once(line, b':')? };
        let is_text = |byte: &u8| *byte == b'\t' || !byte.is_ascii_control();
        // A space in a name is refused later, and in other words.
        let is_name = name.iter().all(|&byte| is_token(byte) || byte == b' ');
        if !is_name || !value.iter().all(is_text) {
            return None;
        }
        let value = String::from_utf8_lossy(value);
        let value = value.trim_matches([' ', '\t']);
        if is_folded {
            let (_, before) = self.fields.last_mut()?;
            if !before.is_empty() {
                before.push(' ');
            }
            before.push_str(value);
        } else {
            let name = String::from_utf8_lossy(name).into_owned();
            self.fields.push((Some(name).filter(|name| !name.is_empty())?, value.to_owned()));
        }
        Some(())
    }
}

impl RequestLine {
    fn parse(line: &[u8]) -> Option<Self> {
        let (method, rest) = split_once(line, b' ')?;
        let (target, version) = split_once(rest, b' ')?;
        let digit = |byte: u8| byte.is_ascii_digit().then(|| byte - b'0');
        let version = match version.strip_prefix(b"HTTP/")? {
            &[major, b'.', minor] => (digit(major)?, digit(minor)?),
            _ => return None,
        };
        if method.is_empty() || !method.iter().copied().all(is_token) {
            return None;
        }
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (method, target) = (text(method), text(target));
        let url = Url::parse(&method, &target)?;
        Some(Self { method, target, version, url })
    }

    /// The whole head, once it is known to be one that this server takes; what Go looks at first is refused first.
    fn with_fields(self, headers: Vec<(String, String)>) -> Result<RequestHead, BadRequest> {
        let hosts: Vec<&str> = values(&headers, "host").collect();
        if hosts.len() > 1 {
            return Err(BadRequest::ManyHosts);
        }
        let is_1_1 = self.version >= (1, 1);
        let length = body_length(&headers, is_1_1)?;
        let is_preface = self.version == (2, 0) && self.method == "PRI" && self.target == "*";
        if self.version.0 != 1 && !is_preface {
            return Err(BadRequest::Version);
        }
        match hosts.first() {
            None if is_1_1 && !is_preface && self.method != "CONNECT" => return Err(BadRequest::MissingHost),
            Some(host) if !host.bytes().all(is_host_byte) => return Err(BadRequest::BadHost),
            _ => {}
        }
        if headers.iter().any(|(name, _)| name.contains(' ')) {
            return Err(BadRequest::BadName);
        }
        let version = if is_1_1 { Version::Http11 } else { Version::Http10 };
        let Self { method, target, url, .. } = self;
        let mut head = RequestHead { method, target, version, headers, length, url, is_last: false };
        head.is_last = head.expects_the_unknown() || (head.asks_the_server() && head.method != "OPTIONS");
        if head.is_last {
            // It is answered at once, and nobody waits for its body.
            head.length = BodyLength::Exact(0);
        }
        Ok(head)
    }
}

/// RFC 9112 §6.3; as in Go's server a transfer coding wins over a length, which must be one all the same
/// (`net/http/transfer.go`).
fn body_length(headers: &[(String, String)], is_1_1: bool) -> Result<BodyLength, BadRequest> {
    let codings: Vec<&str> = values(headers, "transfer-encoding").filter(|_| is_1_1).collect();
    let is_chunked = match codings.as_slice() {
        [] => false,
        [only] if only.eq_ignore_ascii_case("chunked") => true,
        _ => return Err(BadRequest::UnsupportedCoding),
    };
    let mut lengths = values(headers, "content-length").map(|value| value.trim_matches([' ', '\t']));
    let mut length = 0;
    if let Some(first) = lengths.next() {
        let is_number = !first.is_empty() && first.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number || lengths.any(|other| other != first) {
            return Err(BadRequest::BadLength);
        }
        length = first.parse::<i64>().map_err(|_| BadRequest::BadLength)?.unsigned_abs();
    }
    let mut trailers = values(headers, "trailer").flat_map(|value| value.split(',')).map(str::trim);
    let forbidden = ["transfer-encoding", "trailer", "content-length"];
    if is_chunked && trailers.any(|name| forbidden.iter().any(|known| name.eq_ignore_ascii_case(known))) {
        return Err(BadRequest::Malformed);
    }
    Ok(if is_chunked { BodyLength::Chunked } else { BodyLength::Exact(length) })
}

fn split_once(bytes: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let place = bytes.iter().position(|&byte| byte == at)?;
    Some((&bytes[..place], &bytes[place + 1..]))
}

/// RFC 9110 §5.6.2
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// What Go allows in `Host` (`httpguts.ValidHostHeader`).
fn is_host_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!$%&'()*+,-.:;=[]_~".contains(&byte)
}

#[cfg(test)]
#[path = "head_tests.rs"]
mod tests;
