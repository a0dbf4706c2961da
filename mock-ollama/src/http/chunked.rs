//! Chunked transfer coding (RFC 9112 §7.1), both ways.
//!
//! The encoder is ours because every byte of it is placed in time; the decoder because request bodies
//! may come in any segmentation.

use std::io::Write as _;

use super::BadRequest;

/// The bytes that end a chunked body without trailers.
pub const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// The longest chunk-size line or trailer line that is accepted, in bytes with its line end.
const MAX_LINE_BYTES: usize = 4096;

/// The most trailer bytes that are read past.
const MAX_TRAILER_BYTES: usize = 4096;

/// The most bytes of chunk-size lines beyond [`FREE_BYTES`] a chunk and two for each byte of data.
const MAX_EXCESS_BYTES: u64 = 16 * 1024;

/// The most digits of a chunk size, leading zeros too.
const MAX_SIZE_DIGITS: usize = 16;

/// What a chunk-size line may be long without counting as excess, in bytes.
const FREE_BYTES: u64 = 16;

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
    excess_bytes: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// In a chunk-size line.
    #[default]
    Size,
    /// In a chunk, with this number of bytes to come.
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
            State::DataEnd => Ok((self.feed_data_end(input)?, false)),
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

    /// The two bytes after the data of a chunk; `line` holds the first.
    fn feed_data_end(&mut self, input: &[u8]) -> Result<usize, BadRequest> {
        match (self.line.as_slice(), input.first()) {
            (_, None) => return Ok(0),
            (b"", Some(b'\r')) => self.line.push(b'\r'),
            (b"\r", Some(b'\n')) => {
                self.line.clear();
                self.state = State::Size;
            }
            _ => return Err(BadRequest::BadChunk("malformed chunked encoding")),
        }
        Ok(1)
    }

    fn feed_line(&mut self, input: &[u8]) -> Result<usize, BadRequest> {
        let end = input.iter().position(|&byte| byte == b'\n');
        let taken = end.map_or(input.len(), |at| at + 1);
        self.line.extend_from_slice(&input[..end.unwrap_or(taken)]);
        if self.line.len() >= MAX_LINE_BYTES {
            return Err(BadRequest::BadChunk("header line too long"));
        }
        if end.is_some() {
            let line = std::mem::take(&mut self.line);
            self.state = if self.state == State::Size { self.end_size(&line)? } else { self.end_trailer(&line)? };
        }
        Ok(taken)
    }

    fn end_size(&mut self, line: &[u8]) -> Result<State, BadRequest> {
        let size = parse_size(line).map_err(BadRequest::BadChunk)?;
        let free = FREE_BYTES.saturating_add(size.saturating_mul(2));
        self.excess_bytes = (self.excess_bytes + line.len() as u64 + 1).saturating_sub(free);
        if self.excess_bytes > MAX_EXCESS_BYTES {
            return Err(BadRequest::BadChunk("chunked encoding contains too much non-data"));
        }
        Ok(if size == 0 { State::Trailer } else { State::Data(size) })
    }

    fn end_trailer(&mut self, line: &[u8]) -> Result<State, BadRequest> {
        if matches!(line, b"" | b"\r") {
            return Ok(State::Done);
        }
        self.trailer_bytes += line.len();
        if self.trailer_bytes > MAX_TRAILER_BYTES {
            return Err(BadRequest::BadChunk("http: suspiciously long trailer after chunked body"));
        }
        Ok(State::Trailer)
    }
}

/// The hexadecimal size before any chunk extension, as Go reads it (`net/http/internal/chunked.go`).
fn parse_size(line: &[u8]) -> Result<u64, &'static str> {
    let line = line.strip_suffix(b"\r").ok_or(if line.contains(&b'\r') {
        "invalid CR in chunked line"
    } else {
        "chunked line ends with bare LF"
    })?;
    if line.contains(&b'\r') {
        return Err("invalid CR in chunked line");
    }
    let size = line.trim_ascii_end().split(|&byte| byte == b';').next().unwrap_or_default();
    if size.is_empty() {
        return Err("empty hex number for chunk length");
    }
    let mut number = 0_u64;
    for (place, &digit) in size.iter().enumerate() {
        let digit = char::from(digit).to_digit(16).ok_or("invalid byte in chunk length")?;
        if place == MAX_SIZE_DIGITS {
            return Err("http chunk length too large");
        }
        number = number << 4 | u64::from(digit);
    }
    Ok(number)
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
    #[case::no_digits(b"\r\n".as_slice(), "empty hex number for chunk length")]
    #[case::only_an_extension(b";x\r\n", "empty hex number for chunk length")]
    #[case::not_hex(b"xyz\r\n", "invalid byte in chunk length")]
    #[case::negative(b"-1\r\n", "invalid byte in chunk length")]
    #[case::blank_before(b" 2f\r\n", "invalid byte in chunk length")]
    #[case::blank_before_an_extension(b"2f ;x\r\n", "invalid byte in chunk length")]
    #[case::too_many_digits(b"0000000000000002f\r\n", "http chunk length too large")]
    #[case::bare_line_feed(b"1\n", "chunked line ends with bare LF")]
    #[case::carriage_return_inside(b"1;\r;\r\n", "invalid CR in chunked line")]
    #[case::data_longer_than_its_size(b"1\r\nab", "malformed chunked encoding")]
    #[case::bare_line_feed_after_data(b"1\r\na\n", "malformed chunked encoding")]
    fn a_malformed_chunk_is_refused_in_gos_words(#[case] coded: &[u8], #[case] text: &'static str) {
        assert_eq!(ChunkDecoder::default().feed(coded, &mut Vec::new()), Err(BadRequest::BadChunk(text)));
    }

    #[rstest::rstest]
    #[case::blank_behind(b"2f \t\r\n".as_slice(), 0x2f)]
    #[case::capitals(b"2F\r\n", 0x2f)]
    #[case::sixteen_digits(b"000000000000002f\r\n", 0x2f)]
    #[case::extension(b"2f;a=\"b;c\"\r\n", 0x2f)]
    fn a_chunk_size_is_read_as_go_does(#[case] line: &[u8], #[case] size: u64) {
        let mut decoder = ChunkDecoder::default();
        assert_eq!(decoder.feed(line, &mut Vec::new()), Ok(line.len()));
        assert_eq!(decoder.state, super::State::Data(size));
    }

    #[test]
    fn a_body_of_extensions_is_refused_and_one_of_single_bytes_is_not() {
        let extended = format!("1;{}\r\nx\r\n", "e".repeat(1000)).repeat(18);
        let refused = BadRequest::BadChunk("chunked encoding contains too much non-data");
        assert_eq!(ChunkDecoder::default().feed(extended.as_bytes(), &mut Vec::new()), Err(refused));
        let single = "1\r\nx\r\n".repeat(100_000);
        assert_eq!(ChunkDecoder::default().feed(single.as_bytes(), &mut Vec::new()), Ok(single.len()));
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
