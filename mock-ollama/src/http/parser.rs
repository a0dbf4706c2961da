//! Requests out of a byte stream that comes in any segmentation.

use super::body::BodyReader;
use super::head::RequestHead;
use super::{BadRequest, MAX_HEAD_BYTES};

/// The longest request body, in bytes. Ollama has no limit; images come inside the JSON.
pub const MAX_BODY_BYTES: u64 = 64 * 1024 * 1024;

/// The interim response to `Expect: 100-continue`.
pub const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// A complete request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The head.
    pub head: RequestHead,
    /// The body, decoded.
    pub body: Vec<u8>,
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
    /// How many bytes of `input` are known not to complete a head: a line end must come first.
    scanned: usize,
    reading: Option<(RequestHead, BodyReader)>,
}

impl Default for Parser {
    fn default() -> Self {
        Self::new(MAX_HEAD_BYTES, MAX_BODY_BYTES)
    }
}

impl Parser {
    /// A parser that takes heads and bodies of so many bytes; heads never of more than [`MAX_HEAD_BYTES`].
    pub fn new(head_bytes: usize, body_bytes: u64) -> Self {
        let head_bytes = head_bytes.min(MAX_HEAD_BYTES);
        Self { head_bytes, body_bytes, input: Vec::new(), scanned: 0, reading: None }
    }

    /// Whether nothing of a request has come.
    pub fn is_idle(&self) -> bool {
        self.input.is_empty() && self.reading.is_none()
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
        Ok(Parsed::Request(Box::new(Request { head, body: body.into_body() })))
    }

    /// A head ends in a line end, so nothing is parsed until one more of them has come: a client that
    /// sends a byte at a time costs one look at each byte.
    fn next_head(&mut self) -> Result<Option<RequestHead>, BadRequest> {
        let fresh = &self.input[self.scanned..];
        if !fresh.contains(&b'\n') && self.input.len() < self.head_bytes {
            self.scanned = self.input.len();
            return Ok(None);
        }
        self.scanned = self.input.len();
        let Some((head, length)) = RequestHead::parse(&self.input, self.head_bytes)? else { return Ok(None) };
        self.input.drain(..length);
        self.scanned = 0;
        Ok(Some(head))
    }
}
