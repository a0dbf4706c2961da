//! Where the first JSON value of a text ends, or what Go says of it (`encoding/json/scanner.go`).
//!
//! `serde_json` reads the value; this finds its end, so that what follows is ignored, and gives Go's texts for what
//! is no JSON.

use crate::dialect::go_fmt;

/// How deep values may nest; `serde_json` goes no further either.
const MAX_DEPTH: usize = 120;

/// Why there is no first value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ScanError {
    /// There is nothing but white space.
    Empty,
    /// It is cut.
    Cut,
    /// It is no JSON: Go's text.
    Syntax(String),
}

/// The first value of `text`, without the space around it.
pub(super) fn first_value(text: &str) -> Result<&str, ScanError> {
    let mut scanner = Scanner { bytes: text.as_bytes(), at: 0, depth: 0 };
    scanner.space();
    let start = scanner.at;
    if start == text.len() {
        return Err(ScanError::Empty);
    }
    scanner.value()?;
    text.get(start..scanner.at).ok_or(ScanError::Cut)
}

struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
    depth: usize,
}

impl Scanner<'_> {
    fn peek(&self) -> Result<u8, ScanError> {
        self.bytes.get(self.at).copied().ok_or(ScanError::Cut)
    }

    fn next(&mut self) -> Result<u8, ScanError> {
        let byte = self.peek()?;
        self.at += 1;
        Ok(byte)
    }

    fn space(&mut self) {
        while matches!(self.bytes.get(self.at), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn after_space(&mut self) -> Result<u8, ScanError> {
        self.space();
        self.next()
    }

    fn value(&mut self) -> Result<(), ScanError> {
        match self.after_space()? {
            b'{' => self.nested(Self::object),
            b'[' => self.nested(Self::array),
            b'"' => self.string(),
            b't' => self.literal("true"),
            b'f' => self.literal("false"),
            b'n' => self.literal("null"),
            b'-' => match self.next()? {
                digit @ b'0'..=b'9' => self.number(digit),
                other => Err(wrong(other, "in numeric literal")),
            },
            digit @ b'0'..=b'9' => self.number(digit),
            other => Err(wrong(other, "looking for beginning of value")),
        }
    }

    fn nested(&mut self, scan: impl Fn(&mut Self) -> Result<(), ScanError>) -> Result<(), ScanError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(ScanError::Syntax("exceeded max depth".to_owned()));
        }
        scan(self)?;
        self.depth -= 1;
        Ok(())
    }

    fn object(&mut self) -> Result<(), ScanError> {
        const KEY: &str = "looking for beginning of object key string";
        match self.after_space()? {
            b'}' => return Ok(()),
            b'"' => {}
            other => return Err(wrong(other, KEY)),
        }
        loop {
            self.string()?;
            match self.after_space()? {
                b':' => self.value()?,
                other => return Err(wrong(other, "after object key")),
            }
            match self.after_space()? {
                b'}' => return Ok(()),
                b',' => {}
                other => return Err(wrong(other, "after object key:value pair")),
            }
            match self.after_space()? {
                b'"' => {}
                other => return Err(wrong(other, KEY)),
            }
        }
    }

    fn array(&mut self) -> Result<(), ScanError> {
        self.space();
        if self.peek()? == b']' {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.value()?;
            match self.after_space()? {
                b']' => return Ok(()),
                b',' => {}
                other => return Err(wrong(other, "after array element")),
            }
        }
    }

    fn string(&mut self) -> Result<(), ScanError> {
        loop {
            match self.next()? {
                b'"' => return Ok(()),
                b'\\' => match self.next()? {
                    b'b' | b'f' | b'n' | b'r' | b't' | b'\\' | b'/' | b'"' => {}
                    b'u' => {
                        for _ in 0..4 {
                            let digit = self.next()?;
                            if !digit.is_ascii_hexdigit() {
                                return Err(wrong(digit, "in \\u hexadecimal character escape"));
                            }
                        }
                    }
                    other => return Err(wrong(other, "in string escape code")),
                },
                control @ 0..=0x1f => return Err(wrong(control, "in string literal")),
                _ => {}
            }
        }
    }

    /// The rest of a number whose first digit was taken.
    fn number(&mut self, first: u8) -> Result<(), ScanError> {
        if first != b'0' {
            self.digits();
        }
        if self.peek() == Ok(b'.') {
            self.at += 1;
            self.some_digits("after decimal point in numeric literal")?;
        }
        if matches!(self.peek(), Ok(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Ok(b'+' | b'-')) {
                self.at += 1;
            }
            self.some_digits("in exponent of numeric literal")?;
        }
        Ok(())
    }

    fn digits(&mut self) {
        while matches!(self.bytes.get(self.at), Some(b'0'..=b'9')) {
            self.at += 1;
        }
    }

    fn some_digits(&mut self, place: &str) -> Result<(), ScanError> {
        match self.next()? {
            b'0'..=b'9' => self.digits(),
            other => return Err(wrong(other, place)),
        }
        Ok(())
    }

    fn literal(&mut self, word: &str) -> Result<(), ScanError> {
        for expected in word.bytes().skip(1) {
            let found = self.next()?;
            if found != expected {
                let place = format!("in literal {word} (expecting {})", quoted(expected));
                return Err(wrong(found, &place));
            }
        }
        Ok(())
    }
}

fn wrong(found: u8, place: &str) -> ScanError {
    ScanError::Syntax(format!("invalid character {} {place}", quoted(found)))
}

/// A byte as Go shows it, which takes it for a character.
fn quoted(byte: u8) -> String {
    match byte {
        b'\'' => r"'\''".to_owned(),
        b'"' => r#"'"'"#.to_owned(),
        byte => {
            let text = go_fmt::quote(&char::from(byte).to_string());
            format!("'{}'", text.trim_matches('"'))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::{ScanError, first_value};

    #[rstest]
    #[case("{\"model\": }", "invalid character '}' looking for beginning of value")]
    #[case("{'model':1}", r"invalid character '\'' looking for beginning of object key string")]
    #[case("model=x", "invalid character 'm' looking for beginning of value")]
    #[case("{\"a\" 1}", "invalid character '1' after object key")]
    #[case("{\"a\":1 \"b\"}", "invalid character '\"' after object key:value pair")]
    #[case("{\"a\":1,}", "invalid character '}' looking for beginning of object key string")]
    #[case("[1 2]", "invalid character '2' after array element")]
    #[case("[1,]", "invalid character ']' looking for beginning of value")]
    #[case("\"a\nb\"", r"invalid character '\n' in string literal")]
    #[case("\"\\x\"", "invalid character 'x' in string escape code")]
    #[case("nulx", "invalid character 'x' in literal null (expecting 'l')")]
    #[case("-a", "invalid character 'a' in numeric literal")]
    #[case("1.x", "invalid character 'x' after decimal point in numeric literal")]
    #[case("\u{feff}{}", "invalid character 'ï' looking for beginning of value")]
    fn what_is_no_json_gets_gos_text(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(first_value(text), Err(ScanError::Syntax(expected.to_owned())));
    }

    #[rstest]
    #[case("{")]
    #[case("{\"a\"")]
    #[case("[1,")]
    #[case("\"abc")]
    #[case("tru")]
    fn a_cut_value_is_cut(#[case] text: &str) {
        assert_eq!(first_value(text), Err(ScanError::Cut));
    }

    #[test]
    fn what_follows_the_first_value_is_ignored() {
        assert_eq!(first_value(" {\"a\":[1]} }]"), Ok("{\"a\":[1]}"));
        assert_eq!(first_value("\n "), Err(ScanError::Empty));
    }

    proptest! {
        #[test]
        fn whatever_serde_json_reads_is_a_value_and_no_cut_of_an_object_is(
            keys in prop::collection::vec(".{0,5}", 1..4),
            number in any::<f64>().prop_filter("finite", |x| x.is_finite()),
        ) {
            let object: serde_json::Map<String, serde_json::Value> =
                keys.into_iter().map(|key| (key.clone(), serde_json::json!([number, key, null, true]))).collect();
            let text = serde_json::Value::Object(object).to_string();
            prop_assert_eq!(first_value(&text), Ok(text.as_str()));
            for (end, _) in text.char_indices().skip(1) {
                prop_assert_eq!(first_value(&text[..end]), Err(ScanError::Cut));
            }
        }

        #[test]
        fn it_agrees_with_serde_json_on_any_text(text in "[\\[\\]{}:,\"a-f0-9 .eE\\\\-]{0,12}") {
            let ours = first_value(&text).is_ok_and(|value| value.len() == text.trim().len());
            let theirs = serde_json::from_str::<&serde_json::value::RawValue>(&text).is_ok();
            prop_assert_eq!(ours, theirs, "{}", text);
        }
    }
}
