//! How a text is written inside another one, and the way back from what was found to where it stands.

use std::borrow::Cow;
use std::ops::Range;

use super::fates::{Change, Sink, is_continuation};

/// How a text is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    /// As it is.
    Plain,
    /// With the escapes of a JSON string.
    Json,
    /// Percent-encoded (RFC 3986 §2.1).
    Percent,
    /// Percent-encoded, and `+` is a space, as in the query of a encoding.
    Query,
    /// Each byte as a number, with anything between them.
    Numbers,
}

/// The next few bytes of a text as written, and what they stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Unit {
    /// Bytes as written.
    length: usize,
    meaning: Meaning,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    /// They stand for themselves.
    Itself,
    /// They stand for the first of these bytes, as many as the number says.
    Bytes([u8; 4], usize),
}

impl Unit {
    fn itself(length: usize) -> Self {
        Self { length, meaning: Meaning::Itself }
    }

    fn character(length: usize, character: char) -> Self {
        let mut bytes = [0; 4];
        let count = character.encode_utf8(&mut bytes).len();
        Self { length, meaning: Meaning::Bytes(bytes, count) }
    }

    fn byte(length: usize, byte: u8) -> Self {
        Self { length, meaning: Meaning::Bytes([byte, 0, 0, 0], 1) }
    }

    fn decoded(&self) -> usize {
        match self.meaning {
            Meaning::Itself => self.length,
            Meaning::Bytes(_, count) => count,
        }
    }
}

impl Encoding {
    /// Returns whether this text has anything that does not stand for itself.
    pub(super) fn is_used(self, text: &[u8]) -> bool {
        match self {
            Self::Plain => false,
            Self::Json => text.contains(&b'\\'),
            Self::Percent => text.windows(3).any(|bytes| percent(bytes).is_some()),
            Self::Query => text.contains(&b'+'),
            Self::Numbers => true,
        }
    }

    /// Appends what a text stands for.
    pub(super) fn decode(self, mut text: &[u8], out: &mut Vec<u8>) {
        while !text.is_empty() {
            let unit = self.unit(text);
            match unit.meaning {
                Meaning::Itself => out.extend_from_slice(&text[..unit.length]),
                Meaning::Bytes(bytes, count) => out.extend_from_slice(&bytes[..count]),
            }
            text = &text[unit.length..];
        }
    }

    /// Returns what a text stands for.
    pub(super) fn read(self, text: &[u8]) -> Cow<'_, [u8]> {
        if !self.is_used(text) {
            return Cow::Borrowed(text);
        }
        let mut out = Vec::new();
        self.decode(text, &mut out);
        Cow::Owned(out)
    }

    /// Returns the unit at the start of a text that is not empty.
    fn unit(self, text: &[u8]) -> Unit {
        match self {
            Self::Plain => Unit::itself(text.len()),
            Self::Json => match text.iter().position(|&byte| byte == b'\\') {
                Some(0) => escape(text),
                plain => Unit::itself(plain.unwrap_or(text.len())),
            },
            Self::Percent | Self::Query => {
                let special = |byte: u8| byte == b'%' || byte == b'+' && self == Self::Query;
                match text.iter().position(|&byte| special(byte)) {
                    Some(0) if text[0] == b'+' => Unit::byte(1, b' '),
                    Some(0) => percent(text).map_or(Unit::itself(1), |byte| Unit::byte(3, byte)),
                    plain => Unit::itself(plain.unwrap_or(text.len())),
                }
            }
            Self::Numbers => number(text),
        }
    }
}

fn percent(text: &[u8]) -> Option<u8> {
    let [b'%', high, low, ..] = text else { return None };
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

/// Returns a run of digits that is a byte, or anything else, which stands for nothing.
fn number(text: &[u8]) -> Unit {
    let length = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let value = std::str::from_utf8(&text[..length]).ok().and_then(|digits| digits.parse().ok());
    match value {
        Some(byte) => Unit::byte(length, byte),
        None => Unit { length: length.max(1), meaning: Meaning::Bytes([0; 4], 0) },
    }
}

/// Returns the escape at the start of a text. Two that make one character are one; half of such a pair is the
/// replacement character; a backslash that begins no escape stands for itself.
fn escape(text: &[u8]) -> Unit {
    let letter = match text.get(1) {
        Some(b'u') => return unicode(text),
        Some(b'n') => '\n',
        Some(b't') => '\t',
        Some(b'r') => '\r',
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(letter @ (b'"' | b'\\' | b'/')) => char::from(*letter),
        _ => return Unit::itself(1),
    };
    Unit::character(2, letter)
}

fn unicode(text: &[u8]) -> Unit {
    let Some(first) = code_unit(text) else { return Unit::itself(1) };
    if let Some(second) = text.get(6..).and_then(code_unit)
        && let Some(Ok(character)) = char::decode_utf16([first, second]).next()
        && character.len_utf16() == 2
    {
        return Unit::character(12, character);
    }
    Unit::character(6, char::from_u32(first.into()).unwrap_or(char::REPLACEMENT_CHARACTER))
}

fn code_unit(text: &[u8]) -> Option<u16> {
    let [b'\\', b'u', digits @ ..] = text else { return None };
    let digits = digits.first_chunk::<4>()?;
    digits.iter().try_fold(0_u16, |sum, digit| Some(sum * 16 + u16::try_from(char::from(*digit).to_digit(16)?).ok()?))
}

/// A text that was decoded: what is changed in it is changed where it was written.
pub(super) struct DecodedText<'a> {
    encoding: Encoding,
    written: &'a [u8],
    /// Where `written` stands in the text that it is a part of.
    offset: usize,
    /// The unit that was looked at last. Changes mostly come in order, so that the next one is found from here.
    unit: Option<Unit>,
    /// Where that unit is written, and where its meaning begins.
    written_at: usize,
    meant_at: usize,
}

impl<'a> DecodedText<'a> {
    pub(super) fn new(encoding: Encoding, written: &'a [u8], offset: usize) -> Self {
        let mut decoded = Self { encoding, written, offset, unit: None, written_at: 0, meant_at: 0 };
        decoded.look_at(0, 0);
        decoded
    }

    /// Changes what stands for `range`.
    pub(super) fn change(&mut self, range: Range<usize>, change: Change, to: &mut dyn Sink) {
        if range.start < self.meant_at {
            self.look_at(0, 0);
        }
        while let Some(unit) = self.unit.filter(|_| self.meant_at < range.end) {
            let end = self.meant_at + unit.decoded();
            // What stands for nothing is not changed.
            if end > range.start.max(self.meant_at) {
                let has_begun = range.start < self.meant_at && change == Change::One;
                self.change_unit(unit, &range, if has_begun { Change::Rest } else { change }, to);
            }
            // The next range may begin within the same unit.
            if end > range.end {
                return;
            }
            self.look_at(self.written_at + unit.length, end);
        }
    }

    /// Changes all of it.
    pub(super) fn change_all(&mut self, to: &mut dyn Sink) {
        self.change(0..usize::MAX, Change::Characters, to);
    }

    fn look_at(&mut self, written_at: usize, meant_at: usize) {
        (self.written_at, self.meant_at) = (written_at, meant_at);
        let rest = &self.written[written_at..];
        self.unit = (!rest.is_empty()).then(|| self.encoding.unit(rest));
    }

    fn change_unit(&self, unit: Unit, range: &Range<usize>, change: Change, to: &mut dyn Sink) {
        let start = self.offset + self.written_at;
        match unit.meaning {
            Meaning::Itself => {
                let from = range.start.saturating_sub(self.meant_at);
                let until = (range.end - self.meant_at).min(unit.length);
                to.change(start + from..start + until, change);
            }
            Meaning::Bytes(bytes, _) => {
                let change = match change {
                    _ if self.encoding == Encoding::Numbers => Change::Number,
                    Change::Characters if is_continuation(bytes[0]) => Change::Rest,
                    Change::Characters => Change::One,
                    change => change,
                };
                to.change(start..start + unit.length, change);
            }
        }
    }
}
