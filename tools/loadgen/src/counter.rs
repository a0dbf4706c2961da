//! Counts tokens and chunks in the bytes of HTTP/1.1 responses, however they are cut. Knows no socket and keeps no body.
//!
//! A token is a line of the body that is not empty (NDJSON). After the first response nothing is allocated.

use std::fmt;

use memchr::{memchr_iter, memmem};

/// The longest head of a response, in bytes.
const MAX_HEAD: usize = 64 * 1024;

/// The most fields of a head.
const MAX_FIELDS: usize = 64;

/// The most digits of a chunk's size.
const MAX_DIGITS: u8 = 15;

/// What has been counted since the counter was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) tokens: u64,
    /// HTTP chunks, without the last, empty one of a response.
    pub(crate) chunks: u64,
}

/// How far a response is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ResponseProgress {
    /// It is not complete.
    More,
    /// It is complete, and the next one may be asked for.
    Done(ResponseStatus),
}

/// What the head of a complete response said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ResponseStatus {
    pub(crate) code: u16,
    /// Whether the server closes the connection now.
    pub(crate) close: bool,
}

/// Bytes that are no response, with what is wrong with them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed(&'static str);

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a response: {}", self.0)
    }
}

impl std::error::Error for Malformed {}

#[derive(Clone, Copy, Debug)]
enum Phase {
    Head,
    /// In the line with a chunk's size; extensions are passed over.
    Size {
        size: u64,
        digits: u8,
        extension: bool,
    },
    /// Bytes of a chunk that are to come.
    Chunk(u64),
    /// The CR LF behind a chunk, and how many bytes of it have come.
    ChunkEnd(u8),
    /// In a line of the trailer, and its length so far. An empty line ends the response.
    Trailer(u64),
    /// Bytes of a body with a length that are to come.
    Fixed(u64),
    UntilClose,
}

/// The counter of one connection.
#[derive(Debug)]
pub(crate) struct TokenCounter {
    phase: Phase,
    head: Vec<u8>,
    status: ResponseStatus,
    /// Whether the line so far has anything in it.
    line_begun: bool,
    counts: Counts,
}

impl TokenCounter {
    pub(crate) fn new() -> Self {
        Self {
            phase: Phase::Head,
            head: Vec::with_capacity(1024),
            status: ResponseStatus { code: 0, close: false },
            line_begun: false,
            counts: Counts::default(),
        }
    }

    pub(crate) fn counts(&self) -> Counts {
        self.counts
    }

    /// Takes the next bytes of the connection. Nothing may follow a complete response: nothing else was asked for.
    pub(crate) fn feed(&mut self, mut bytes: &[u8]) -> Result<ResponseProgress, Malformed> {
        while !bytes.is_empty() {
            let (used, done) = match self.phase {
                Phase::Head => self.head(bytes)?,
                Phase::Size { size, digits, extension } => (1, self.size(bytes[0], size, digits, extension)?),
                Phase::Chunk(left) => {
                    let part = self.lines(bytes, left);
                    let left = left - part.1;
                    self.phase = if left == 0 { Phase::ChunkEnd(0) } else { Phase::Chunk(left) };
                    (part.0, false)
                }
                Phase::ChunkEnd(seen) => (1, self.chunk_end(bytes[0], seen)?),
                Phase::Trailer(length) => (1, self.trailer(bytes[0], length)),
                Phase::Fixed(left) => {
                    let part = self.lines(bytes, left);
                    self.phase = Phase::Fixed(left - part.1);
                    (part.0, left == part.1)
                }
                Phase::UntilClose => (self.lines(bytes, u64::MAX).0, false),
            };
            bytes = &bytes[used..];
            if done {
                self.phase = Phase::Head;
                self.end_line();
                if !bytes.is_empty() {
                    return Err(Malformed("bytes behind the end of a response"));
                }
                return Ok(ResponseProgress::Done(self.status));
            }
        }
        Ok(ResponseProgress::More)
    }

    /// The server closed the connection.
    pub(crate) fn end(&mut self) -> Result<ResponseProgress, Malformed> {
        match self.phase {
            Phase::UntilClose => {
                self.phase = Phase::Head;
                self.end_line();
                Ok(ResponseProgress::Done(self.status))
            }
            _ => Err(Malformed("closed before its end")),
        }
    }

    fn head(&mut self, bytes: &[u8]) -> Result<(usize, bool), Malformed> {
        let before = self.head.len();
        self.head.extend_from_slice(&bytes[..bytes.len().min(MAX_HEAD)]);
        let from = before.saturating_sub(3);
        let Some(at) = memmem::find(&self.head[from..], b"\r\n\r\n") else {
            return if self.head.len() >= MAX_HEAD {
                Err(Malformed("a head without end"))
            } else {
                Ok((bytes.len(), false))
            };
        };
        let end = from + at + 4;
        self.head.truncate(end);
        let done = self.read_head()?;
        self.head.clear();
        Ok((end - before, done))
    }

    /// Reads the complete head. Returns whether the response is complete with it.
    fn read_head(&mut self) -> Result<bool, Malformed> {
        let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
        let mut response = httparse::Response::new(&mut fields);
        response.parse(&self.head).map_err(|_| Malformed("a head that cannot be read"))?;
        self.status = ResponseStatus { code: response.code.unwrap_or(0), close: response.version == Some(0) };
        self.phase = Phase::UntilClose;
        for field in response.headers.iter() {
            if field.name.eq_ignore_ascii_case("transfer-encoding") {
                self.phase = Phase::Size { size: 0, digits: 0, extension: false };
            } else if field.name.eq_ignore_ascii_case("content-length") {
                let text = std::str::from_utf8(field.value).ok();
                let length =
                    text.and_then(|text| text.trim().parse().ok()).ok_or(Malformed("a length that is no number"))?;
                self.phase = Phase::Fixed(length);
            } else if field.name.eq_ignore_ascii_case("connection") {
                self.status.close = field.value.eq_ignore_ascii_case(b"close");
            }
        }
        self.status.close |= matches!(self.phase, Phase::UntilClose);
        Ok(matches!(self.phase, Phase::Fixed(0)))
    }

    fn size(&mut self, byte: u8, size: u64, digits: u8, extension: bool) -> Result<bool, Malformed> {
        self.phase = match byte {
            b'\n' if digits == 0 => return Err(Malformed("a chunk without a size")),
            b'\n' if size == 0 => Phase::Trailer(0),
            b'\n' => {
                self.counts.chunks += 1;
                Phase::Chunk(size)
            }
            b'\r' => self.phase,
            _ if extension || byte == b';' => Phase::Size { size, digits, extension: true },
            _ => {
                let digit = char::from(byte).to_digit(16).ok_or(Malformed("a chunk size that is no number"))?;
                if digits == MAX_DIGITS {
                    return Err(Malformed("a chunk too large"));
                }
                Phase::Size { size: size * 16 + u64::from(digit), digits: digits + 1, extension }
            }
        };
        Ok(false)
    }

    fn chunk_end(&mut self, byte: u8, seen: u8) -> Result<bool, Malformed> {
        self.phase = match (seen, byte) {
            (0, b'\r') => Phase::ChunkEnd(1),
            (1, b'\n') => Phase::Size { size: 0, digits: 0, extension: false },
            _ => return Err(Malformed("a chunk longer than its size")),
        };
        Ok(false)
    }

    fn trailer(&mut self, byte: u8, length: u64) -> bool {
        self.phase = match byte {
            b'\r' => self.phase,
            b'\n' if length == 0 => return true,
            b'\n' => Phase::Trailer(0),
            _ => Phase::Trailer(length + 1),
        };
        false
    }

    /// Counts in at most `left` of `bytes`. Returns how many those are, as both kinds of number.
    fn lines(&mut self, bytes: &[u8], left: u64) -> (usize, u64) {
        let part = usize::try_from(left).map_or(bytes, |left| &bytes[..bytes.len().min(left)]);
        let mut from = 0;
        for at in memchr_iter(b'\n', part) {
            self.line_begun |= at > from;
            self.end_line();
            from = at + 1;
        }
        self.line_begun |= part.len() > from;
        (part.len(), part.len() as u64)
    }

    fn end_line(&mut self) {
        self.counts.tokens += u64::from(std::mem::take(&mut self.line_begun));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CHUNKED: &[u8] = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n\
        4\r\nab\nc\r\n1;x=\"y\"\r\nd\r\n3\r\n\n\ne\r\n000A\r\nfghijklm\n\n\r\n0\r\nx-late: 1\r\n\r\n";
    const LENGTH: &[u8] = b"HTTP/1.1 503 Busy\r\nContent-Length: 5\r\nConnection: close\r\n\r\na\nbcd";
    const EMPTY: &[u8] = b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n";

    const CASES: &[(&[u8], ResponseStatus, Counts)] = &[
        (CHUNKED, ResponseStatus { code: 200, close: false }, Counts { tokens: 3, chunks: 4 }),
        (LENGTH, ResponseStatus { code: 503, close: true }, Counts { tokens: 2, chunks: 0 }),
        (EMPTY, ResponseStatus { code: 204, close: false }, Counts { tokens: 0, chunks: 0 }),
    ];

    /// Feeds the pieces; only the last may complete the response.
    fn feed(counter: &mut TokenCounter, pieces: &[&[u8]]) -> ResponseStatus {
        let (last, before) = pieces.split_last().expect("there is a piece");
        for piece in before {
            assert_eq!(counter.feed(piece), Ok(ResponseProgress::More));
        }
        match counter.feed(last) {
            Ok(ResponseProgress::Done(status)) => status,
            other => panic!("not complete: {other:?}"),
        }
    }

    #[test]
    fn a_response_cut_at_any_byte_counts_the_same() {
        for (bytes, status, counts) in CASES {
            for at in 1..bytes.len() {
                let mut counter = TokenCounter::new();
                assert_eq!(feed(&mut counter, &[&bytes[..at], &bytes[at..]]), *status, "cut at {at}");
                assert_eq!(counter.counts(), *counts, "cut at {at}");
            }
        }
    }

    #[test]
    fn a_response_byte_by_byte_counts_the_same() {
        for (bytes, status, counts) in CASES {
            let mut counter = TokenCounter::new();
            assert_eq!(feed(&mut counter, &bytes.chunks(1).collect::<Vec<_>>()), *status);
            assert_eq!(counter.counts(), *counts);
        }
    }

    #[test]
    fn responses_of_one_connection_add_up() {
        let mut counter = TokenCounter::new();
        for _ in 0..3 {
            feed(&mut counter, &[CHUNKED]);
        }
        assert_eq!(counter.counts(), Counts { tokens: 9, chunks: 12 });
    }

    #[test]
    fn a_body_until_the_close_ends_with_it_and_no_other_does() {
        let mut counter = TokenCounter::new();
        assert_eq!(counter.feed(b"HTTP/1.0 200 OK\r\n\r\na\nb"), Ok(ResponseProgress::More));
        assert_eq!(counter.end(), Ok(ResponseProgress::Done(ResponseStatus { code: 200, close: true })));
        assert_eq!(counter.counts().tokens, 2);
        counter.feed(&CHUNKED[..70]).unwrap();
        assert!(counter.end().is_err());
    }

    #[test]
    fn what_is_no_response_is_refused() {
        let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
        for bad in ["x\r\n", "\r\n", "2\r\nabc", "2\r\nab\n", "1234567890abcdef\r\n", "0\r\n\r\nHTTP"] {
            assert!(TokenCounter::new().feed(format!("{head}{bad}").as_bytes()).is_err(), "{bad:?}");
        }
        assert!(TokenCounter::new().feed(b"no http\r\n\r\n").is_err());
        assert!(TokenCounter::new().feed(b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n").is_err());
        assert!(TokenCounter::new().feed(&vec![b'x'; MAX_HEAD + 1]).is_err());
    }

    proptest! {
        #[test]
        fn any_chunks_cut_anywhere_count_as_their_whole_body(
            chunks in prop::collection::vec("[a-c\n]{1,40}", 0..20),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
        ) {
            let mut wire = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
            for chunk in &chunks {
                wire.extend_from_slice(format!("{:x}\r\n{chunk}\r\n", chunk.len()).as_bytes());
            }
            wire.extend_from_slice(b"0\r\n\r\n");
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(wire.len())).collect();
            cuts.extend([0, wire.len()]);
            cuts.sort_unstable();
            cuts.dedup();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|cut| &wire[cut[0]..cut[1]]).collect();
            let mut counter = TokenCounter::new();
            feed(&mut counter, &pieces);
            let tokens = chunks.concat().split('\n').filter(|line| !line.is_empty()).count();
            prop_assert_eq!(counter.counts(), Counts { tokens: tokens as u64, chunks: chunks.len() as u64 });
        }
    }
}
