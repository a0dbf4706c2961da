//! Requests out of a byte stream that comes in any segmentation.

use super::body::BodyReader;
use super::head::{HeadReader, RequestHead};
use super::{BadRequest, MAX_HEAD_BYTES};

/// The longest request body, in bytes. Ollama has no limit; images come inside the JSON.
pub const MAX_BODY_BYTES: u64 = 64 * 1024 * 1024;

/// The interim response to `Expect: 100-continue`.
pub const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// How many bytes of line ends Go reads past before a request that follows a POST, for the sake of old clients
/// (`net/http/server.go`, `numLeadingCRorLF`).
const MAX_LINE_END_BYTES: u8 = 4;

/// A complete request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The head.
    pub head: RequestHead,
    /// The body, decoded.
    pub body: Vec<u8>,
    /// Why the body breaks off, where it does: see [`Parser::take_broken`].
    pub broken: Option<&'static str>,
}

/// What the next bytes of a connection turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub enum Parsed {
    /// Not enough bytes yet.
    Incomplete,
    /// A request's head is complete and its client waits for leave to send the body.
    Continue,
    /// A complete request.
    Request(Box<Request>),
}

/// The request parser of one connection.
///
/// Bytes go in with [`Parser::push`]; [`Parser::parse_next`] hands out one request at a time, so that pipelined
/// requests wait inside until the one before them is answered.
#[derive(Debug)]
pub struct Parser {
    head_bytes: usize,
    body_bytes: u64,
    input: Vec<u8>,
    /// How many bytes of `input` are known to hold no line end.
    scanned: usize,
    /// The lines of the next head that came, and how many bytes they were.
    head: HeadReader,
    read_bytes: usize,
    /// How many bytes of line ends may still be read past.
    line_end_bytes: u8,
    reading: Option<(RequestHead, BodyReader)>,
}

impl Default for Parser {
    fn default() -> Self {
        Self::new(MAX_HEAD_BYTES, MAX_BODY_BYTES)
    }
}

impl Parser {
    /// Returns a parser that takes heads and bodies of at most these many bytes; heads never of more than [`MAX_HEAD_BYTES`].
    pub fn new(head_bytes: usize, body_bytes: u64) -> Self {
        let head_bytes = head_bytes.min(MAX_HEAD_BYTES);
        Self {
            head_bytes,
            body_bytes,
            input: Vec::new(),
            scanned: 0,
            head: HeadReader::default(),
            read_bytes: 0,
            line_end_bytes: 0,
            reading: None,
        }
    }

    /// Whether nothing of a request has come.
    pub fn is_idle(&self) -> bool {
        self.input.is_empty() && self.head.is_empty() && self.reading.is_none()
    }

    /// Appends bytes as they were received.
    pub fn push(&mut self, bytes: &[u8]) {
        self.input.extend_from_slice(bytes);
    }

    /// The number of bytes that were pushed and belong to no request yet.
    pub fn buffered(&self) -> usize {
        self.input.len()
    }

    /// The next request, once its last byte is there. After an error the parser is not to be used again.
    pub fn parse_next(&mut self) -> Result<Parsed, BadRequest> {
        if self.reading.is_none() {
            let Some(head) = self.next_head()? else { return Ok(Parsed::Incomplete) };
            let expects = head.expects_continue();
            let body = BodyReader::new(head.length, self.body_bytes)?;
            self.reading = Some((head, body));
            if expects {
                return Ok(Parsed::Continue);
            }
        }
        let Some((_, body)) = &mut self.reading else { return Ok(Parsed::Incomplete) };
        let taken = body.feed(&self.input)?;
        self.input.drain(..taken);
        if !body.is_done() {
            return Ok(Parsed::Incomplete);
        }
        let Some((head, body)) = self.reading.take() else { return Ok(Parsed::Incomplete) };
        if self.input.is_empty() {
            // Thousands of connections are idle or listen to their answer: none keeps room for the next request.
            self.input = Vec::new();
        }
        Ok(Parsed::Request(Box::new(Request { head, body: body.into_body(), broken: None })))
    }

    /// The request whose body turned out to be no chunked one, with what came of the body before; after such an error.
    /// Go asks its handler before it reads the body, so the handler may have an answer all the same.
    pub fn take_broken(&mut self, error: BadRequest) -> Option<Request> {
        let BadRequest::BadChunk(text) = error else { return None };
        let (mut head, body) = self.reading.take()?;
        head.is_last = true;
        Some(Request { head, body: body.into_body(), broken: Some(text) })
    }

    /// Takes the lines that are complete, each of them once: a client that sends a byte at a time costs one look at
    /// each byte.
    fn next_head(&mut self) -> Result<Option<RequestHead>, BadRequest> {
        self.skip_line_ends();
        let mut start = 0;
        let mut head = None;
        while head.is_none() {
            let Some(length) = self.input[self.scanned..].iter().position(|&byte| byte == b'\n') else { break };
            let end = self.scanned + length;
            if self.read_bytes + end >= self.head_bytes {
                return Err(BadRequest::HeadTooLarge);
            }
            head = self.head.read_line(&self.input[start..end])?;
            start = end + 1;
            self.scanned = start;
        }
        self.input.drain(..start);
        if let Some(head) = head {
            (self.scanned, self.read_bytes) = (0, 0);
            self.line_end_bytes = if head.method == "POST" { MAX_LINE_END_BYTES } else { 0 };
            return Ok(Some(head));
        }
        self.scanned = self.input.len();
        self.read_bytes += start;
        if self.read_bytes + self.input.len() >= self.head_bytes {
            return Err(BadRequest::HeadTooLarge);
        }
        Ok(None)
    }

    fn skip_line_ends(&mut self) {
        if self.head.is_empty() {
            let most = usize::from(self.line_end_bytes);
            let ends = self.input.iter().take(most).take_while(|&&byte| matches!(byte, b'\r' | b'\n')).count();
            self.input.drain(..ends);
            self.line_end_bytes =
                if self.input.is_empty() { self.line_end_bytes - u8::try_from(ends).unwrap_or(0) } else { 0 };
        }
    }
}
