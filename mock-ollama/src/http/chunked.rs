//! Chunked transfer coding (RFC 9112 §7.1), both ways.
//!
//! The encoder is ours because every byte of it is placed in time; the decoder because request bodies
//! may come in any segmentation.

use std::io::Write as _;

use super::BadRequest;

/// The bytes that end a chunked body without trailers.
pub const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// The longest chunk-size line or trailer line that is accepted, in bytes.
const MAX_LINE_BYTES: usize = 4096;

/// The most trailer bytes that are read past.
const MAX_TRAILER_BYTES: usize = 16 * 1024;

/// Appends `data` to `out` as one chunk; nothing for empty data, which would end the body.
pub fn encode_chunk(out: &mut Vec<u8>, data: &[u8]) {
    if data.is_empty() {
        return;
    }
    // Writing to a vector cannot fail.
    let _ = write!(out, "{:x}\r\n", data.len());
    out.extend_from_slice(data);
    out.extend_from_slice(b"\r\n");
}

/// A decoder that takes the coded body in any segmentation.
#[derive(Debug, Default)]
pub(super) struct ChunkDecoder {
    state: State,
    line: Vec<u8>,
    trailer_bytes: usize,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// In a chunk-size line.
    #[default]
    Size,
    /// In a chunk, with so many bytes to come.
    Data(u64),
    /// Between a chunk and its line end.
    DataEnd,
    /// In the trailer section.
    Trailer,
    Done,
}

impl ChunkDecoder {
    pub(super) fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Takes bytes from the front of `input`, appends data to `out`, and says how many bytes it took.
    /// It takes everything unless the body ends before.
    pub(super) fn feed(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<usize, BadRequest> {
        let mut at = 0;
        while at < input.len() && self.state != State::Done {
            at += self.step(&input[at..], out)?.0;
        }
        Ok(at)
    }

    /// Takes some bytes from the front of `input`; says how many, and whether the data of a chunk ended with them.
    pub(super) fn step(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<(usize, bool), BadRequest> {
        match self.state {
            State::Data(left) => {
                let taken = self.feed_data(left, input, out);
                Ok((taken, self.state == State::DataEnd))
            }
            _ => Ok((self.feed_line(input)?, false)),
        }
    }

    fn feed_data(&mut self, left: u64, input: &[u8], out: &mut Vec<u8>) -> usize {
        let take = usize::try_from(left).unwrap_or(usize::MAX).min(input.len());
        out.extend_from_slice(&input[..take]);
        self.state = match left - take as u64 {
            0 => State::DataEnd,
            left => State::Data(left),
        };
        take
    }

    fn feed_line(&mut self, input: &[u8]) -> Result<usize, BadRequest> {
        let end = input.iter().position(|&byte| byte == b'\n');
        let taken = end.map_or(input.len(), |at| at + 1);
        self.line.extend_from_slice(&input[..end.unwrap_or(taken)]);
        if self.line.len() > MAX_LINE_BYTES {
            return Err(BadRequest::BadChunk);
        }
        if end.is_some() {
            let line = std::mem::take(&mut self.line);
            self.end_line(line.strip_suffix(b"\r").unwrap_or(&line))?;
        }
        Ok(taken)
    }

    fn end_line(&mut self, line: &[u8]) -> Result<(), BadRequest> {
        self.state = match self.state {
            State::Size => match parse_size(line).ok_or(BadRequest::BadChunk)? {
                0 => State::Trailer,
                size => State::Data(size),
            },
            State::DataEnd if line.is_empty() => State::Size,
            State::Trailer if line.is_empty() => State::Done,
            State::Trailer => {
                self.trailer_bytes += line.len();
                if self.trailer_bytes > MAX_TRAILER_BYTES {
                    return Err(BadRequest::BadChunk);
                }
                State::Trailer
            }
            _ => return Err(BadRequest::BadChunk),
        };
        Ok(())
    }
}

/// The hexadecimal size before any chunk extension.
fn parse_size(line: &[u8]) -> Option<u64> {
    let size = line.split(|&byte| byte == b';').next()?.trim_ascii();
    let digits = std::str::from_utf8(size).ok()?;
    let valid = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    valid.then(|| u64::from_str_radix(digits, 16).ok())?
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{ChunkDecoder, LAST_CHUNK, encode_chunk};
    use crate::http::BadRequest;

    #[test]
    fn a_chunk_is_its_size_in_lower_case_hex_and_its_data() {
        let mut out = Vec::new();
        encode_chunk(&mut out, &[b'x'; 26]);
        assert_eq!(out, format!("1a\r\n{}\r\n", "x".repeat(26)).as_bytes());
    }

    #[test]
    fn an_empty_chunk_is_not_written_because_it_would_end_the_body() {
        let mut out = Vec::new();
        encode_chunk(&mut out, b"");
        assert!(out.is_empty());
    }

    #[rstest::rstest]
    #[case::no_digits(b"\r\n".as_slice())]
    #[case::not_hex(b"xyz\r\n")]
    #[case::negative(b"-1\r\n")]
    #[case::too_large(b"11111111111111111\r\n")]
    #[case::data_longer_than_its_size(b"1\r\nab\r\n")]
    fn a_malformed_chunk_is_refused(#[case] coded: &[u8]) {
        assert_eq!(ChunkDecoder::default().feed(coded, &mut Vec::new()), Err(BadRequest::BadChunk));
    }

    #[test]
    fn extensions_and_trailers_are_read_past() {
        let mut out = Vec::new();
        let mut decoder = ChunkDecoder::default();
        let coded = b"3;name=value\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\nGET /";
        assert_eq!(decoder.feed(coded, &mut out), Ok(coded.len() - 5));
        assert!(decoder.is_done());
        assert_eq!(out, b"abc");
    }

    proptest! {
        #[test]
        fn what_was_encoded_is_decoded_in_any_segmentation(
            chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..40), 0..8),
            cut in 1_usize..9,
        ) {
            let mut coded = Vec::new();
            for chunk in &chunks {
                encode_chunk(&mut coded, chunk);
            }
            coded.extend_from_slice(LAST_CHUNK);
            let mut decoder = ChunkDecoder::default();
            let mut out = Vec::new();
            for piece in coded.chunks(cut) {
                prop_assert_eq!(decoder.feed(piece, &mut out), Ok(piece.len()));
            }
            prop_assert!(decoder.is_done());
            prop_assert_eq!(out, chunks.concat());
        }
    }
}
