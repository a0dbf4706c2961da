//! Responses of another server, read without a socket: heads by httparse, bodies chunk by chunk.
//!
//! Client libraries hide where one chunk ends and the next begins; this reports each chunk when its last byte has come.

use bytes::Bytes;
use thiserror::Error;

use super::MAX_HEAD_BYTES;
use super::chunked::ChunkDecoder;

/// The most header fields of a response.
const MAX_HEADERS: usize = 128;

/// A response that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BadResponse {
    /// The head breaks the grammar.
    #[error("malformed response head")]
    Head,
    /// The head is longer than any that is read.
    #[error("response head too large")]
    HeadTooLarge,
    /// `Content-Length` is no number.
    #[error("bad Content-Length")]
    Length,
    /// The chunked body breaks the grammar (RFC 9112 §7.1).
    #[error("malformed chunked body")]
    Chunk,
}

/// What has been received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// The head of the response; interim responses (1xx) are passed over.
    Head {
        /// The status code.
        status: u16,
        /// The fields in wire order; a value that is not UTF-8 is kept lossily.
        fields: Vec<(String, String)>,
    },
    /// A chunk that is complete; of a body that is not chunked, what came in one piece.
    Chunk(Bytes),
    /// The body is longer than it may be: what follows of it is passed over.
    TooLong,
    /// The body is complete.
    End,
}

/// One response on its way in.
#[derive(Debug)]
pub struct Upstream {
    has_no_body: bool,
    state: State,
    head: Vec<u8>,
    /// What has come of a chunk that is not complete.
    chunk: Vec<u8>,
    /// How many bytes of the body may still be handed out; `None` when there were more.
    left: Option<usize>,
}

#[derive(Debug)]
enum State {
    Head,
    Length(u64),
    Chunked(ChunkDecoder),
    UntilClose,
    Done,
}

impl Upstream {
    /// The response to a request with this method. Of a body with more than `most` bytes the rest is passed over.
    pub fn new(method: &str, most: usize) -> Self {
        let (head, chunk) = (Vec::new(), Vec::new());
        Self { has_no_body: method == "HEAD", state: State::Head, head, chunk, left: Some(most) }
    }

    /// Takes bytes, cut in any way. What follows the response is ignored.
    ///
    /// # Errors
    /// Bytes that are no response; nothing more can be read then.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Vec<Received>, BadResponse> {
        let mut out = Vec::new();
        let mut rest = bytes;
        if matches!(self.state, State::Head) {
            self.head.extend_from_slice(bytes);
            // A head ends in a line end: a server that sends a byte at a time costs one look at each byte.
            if !bytes.contains(&b'\n') && self.head.len() <= MAX_HEAD_BYTES {
                return Ok(out);
            }
            let Some(length) = self.read_heads(&mut out)? else { return Ok(out) };
            let head = std::mem::take(&mut self.head);
            self.read_body(&head[length..], &mut out)?;
            rest = &[];
        }
        self.read_body(rest, &mut out)?;
        Ok(out)
    }

    /// The connection ended: returns whether the response is complete, which ends a body without a length.
    pub fn finish(&mut self) -> bool {
        let complete = matches!(self.state, State::Done | State::UntilClose);
        self.state = State::Done;
        complete
    }

    /// What has come of a chunk that is not complete, where that is anything.
    pub fn take_partial_chunk(&mut self) -> Option<Bytes> {
        Some(Bytes::from(std::mem::take(&mut self.chunk))).filter(|chunk| !chunk.is_empty())
    }

    /// Whether the whole response has come.
    pub fn is_done(&self) -> bool {
        matches!(self.state, State::Done)
    }

    /// Reads heads until one is not interim; says how long it and all before it were.
    fn read_heads(&mut self, out: &mut Vec<Received>) -> Result<Option<usize>, BadResponse> {
        loop {
            let mut fields = [httparse::EMPTY_HEADER; MAX_HEADERS];
            let mut response = httparse::Response::new(&mut fields);
            let length = match response.parse(&self.head) {
                Ok(httparse::Status::Complete(length)) => length,
                Ok(httparse::Status::Partial) if self.head.len() > MAX_HEAD_BYTES => {
                    return Err(BadResponse::HeadTooLarge);
                }
                Ok(httparse::Status::Partial) => return Ok(None),
                Err(_) => return Err(BadResponse::Head),
            };
            let status = response.code.unwrap_or_default();
            if (100..200).contains(&status) {
                self.head.drain(..length);
                continue;
            }
            let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
            let fields: Vec<(String, String)> =
                response.headers.iter().map(|field| (field.name.to_owned(), text(field.value))).collect();
            self.state = self.body_state(status, &fields)?;
            out.push(Received::Head { status, fields });
            if matches!(self.state, State::Done) {
                out.push(Received::End);
            }
            return Ok(Some(length));
        }
    }

    /// RFC 9112 §6.3.
    fn body_state(&self, status: u16, fields: &[(String, String)]) -> Result<State, BadResponse> {
        let value =
            |name: &str| fields.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim());
        if self.has_no_body || matches!(status, 204 | 304) {
            return Ok(State::Done);
        }
        if value("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked")) {
            return Ok(State::Chunked(ChunkDecoder::default()));
        }
        match value("content-length") {
            None => Ok(State::UntilClose),
            Some(length) => match length.parse() {
                Ok(0) => Ok(State::Done),
                Ok(length) => Ok(State::Length(length)),
                Err(_) => Err(BadResponse::Length),
            },
        }
    }

    fn read_body(&mut self, mut rest: &[u8], out: &mut Vec<Received>) -> Result<(), BadResponse> {
        while !rest.is_empty() {
            let before = self.chunk.len();
            let (ended, done) = match &mut self.state {
                State::Head | State::Done => return Ok(()),
                State::UntilClose => {
                    self.chunk.extend_from_slice(std::mem::take(&mut rest));
                    (true, false)
                }
                State::Length(left) => {
                    let take = usize::try_from(*left).unwrap_or(usize::MAX).min(rest.len());
                    self.chunk.extend_from_slice(&rest[..take]);
                    rest = &rest[take..];
                    *left -= take as u64;
                    (true, *left == 0)
                }
                State::Chunked(decoder) => {
                    let (taken, ended) = decoder.step(rest, &mut self.chunk).map_err(|_| BadResponse::Chunk)?;
                    rest = &rest[taken..];
                    (ended, decoder.is_done())
                }
            };
            self.count(self.chunk.len() - before, out);
            if ended && self.left.is_some() {
                out.push(Received::Chunk(Bytes::from(std::mem::take(&mut self.chunk))));
            }
            if done {
                self.state = State::Done;
                out.push(Received::End);
            }
        }
        Ok(())
    }

    /// Counts bytes of the body that have come; beyond the limit they are let go.
    fn count(&mut self, bytes: usize, out: &mut Vec<Received>) {
        let left = self.left.and_then(|left| left.checked_sub(bytes));
        if left.is_none() {
            self.chunk = Vec::new();
            out.extend(self.left.map(|_| Received::TooLong));
        }
        self.left = left;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::{BadResponse, Received, Upstream};
    use crate::http::{LAST_CHUNK, encode_chunk};

    /// More than any body here has.
    const PLENTY: usize = 1024;

    fn read(method: &str, pieces: &[&[u8]]) -> (Vec<Received>, bool) {
        let mut upstream = Upstream::new(method, PLENTY);
        let received = pieces.iter().flat_map(|piece| upstream.push(piece).unwrap()).collect();
        (received, upstream.finish())
    }

    fn chunks(received: &[Received]) -> Vec<Vec<u8>> {
        let of = |received: &Received| match received {
            Received::Chunk(chunk) => Some(chunk.to_vec()),
            _ => None,
        };
        received.iter().filter_map(of).collect()
    }

    #[test]
    fn an_interim_response_is_passed_over() {
        let bytes = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
        let (received, complete) = read("POST", &[bytes]);
        assert!(matches!(received[0], Received::Head { status: 200, .. }));
        assert_eq!((received.len(), received.last(), complete), (3, Some(&Received::End), true));
    }

    #[rstest]
    #[case::head("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")]
    #[case::no_content("OPTIONS", "HTTP/1.1 204 No Content\r\n\r\n")]
    #[case::empty("POST", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")]
    fn a_response_without_a_body_ends_with_its_head(#[case] method: &str, #[case] head: &str) {
        let (received, _) = read(method, &[head.as_bytes()]);
        assert_eq!((received.len(), received.last()), (2, Some(&Received::End)));
    }

    #[test]
    fn a_body_without_a_length_ends_with_the_connection_and_one_with_a_length_is_cut_by_it() {
        assert!(read("GET", &[b"HTTP/1.0 200 OK\r\n\r\n", b"abc"]).1);
        assert!(!read("GET", &[b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", b"abc"]).1);
        assert!(!read("GET", &[b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"]).1);
    }

    #[rstest]
    #[case(b"nonsense\r\n\r\n", BadResponse::Head)]
    #[case(b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", BadResponse::Length)]
    #[case(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", BadResponse::Chunk)]
    fn what_is_no_response_is_refused(#[case] bytes: &[u8], #[case] error: BadResponse) {
        assert_eq!(Upstream::new("GET", PLENTY).push(bytes), Err(error));
    }

    #[test]
    fn a_chunk_that_is_cut_off_is_kept_as_far_as_it_came() {
        let mut upstream = Upstream::new("GET", PLENTY);
        upstream.push(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n5\r\nde").unwrap();
        assert!(!upstream.finish());
        assert_eq!(upstream.take_partial_chunk().as_deref(), Some(&b"de"[..]));
        assert_eq!(upstream.take_partial_chunk(), None);
    }

    #[rstest]
    #[case::chunked("Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\nffffffff\r\ncdefgh")]
    #[case::by_length("Content-Length: 1000000000\r\n\r\nabcdefgh")]
    #[case::until_the_end("\r\nabcdefgh")]
    fn a_body_that_is_too_long_is_passed_over_and_not_held(#[case] rest: &str) {
        let mut upstream = Upstream::new("GET", 5);
        let received = upstream.push(format!("HTTP/1.1 200 OK\r\n{rest}").as_bytes()).unwrap();
        assert_eq!(received.last(), Some(&Received::TooLong));
        assert_eq!(upstream.push(&[b'x'; 10_000]), Ok(vec![]));
        assert_eq!((upstream.chunk.capacity(), upstream.is_done()), (0, false));
    }

    #[test]
    fn the_end_of_a_body_that_was_too_long_is_seen() {
        let (received, _) = read("GET", &[b"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n", &[b'x'; 2000]]);
        assert_eq!(received[1..], [Received::TooLong, Received::End]);
    }

    proptest! {
        #[test]
        fn chunks_keep_their_boundaries_however_they_are_cut(
            bodies in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..20), 0..6),
            cut in 1_usize..9,
        ) {
            let mut wire = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
            for body in &bodies {
                encode_chunk(&mut wire, body);
            }
            wire.extend_from_slice(LAST_CHUNK);
            let pieces: Vec<&[u8]> = wire.chunks(cut).collect();
            let (received, complete) = read("POST", &pieces);
            prop_assert_eq!(chunks(&received), bodies);
            prop_assert!(complete);
            prop_assert_eq!(received.last(), Some(&Received::End));
        }
    }
}
