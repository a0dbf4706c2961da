//! What becomes of each byte of a body, in two bits a byte.

use std::ops::Range;

/// What becomes of a byte. Of two fates of one byte the later in this list counts, so that passes may come in any order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Kept,
    /// It is the first of a character, or of what stands for one, and becomes `*`.
    Star,
    /// It is the first digit of a byte's number, which becomes that of `*`.
    Number,
    /// It is another byte of those.
    Gone,
}

/// How what is changed is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// Each of its characters is one.
    Characters,
    /// All of it stands for one character.
    One,
    /// All of it is a number that stands for one byte.
    Number,
    /// It belongs to the character before it.
    Rest,
}

/// Takes what is to be changed, as places in a text.
pub(super) trait Sink {
    fn change(&mut self, range: Range<usize>, change: Change);
}

const FATES_PER_BYTE: usize = 4;

/// The fates of a body's bytes. Nothing is allocated before the first change.
#[derive(Debug, Default)]
pub(super) struct Fates {
    packed: Vec<u8>,
    length: usize,
}

impl Fates {
    /// Returns all kept.
    pub(super) fn new(length: usize) -> Self {
        Self { packed: Vec::new(), length }
    }

    /// Returns whether nothing is changed.
    pub(super) fn is_empty(&self) -> bool {
        self.packed.is_empty()
    }

    /// Returns whether anything within is changed.
    pub(super) fn any(&self, range: Range<usize>) -> bool {
        !self.is_empty() && range.into_iter().any(|at| self.get(at) != Fate::Kept)
    }

    /// Returns what is left of `body[range]`; `None` when that is as it was.
    pub(super) fn apply(&self, body: &[u8], range: Range<usize>) -> Option<Vec<u8>> {
        if !self.any(range.clone()) {
            return None;
        }
        let mut out = Vec::with_capacity(range.len());
        for at in range {
            match self.get(at) {
                Fate::Kept => out.push(body[at]),
                Fate::Star => out.push(b'*'),
                // The number of `*`.
                Fate::Number => out.extend_from_slice(b"42"),
                Fate::Gone => {}
            }
        }
        Some(out)
    }

    fn get(&self, at: usize) -> Fate {
        match (self.packed[at / FATES_PER_BYTE] >> shift(at)) & 0b11 {
            0 => Fate::Kept,
            1 => Fate::Star,
            2 => Fate::Number,
            _ => Fate::Gone,
        }
    }

    fn set(&mut self, at: usize, fate: Fate) {
        if self.packed.is_empty() {
            self.packed = vec![0; self.length.div_ceil(FATES_PER_BYTE)];
        }
        let fate = (fate as u8).max(self.get(at) as u8);
        let byte = &mut self.packed[at / FATES_PER_BYTE];
        *byte = (*byte & !(0b11 << shift(at))) | (fate << shift(at));
    }
}

fn shift(at: usize) -> usize {
    at % FATES_PER_BYTE * 2
}

/// The fates of a body, and the body.
#[derive(Debug)]
pub(super) struct MarkedBody<'a> {
    pub(super) body: &'a [u8],
    pub(super) fates: Fates,
}

impl<'a> MarkedBody<'a> {
    pub(super) fn new(body: &'a [u8]) -> Self {
        Self { body, fates: Fates::new(body.len()) }
    }
}

impl Sink for MarkedBody<'_> {
    fn change(&mut self, range: Range<usize>, change: Change) {
        for at in range.clone() {
            // Line ends frame what a server sends; a secret of several lines is unreadable without them changed.
            if matches!(self.body[at], b'\n' | b'\r') {
                continue;
            }
            let fate = match change {
                Change::Characters if !is_continuation(self.body[at]) => Fate::Star,
                Change::One if at == range.start => Fate::Star,
                Change::Number if at == range.start => Fate::Number,
                _ => Fate::Gone,
            };
            self.fates.set(at, fate);
        }
    }
}

/// Returns whether a byte continues a character that began before it.
pub(super) fn is_continuation(byte: u8) -> bool {
    matches!(byte, 0x80..=0xBF)
}
