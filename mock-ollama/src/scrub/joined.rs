//! A text that fragments of a body make together.

use std::ops::Range;

use super::encoding::{DecodedText, Encoding};
use super::fates::{Change, Sink};
use super::lexer::string_end;

/// Where a fragment begins.
#[derive(Clone, Copy, Debug)]
struct FragmentStart {
    /// In the text.
    decoded: u32,
    /// In the body.
    written: u32,
}

/// Fragments of a body in one encoding, and the text that they make.
#[derive(Debug)]
pub(super) struct JoinedText<'a> {
    body: &'a [u8],
    encoding: Encoding,
    pub(super) text: Vec<u8>,
    parts: Vec<FragmentStart>,
}

impl<'a> JoinedText<'a> {
    /// Joins fragments that begin at these places: strings behind their quotes, bytes behind their bracket, and of lines
    /// what is left of them.
    pub(super) fn new(body: &'a [u8], encoding: Encoding, starts: impl IntoIterator<Item = u32>) -> Self {
        let mut joined = Self { body, encoding, text: Vec::new(), parts: Vec::new() };
        for written in starts {
            // A text is no longer than the body that it is made of.
            let decoded = u32::try_from(joined.text.len()).unwrap_or(u32::MAX);
            joined.parts.push(FragmentStart { decoded, written });
            encoding.decode(&body[written_range(body, encoding, written)], &mut joined.text);
        }
        joined
    }

    /// Returns what takes changes of the text to where its fragments stand.
    pub(super) fn to<'s>(&'s self, to: &'s mut dyn Sink) -> Across<'s> {
        Across { joined: self, part: 0, decoded: self.decoded(0), to }
    }

    fn decoded(&self, part: usize) -> DecodedText<'_> {
        let range = self.parts.get(part).map_or(0..0, |part| written_range(self.body, self.encoding, part.written));
        DecodedText::new(self.encoding, &self.body[range.clone()], range.start)
    }
}

/// Returns where a fragment is written that begins here.
pub(super) fn written_range(body: &[u8], encoding: Encoding, start: u32) -> Range<usize> {
    let start = start as usize;
    let until = |ends: fn(&u8) -> bool| body[start..].iter().position(ends).map_or(body.len(), |at| start + at);
    let end = match encoding {
        Encoding::Json => string_end(body, start),
        Encoding::Numbers => until(|byte| *byte == b']'),
        Encoding::Plain | Encoding::Percent | Encoding::Query => until(|byte| matches!(byte, b'\n' | b'\r')),
    };
    start..end
}

/// Takes changes of a text to the fragments that it is made of.
pub(super) struct Across<'a> {
    joined: &'a JoinedText<'a>,
    /// The fragment that was changed last. Changes mostly come in order.
    part: usize,
    decoded: DecodedText<'a>,
    to: &'a mut dyn Sink,
}

impl Sink for Across<'_> {
    fn change(&mut self, range: Range<usize>, mut change: Change) {
        let parts = &self.joined.parts;
        let first = parts.partition_point(|part| part.decoded as usize <= range.start).saturating_sub(1);
        for part in first..parts.len() {
            let start = parts[part].decoded as usize;
            if start >= range.end {
                return;
            }
            if part != self.part {
                self.part = part;
                self.decoded = self.joined.decoded(part);
            }
            let end = parts.get(part + 1).map_or(self.joined.text.len(), |next| next.decoded as usize);
            let within = range.start.max(start) - start..range.end.min(end) - start;
            if !within.is_empty() {
                self.decoded.change(within, change, self.to);
                if change == Change::One {
                    change = Change::Rest;
                }
            }
        }
    }
}
