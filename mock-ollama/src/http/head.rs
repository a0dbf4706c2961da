//! The request head.

use super::BadRequest;

/// The longest request head, in bytes, from the request line to the blank line.
pub const MAX_HEAD_BYTES: usize = 64 * 1024;

/// The most header fields of a request.
pub const MAX_HEADERS: usize = 128;

/// An HTTP version that this server speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// HTTP/1.0: no chunking; the connection closes at the end unless both sides say otherwise.
    Http10,
    /// HTTP/1.1
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
    /// Parses the head at the start of `bytes`: `None` while it is incomplete, else the head and its length.
    ///
    /// The outcome is the same however the bytes were cut into reads: only whole lines within the first `most` bytes are
    /// looked at.
    pub fn parse(bytes: &[u8], most: usize) -> Result<Option<(Self, usize)>, BadRequest> {
        let seen = &bytes[..bytes.len().min(most)];
        let lines = seen.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
        let seen = &seen[..lines];
        let mut fields = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut request = httparse::Request::new(&mut fields);
        let length = match request.parse(seen) {
            Ok(httparse::Status::Complete(length)) => length,
            Ok(httparse::Status::Partial) if bytes.len() >= most => return Err(BadRequest::HeadTooLarge),
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(httparse::Error::TooManyHeaders) => return Err(BadRequest::HeadTooLarge),
            Err(httparse::Error::Version) => return Err(version_error(seen)),
            Err(_) => return Err(BadRequest::Malformed),
        };
        let version = if request.version == Some(0) { Version::Http10 } else { Version::Http11 };
        let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
        let mut head = Self {
            method: request.method.unwrap_or_default().to_owned(),
            target: request.path.unwrap_or_default().to_owned(),
            version,
            headers: request.headers.iter().map(|field| (field.name.to_owned(), text(field.value))).collect(),
            length: BodyLength::Exact(0),
        };
        head.check_host()?;
        head.length = head.body_length()?;
        Ok(Some((head, length)))
    }

    /// The first value of the field called `name`, compared without case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.values(name).next()
    }

    fn values<'a, 'n>(&'a self, name: &'n str) -> impl Iterator<Item = &'a str> + use<'a, 'n> {
        self.headers.iter().filter(move |(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    fn has_token(&self, name: &str, token: &str) -> bool {
        self.values(name).flat_map(|value| value.split(',')).any(|part| part.trim().eq_ignore_ascii_case(token))
    }

    /// Whether the client wants to use the connection again (RFC 9112 §9.3).
    pub fn keeps_alive(&self) -> bool {
        match self.version {
            Version::Http11 => !self.has_token("connection", "close"),
            Version::Http10 => self.has_token("connection", "keep-alive"),
        }
    }

    /// Whether the client asked to be told to go on before it sends the body (RFC 9110 §10.1.1).
    pub fn expects_continue(&self) -> bool {
        self.version == Version::Http11
            && self.length != BodyLength::Exact(0)
            && self.has_token("expect", "100-continue")
    }

    /// The path of the target, without query.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    fn check_host(&self) -> Result<(), BadRequest> {
        match self.values("host").count() {
            0 if self.version == Version::Http11 => Err(BadRequest::MissingHost),
            0 | 1 => Ok(()),
            _ => Err(BadRequest::ManyHosts),
        }
    }

    /// RFC 9112 §6.3; as in Go's server a transfer coding wins over a length.
    fn body_length(&self) -> Result<BodyLength, BadRequest> {
        let codings: Vec<&str> = self.values("transfer-encoding").collect();
        match (codings.as_slice(), self.version) {
            ([], _) | (_, Version::Http10) => {}
            ([only], _) if only.trim().eq_ignore_ascii_case("chunked") => return Ok(BodyLength::Chunked),
            _ => return Err(BadRequest::UnsupportedCoding),
        }
        let mut lengths = self.values("content-length").map(str::trim);
        let Some(first) = lengths.next() else { return Ok(BodyLength::Exact(0)) };
        let digits = !first.is_empty() && first.bytes().all(|byte| byte.is_ascii_digit());
        if !digits || lengths.any(|other| other != first) {
            return Err(BadRequest::BadLength);
        }
        first.parse().map(BodyLength::Exact).map_err(|_| BadRequest::BodyTooLarge)
    }
}

/// httparse reports any odd version alike; Go tells a well-formed one (505) from nonsense (400).
fn version_error(bytes: &[u8]) -> BadRequest {
    let line = bytes.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let word = line.rsplit(|&byte| byte == b' ').next().unwrap_or_default();
    match word.strip_prefix(b"HTTP/") {
        Some([major, b'.', minor]) if major.is_ascii_digit() && minor.is_ascii_digit() => BadRequest::Version,
        _ => BadRequest::Malformed,
    }
}
