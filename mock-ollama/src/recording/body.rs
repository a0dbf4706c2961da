//! The chunks of one exchange, decoded one after the other into one buffer.
//!
//! Nearly every line of a recording is an event in canonical form. Such a line is decoded in one pass, straight to where
//! its bytes stay. Every other line is left to the parser, which reads it as JSON and says what is wrong.

use bytes::Bytes;

use super::model::Chunk;

/// Bytes looked at in one step.
const STEP_BYTES: usize = size_of::<u64>();

/// A body while it is read.
#[derive(Default)]
pub(super) struct BodyBuilder {
    /// The decoded bytes, then room that was not needed yet.
    buffer: Vec<u8>,
    filled: usize,
    /// The offset of each chunk, and where its bytes end.
    ends: Vec<(u64, usize)>,
}

impl BodyBuilder {
    /// Returns the number of chunks.
    pub(super) fn chunks(&self) -> usize {
        self.ends.len()
    }

    /// Returns the bytes of all chunks.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.buffer[..self.filled]
    }

    /// Returns the offset of the last chunk.
    pub(super) fn last_at_us(&self) -> Option<u64> {
        self.ends.last().map(|(at_us, _)| *at_us)
    }

    /// Appends a chunk.
    pub(super) fn push(&mut self, at_us: u64, bytes: &[u8]) {
        self.reserve(bytes.len())[..bytes.len()].copy_from_slice(bytes);
        self.filled += bytes.len();
        self.ends.push((at_us, self.filled));
    }

    /// Decodes an event line that is a text in canonical form; `None`, and nothing changes, when it is not.
    ///
    /// Returns the chunk, which the next call of [`append`](Self::append) appends.
    pub(super) fn canonical(&mut self, text: &str) -> Option<Decoded> {
        let (at_us, rest) = offset(text.as_bytes().strip_prefix(b"[")?)?;
        let coded = rest.strip_prefix(b",\"")?.strip_suffix(b"\"]")?;
        let length = unescape(coded, self.reserve(coded.len()))?;
        Some(Decoded { at_us, length })
    }

    /// Appends the chunk that was decoded last.
    pub(super) fn append(&mut self, decoded: Decoded) {
        self.filled += decoded.length;
        self.ends.push((decoded.at_us, self.filled));
    }

    /// Returns the chunks. They share their bytes.
    pub(super) fn into_chunks(mut self) -> Vec<Chunk> {
        self.buffer.truncate(self.filled);
        self.buffer.shrink_to_fit();
        let whole = Bytes::from(self.buffer);
        let mut begin = 0;
        let chunk = |(at_us, end)| Chunk { at_us, bytes: whole.slice(std::mem::replace(&mut begin, end)..end) };
        self.ends.into_iter().map(chunk).collect()
    }

    /// Returns room for at least `length` bytes, behind what is filled.
    fn reserve(&mut self, length: usize) -> &mut [u8] {
        let needed = self.filled + length;
        if self.buffer.len() < needed {
            self.buffer.resize(needed.max(2 * self.buffer.len()), 0);
        }
        &mut self.buffer[self.filled..]
    }
}

/// A chunk behind the end of a [`BodyBuilder`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Decoded {
    pub(super) at_us: u64,
    /// Of its bytes.
    pub(super) length: usize,
}

/// Returns a number as JSON writes it, and what follows.
fn offset(text: &[u8]) -> Option<(u64, &[u8])> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (number, rest) = text.split_at(digits);
    if matches!(number, [] | [b'0', _, ..]) {
        return None;
    }
    let add = |sum: u64, digit: &u8| sum.checked_mul(10)?.checked_add(u64::from(digit - b'0'));
    Some((number.iter().try_fold(0, add)?, rest))
}

/// Decodes what stands between the quotes of a JSON string into `out`, which is at least as long.
///
/// What a step copies of bytes that do not stand for themselves is written over later, or never counted.
///
/// `None` when it is no string or when a byte is not written in the one way in which `serde_json` writes it.
fn unescape(coded: &[u8], out: &mut [u8]) -> Option<usize> {
    let mut rest = coded;
    let mut length = 0;
    loop {
        let plain = if let Some(step) = rest.first_chunk::<STEP_BYTES>() {
            out[length..length + STEP_BYTES].copy_from_slice(step);
            plain_bytes(*step)
        } else if let Some(&byte) = rest.first() {
            out[length] = byte;
            usize::from(is_plain(byte))
        } else {
            return Some(length);
        };
        length += plain;
        rest = &rest[plain..];
        if plain == STEP_BYTES {
            continue;
        }
        match *rest {
            [b'\\', escape, ref after @ ..] => {
                let (byte, digits) = escaped(escape, after)?;
                out[length] = byte;
                length += 1;
                rest = &after[digits..];
            }
            [byte, ..] if !is_plain(byte) => return None,
            _ => {}
        }
    }
}

/// Returns the byte that an escape stands for, and how many digits follow its letter.
fn escaped(escape: u8, after: &[u8]) -> Option<(u8, usize)> {
    let byte = match escape {
        b'"' | b'\\' => escape,
        b'b' => 0x08,
        b't' => b'\t',
        b'n' => b'\n',
        b'f' => 0x0C,
        b'r' => b'\r',
        b'u' => return Some((control(*after.first_chunk()?)?, 4)),
        _ => return None,
    };
    Some((byte, 0))
}

/// Returns a control character that has no letter, from its four digits.
fn control(digits: [u8; 4]) -> Option<u8> {
    let low = match digits[3] {
        digit @ b'0'..=b'9' => digit - b'0',
        digit @ b'a'..=b'f' => digit - b'a' + 10,
        _ => return None,
    };
    let byte = match &digits[..3] {
        b"000" => low,
        b"001" => 0x10 + low,
        _ => return None,
    };
    (!matches!(byte, 0x08 | b'\t' | b'\n' | 0x0C | b'\r')).then_some(byte)
}

/// Returns whether a byte stands for itself in a JSON string.
fn is_plain(byte: u8) -> bool {
    !matches!(byte, 0..=0x1F | b'"' | b'\\')
}

/// Returns how many bytes of a step stand for themselves before the first that does not; all of them at once.
fn plain_bytes(step: [u8; STEP_BYTES]) -> usize {
    const ONES: u64 = u64::MAX / 0xFF;
    const HIGHS: u64 = ONES * 0x80;
    let word = u64::from_le_bytes(step);
    // The high bit of a byte that is below `bound`; a borrow may also set it in bytes above such a one, never below.
    let below = |word: u64, bound: u64| word.wrapping_sub(ONES * bound) & !word & HIGHS;
    let special =
        below(word, 0x20) | below(word ^ (ONES * u64::from(b'"')), 1) | below(word ^ (ONES * u64::from(b'\\')), 1);
    (special.trailing_zeros() / u8::BITS) as usize
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decoded(text: &str) -> Option<(u64, Vec<u8>)> {
        let mut body = BodyBuilder::default();
        body.push(0, b"before");
        let chunk = body.canonical(text)?;
        body.append(chunk);
        let last = body.into_chunks().pop()?;
        Some((last.at_us, last.bytes.to_vec()))
    }

    /// Returns what `serde_json` reads, when it would write the same.
    fn by_serde(text: &str) -> Option<(u64, Vec<u8>)> {
        let (at_us, chunk): (u64, String) = serde_json::from_str(text).ok()?;
        (serde_json::to_string(&(at_us, &chunk)).ok()? == text).then(|| (at_us, chunk.into_bytes()))
    }

    proptest! {
        #[test]
        fn what_serde_writes_is_decoded(at_us in any::<u64>(), chunk in "[a-z\"\\\\/\u{0}-\u{1f}\u{7f}\u{2028}\u{e9}\u{1f600}]{0,40}") {
            let text = serde_json::to_string(&(at_us, &chunk)).unwrap();
            prop_assert_eq!(decoded(&text), Some((at_us, chunk.into_bytes())));
        }

        #[test]
        fn a_line_is_decoded_exactly_when_it_is_canonical(
            number in "[0-9]{0,3}|[0-9]{18,21}| 1|-1|1.0|1e1",
            coded in r#"([a-zé\x00-\x1f"]|\\["\\/bfnrtu]|\\u00[01][0-9a-fA-F]|\\u[0-9a-f]{4}){0,12}"#,
            end in prop::sample::select(vec!["\"]", "\"] ", "\" ]", "\",1]", "\"", "]", ""]),
        ) {
            let text = format!("[{number},\"{coded}{end}");
            prop_assert_eq!(decoded(&text), by_serde(&text));
        }
    }

    #[test]
    fn every_byte_stands_for_itself_at_every_place_or_nowhere() {
        for byte in 0..=u8::MAX {
            for place in 0..STEP_BYTES {
                for around in [b'a', 0x20, 0x7F, 0x80, 0xFF, b'!', b'#', b'[', b']'] {
                    let mut step = [around; STEP_BYTES];
                    step[place] = byte;
                    let expected = if is_plain(byte) { STEP_BYTES } else { place };
                    assert_eq!(plain_bytes(step), expected, "{byte:#x} at {place} among {around:#x}");
                }
            }
        }
    }

    #[test]
    fn what_is_not_taken_leaves_nothing() {
        let mut body = BodyBuilder::default();
        body.push(7, b"abc");
        assert!(body.canonical(r#"[8,"def"]"#).is_some());
        assert!(body.canonical(r#"[8,"de\u0041"]"#).is_none());
        assert_eq!((body.bytes(), body.chunks(), body.last_at_us()), (&b"abc"[..], 1, Some(7)));
    }
}
