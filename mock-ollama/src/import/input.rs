//! An input, and its bytes as UTF-8: byte order marks and UTF-16 undone.

use std::borrow::Cow;

use super::error::InputProblem;

/// One file to import.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// What errors call it, usually its path.
    pub label: &'a str,
    /// Its bytes.
    pub bytes: &'a [u8],
}

/// Bytes that may be a body, and what was done to get them.
pub(super) struct Utf8Input<'a> {
    pub(super) bytes: Cow<'a, [u8]>,
    /// What to tell the user; absent when nothing was done.
    pub(super) note: Option<&'static str>,
}

impl<'a> Utf8Input<'a> {
    /// Undoes what shells and editors do to a text that they write to a file. Other bytes stay as they are.
    ///
    /// # Errors
    ///
    /// UTF-32, and UTF-16 with half a character.
    pub(super) fn of(bytes: &'a [u8]) -> Result<Self, InputProblem> {
        let half = || InputProblem::Encoding("is UTF-16 that breaks off within a character");
        let unit: fn([u8; 2]) -> u16 = match bytes {
            [0xEF, 0xBB, 0xBF, rest @ ..] => {
                let note = "begins with a byte order mark, which was taken off";
                return Ok(Self { bytes: Cow::Borrowed(rest), note: Some(note) });
            }
            [0xFF, 0xFE, 0, 0, ..] | [0, 0, 0xFE, 0xFF, ..] => {
                return Err(InputProblem::Encoding("is UTF-32, not UTF-8"));
            }
            // No text has a NUL, so that one beside an ASCII character is half of it.
            [0xFF, 0xFE, ..] | [1..=0x7F, 0, ..] => u16::from_le_bytes,
            [0xFE, 0xFF, ..] | [0, 1..=0x7F, ..] => u16::from_be_bytes,
            _ => return Ok(Self { bytes: Cow::Borrowed(bytes), note: None }),
        };
        let (pairs, rest) = bytes.as_chunks::<2>();
        if !rest.is_empty() {
            return Err(half());
        }
        let decoded: Result<String, _> = char::decode_utf16(pairs.iter().copied().map(unit)).collect();
        let text = decoded.map_err(|_| half())?;
        // Where a shell writes UTF-16 it also ends lines in its own way.
        let text = text.trim_start_matches('\u{FEFF}').replace("\r\n", "\n");
        let note = "is UTF-16, not UTF-8; it was read as such, and its lines end in LF";
        Ok(Self { bytes: Cow::Owned(text.into_bytes()), note: Some(note) })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::Utf8Input;
    use crate::import::ImportError;
    use crate::import::error::Located;

    fn of(bytes: &[u8]) -> Result<Utf8Input<'_>, ImportError> {
        Utf8Input::of(bytes).map_err(|problem| Located::from(problem).of_input("a.ndjson"))
    }

    fn utf_16(text: &str, mark: bool, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        let mark = if mark { "\u{FEFF}" } else { "" };
        format!("{mark}{text}").encode_utf16().flat_map(bytes).collect()
    }

    #[rstest]
    #[case::utf_32_le(b"\xFF\xFE\0\0{\0\0\0", "is UTF-32")]
    #[case::utf_32_be(b"\0\0\xFE\xFF\0\0\0{", "is UTF-32")]
    #[case::odd(b"\xFF\xFE{\0\"", "is UTF-16 that breaks off")]
    #[case::half_a_pair(b"\xFF\xFE{\0\x3D\xD8", "is UTF-16 that breaks off")]
    fn what_cannot_be_decoded_is_named(#[case] bytes: &[u8], #[case] expected: &str) {
        let error = of(bytes).err().unwrap().to_string();
        assert!(error.starts_with(&format!("a.ndjson {expected}")), "{error}");
        assert!(error.ends_with("keep the body with curl -o FILE"), "{error}");
    }

    proptest! {
        #[test]
        fn a_text_is_the_same_in_every_encoding(
            rest in "[^\r\u{FEFF}\0]{0,40}", mark in any::<bool>(), little in any::<bool>(),
        ) {
            let text = format!("{{{rest}");
            let coded = utf_16(&text, mark, if little { u16::to_le_bytes } else { u16::to_be_bytes });
            let with_mark = format!("\u{FEFF}{text}");
            for (bytes, is_changed) in [(coded.as_slice(), true), (with_mark.as_bytes(), true), (text.as_bytes(), false)] {
                let found = of(bytes).unwrap();
                prop_assert_eq!(&*found.bytes, text.as_bytes());
                prop_assert_eq!(found.note.is_some(), is_changed);
            }
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let _ = of(&bytes);
        }
    }
}
