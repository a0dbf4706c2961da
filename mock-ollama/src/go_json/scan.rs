//! Go's JSON scanner and decoder of plain values, in one pass, with the texts of its errors (`encoding/json/scanner.go`).

use super::fmt::quote;
use super::value::{Field, Json};

/// What the first JSON value of a body is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Scanned<'a> {
    /// Nothing but white space.
    Empty,
    /// A whole value, and its bytes.
    Value(Json<'a>, &'a [u8]),
    /// An error, with Go's text.
    Broken(String),
}

/// The deepest nesting. Go gives up at 10,000 with the same text; what walks the values here needs some stack for each.
const MAX_DEPTH: usize = 1_000;

const CUT: &str = "unexpected EOF";

/// Finds the first value of `body` and its first syntax error; what stands behind the value does not count.
pub(crate) fn scan(body: &[u8]) -> Scanned<'_> {
    let start = body.iter().position(|byte| !is_space(*byte));
    let Some(start) = start else { return Scanned::Empty };
    let mut scanner = Scanner { body, at: start, depth: 0 };
    match scanner.value() {
        Ok(value) => Scanned::Value(value, &body[start..scanner.at]),
        Err(text) => Scanned::Broken(text),
    }
}

/// The value of a text that is known to hold one; null where it holds none.
pub(crate) fn parse(text: &[u8]) -> Json<'_> {
    match scan(text) {
        Scanned::Value(value, _) => value,
        _ => Json::Null,
    }
}

/// Whether `body` ends before its first value does.
pub(crate) fn is_cut(body: &[u8]) -> bool {
    match scan(body) {
        Scanned::Empty => true,
        Scanned::Value(..) => false,
        Scanned::Broken(text) => text == CUT,
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

struct Scanner<'a> {
    body: &'a [u8],
    at: usize,
    /// How many containers are open.
    depth: usize,
}

impl<'a> Scanner<'a> {
    fn peek(&self) -> Result<u8, String> {
        self.body.get(self.at).copied().ok_or_else(|| CUT.to_owned())
    }

    fn take(&mut self) -> Result<u8, String> {
        let byte = self.peek()?;
        self.at += 1;
        Ok(byte)
    }

    /// The next byte that is not white space, which is not taken.
    fn next(&mut self) -> Result<u8, String> {
        self.at += self.body[self.at..].iter().take_while(|byte| is_space(**byte)).count();
        self.peek()
    }

    fn skip(&mut self, byte: u8) -> bool {
        let is_there = self.body.get(self.at) == Some(&byte);
        self.at += usize::from(is_there);
        is_there
    }

    fn value(&mut self) -> Result<Json<'a>, String> {
        match self.next()? {
            byte @ (b'{' | b'[') => {
                self.at += 1;
                self.depth += 1;
                if self.depth > MAX_DEPTH {
                    return Err("exceeded max depth".to_owned());
                }
                let value = if byte == b'{' { self.object()? } else { self.list()? };
                self.depth -= 1;
                Ok(value)
            }
            b'"' => self.text().map(Json::Text),
            b'-' | b'0'..=b'9' => self.number(),
            b't' => self.literal("true", Json::Bool(true)),
            b'f' => self.literal("false", Json::Bool(false)),
            b'n' => self.literal("null", Json::Null),
            byte => Err(invalid(byte, "looking for beginning of value")),
        }
    }

    fn list(&mut self) -> Result<Json<'a>, String> {
        let mut items = Vec::new();
        self.next()?;
        let mut has_more = !self.skip(b']');
        while has_more {
            items.push(self.value()?);
            has_more = self.has_more(b']', "after array element")?;
        }
        Ok(Json::List(items))
    }

    fn object(&mut self) -> Result<Json<'a>, String> {
        let mut fields = Vec::new();
        self.next()?;
        let mut has_more = !self.skip(b'}');
        while has_more {
            let byte = self.next()?;
            if byte != b'"' {
                return Err(invalid(byte, "looking for beginning of object key string"));
            }
            let key = self.text()?;
            let byte = self.next()?;
            if !self.skip(b':') {
                return Err(invalid(byte, "after object key"));
            }
            self.next()?;
            let start = self.at;
            let value = self.value()?;
            fields.push(Field { key, value, raw: &self.body[start..self.at] });
            has_more = self.has_more(b'}', "after object key:value pair")?;
        }
        Ok(Json::Object(fields))
    }

    /// Takes the comma before another item, or the end.
    fn has_more(&mut self, end: u8, place: &str) -> Result<bool, String> {
        let byte = self.next()?;
        if !self.skip(b',') && !self.skip(end) {
            return Err(invalid(byte, place));
        }
        Ok(byte == b',')
    }

    fn literal(&mut self, word: &str, value: Json<'a>) -> Result<Json<'a>, String> {
        for wanted in word.bytes() {
            let byte = self.take()?;
            if byte != wanted {
                return Err(invalid(byte, &format!("in literal {word} (expecting {})", quoted(wanted))));
            }
        }
        Ok(value)
    }

    /// A string; invalid UTF-8 and halves of surrogate pairs become U+FFFD, as in Go.
    fn text(&mut self) -> Result<String, String> {
        let mut out = Vec::new();
        self.at += 1;
        loop {
            match self.take()? {
                b'"' => return Ok(String::from_utf8_lossy(&out).into_owned()),
                b'\\' => out.extend_from_slice(self.escape()?.encode_utf8(&mut [0; 4]).as_bytes()),
                byte @ 0..0x20 => return Err(invalid(byte, "in string literal")),
                byte => out.push(byte),
            }
        }
    }

    fn escape(&mut self) -> Result<char, String> {
        Ok(match self.take()? {
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode(),
            byte @ (b'\\' | b'/' | b'"') => char::from(byte),
            byte => return Err(invalid(byte, "in string escape code")),
        })
    }

    fn unicode(&mut self) -> Result<char, String> {
        let first = self.hex()?;
        let after = self.at;
        if (0xd800..0xdc00).contains(&first) && self.body[after..].starts_with(b"\\u") {
            self.at += 2;
            let second = self.hex()?;
            if (0xdc00..0xe000).contains(&second) {
                let code = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            // The second is no half of this pair, and is read by itself.
            self.at = after;
        }
        Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn hex(&mut self) -> Result<u32, String> {
        (0..4).try_fold(0, |code, _| {
            let byte = self.take()?;
            let digit = char::from(byte).to_digit(16);
            Ok(code << 4 | digit.ok_or_else(|| invalid(byte, "in \\u hexadecimal character escape"))?)
        })
    }

    fn number(&mut self) -> Result<Json<'a>, String> {
        let start = self.at;
        self.skip(b'-');
        if !self.skip(b'0') {
            self.digits("in numeric literal")?;
        }
        if self.skip(b'.') {
            self.digits("after decimal point in numeric literal")?;
        }
        if self.skip(b'e') || self.skip(b'E') {
            _ = self.skip(b'+') || self.skip(b'-');
            self.digits("in exponent of numeric literal")?;
        }
        Ok(Json::Number(String::from_utf8_lossy(&self.body[start..self.at]).into_owned()))
    }

    fn digits(&mut self, place: &str) -> Result<(), String> {
        let byte = self.peek()?;
        if !byte.is_ascii_digit() {
            return Err(invalid(byte, place));
        }
        self.at += self.body[self.at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        Ok(())
    }
}

fn invalid(byte: u8, place: &str) -> String {
    format!("invalid character {} {place}", quoted(byte))
}

/// Go's `quoteChar`: a byte counts as the character of its number, so a cut UTF-8 sequence shows as Latin-1.
fn quoted(byte: u8) -> String {
    match byte {
        b'\'' => r"'\''".to_owned(),
        b'"' => "'\"'".to_owned(),
        _ => format!("'{}'", quote(&char::from(byte).to_string()).trim_matches('"')),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert_eq, proptest};
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::{Scanned, parse, scan};
    use crate::go_json::Json;

    #[rstest]
    #[case(r#"{"model": }"#, "invalid character '}' looking for beginning of value")]
    #[case("{'m':1}", r"invalid character '\'' looking for beginning of object key string")]
    #[case(r#"{"a":1,}"#, "invalid character '}' looking for beginning of object key string")]
    #[case("[1,]", "invalid character ']' looking for beginning of value")]
    #[case(r#"{"a" 1}"#, "invalid character '1' after object key")]
    #[case(r#"{"a":1 "b":2}"#, "invalid character '\"' after object key:value pair")]
    #[case(r#"{"a":01}"#, "invalid character '1' after object key:value pair")]
    #[case("[1 2]", "invalid character '2' after array element")]
    #[case("[\"a\nb\"]", r"invalid character '\n' in string literal")]
    #[case(r#"["\x"]"#, "invalid character 'x' in string escape code")]
    #[case(r#"["\u00g0"]"#, r"invalid character 'g' in \u hexadecimal character escape")]
    #[case("[-x]", "invalid character 'x' in numeric literal")]
    #[case("[1.x]", "invalid character 'x' after decimal point in numeric literal")]
    #[case("[1ex]", "invalid character 'x' in exponent of numeric literal")]
    #[case("[txue]", "invalid character 'x' in literal true (expecting 'r')")]
    #[case("[nule]", "invalid character 'e' in literal null (expecting 'l')")]
    #[case("\u{feff}{}", "invalid character 'ï' looking for beginning of value")]
    #[case("\u{1}", r"invalid character '\x01' looking for beginning of value")]
    #[case("{", "unexpected EOF")]
    #[case("[1", "unexpected EOF")]
    #[case("tru", "unexpected EOF")]
    #[case("\"a", "unexpected EOF")]
    fn the_first_syntax_error_has_gos_text(#[case] body: &str, #[case] text: &str) {
        assert_eq!(scan(body.as_bytes()), Scanned::Broken(text.to_owned()));
    }

    #[rstest]
    #[case("")]
    #[case(" \r\n\t")]
    fn a_body_of_white_space_is_empty(#[case] body: &str) {
        assert_eq!(scan(body.as_bytes()), Scanned::Empty);
    }

    #[rstest]
    #[case(" {\"a\":[1,{}]} x", r#"{"a":[1,{}]}"#)]
    #[case("null}", "null")]
    #[case("12 3", "12")]
    #[case("\"a\\\"\" ", r#""a\"""#)]
    #[case("[] []", "[]")]
    fn w_027_only_the_first_value_counts(#[case] body: &str, #[case] value: &str) {
        assert_eq!(scan(body.as_bytes()), Scanned::Value(parse(value.as_bytes()), value.as_bytes()));
    }

    #[rstest]
    #[case(r#" {"a" : [1, -2.5e1 ,{}], "b":"x\ny" , "c":null}"#, json!({"a": [1, -25.0, {}], "b": "x\ny", "c": null}))]
    #[case(r#"{"a":1,"a":2}"#, json!({"a": 2}))]
    #[case(r#""\u0041\ud83d\ude00\"\/""#, json!("A😀\"/"))]
    fn a_value_is_read(#[case] text: &str, #[case] expected: Value) {
        assert_eq!(parse(text.as_bytes()).to_value().unwrap(), expected);
    }

    #[test]
    fn half_a_surrogate_pair_and_invalid_utf_8_become_replacement_characters() {
        let read = parse(b"\"\\ud83d-\\ude00-\xff\\ud83d\\u0041\"");
        assert_eq!(read, Json::Text("\u{fffd}-\u{fffd}-\u{fffd}\u{fffd}A".to_owned()));
    }

    #[rstest]
    #[case("1", 0, false)]
    #[case("[]", 0, true)]
    #[case("[]", 1, false)]
    #[case(r#"[1,{"a":[2]}]"#, 2, true)]
    #[case(r#"[1,{"a":[2]}]"#, 3, false)]
    fn its_nesting_is_compared(#[case] text: &str, #[case] levels: usize, #[case] is_deeper: bool) {
        assert_eq!(parse(text.as_bytes()).is_deeper_than(levels), is_deeper);
    }

    #[test]
    fn a_number_that_no_float_holds_is_an_error_with_its_text() {
        assert_eq!(parse(b"[1e400]").to_value(), Err("1e400".to_owned()));
    }

    proptest! {
        #[test]
        fn any_text_comes_back(text in any::<String>()) {
            let written = serde_json::to_string(&text).unwrap();
            prop_assert_eq!(parse(written.as_bytes()), Json::Text(text));
        }
    }
}
