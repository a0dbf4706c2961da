//! Go's JSON scanner, as far as its error texts need it (`encoding/json/scanner.go`).

/// What the first JSON value of a body is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Scanned<'a> {
    /// Nothing but white space.
    Empty,
    /// The bytes of a whole value.
    Value(&'a [u8]),
    /// An error, with Go's text.
    Broken(String),
}

/// What may come next.
#[derive(Clone, Copy)]
enum State {
    Value,
    ValueOrEnd,
    Key,
    KeyOrEnd,
    Colon,
    ObjectNext,
    ArrayNext,
}

/// The deepest nesting. Go gives up at 10,000 with the same text; what walks the values here needs some stack for each.
const MAX_DEPTH: usize = 1_000;

const CUT: &str = "unexpected EOF";

/// Finds the first value of `body` and its first syntax error; what stands behind the value does not count.
pub(crate) fn scan(body: &[u8]) -> Scanned<'_> {
    let start = body.iter().position(|byte| !is_space(*byte));
    let Some(start) = start else { return Scanned::Empty };
    let mut scanner = Scanner { body, at: start, open: Vec::new() };
    match scanner.value() {
        Ok(()) => Scanned::Value(&body[start..scanner.at]),
        Err(text) => Scanned::Broken(text),
    }
}

/// Whether `body` ends before its first value does.
pub(crate) fn is_cut(body: &[u8]) -> bool {
    match scan(body) {
        Scanned::Empty => true,
        Scanned::Value(_) => false,
        Scanned::Broken(text) => text == CUT,
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

struct Scanner<'a> {
    body: &'a [u8],
    at: usize,
    /// The containers that are open, by their opening byte.
    open: Vec<u8>,
}

impl Scanner<'_> {
    fn value(&mut self) -> Result<(), String> {
        let mut state = State::Value;
        loop {
            while self.peek().is_some_and(is_space) {
                self.at += 1;
            }
            let byte = self.peek().ok_or(CUT)?;
            state = match (state, byte) {
                (State::ValueOrEnd | State::ArrayNext, b']') | (State::KeyOrEnd | State::ObjectNext, b'}') => {
                    self.at += 1;
                    self.open.pop();
                    self.after_value()
                }
                (State::Value | State::ValueOrEnd, _) => self.begin(byte)?,
                (State::Key | State::KeyOrEnd, b'"') => {
                    self.string()?;
                    State::Colon
                }
                (State::Key | State::KeyOrEnd, _) => {
                    return Err(invalid(byte, "looking for beginning of object key string"));
                }
                (State::Colon, b':') | (State::ArrayNext, b',') => {
                    self.at += 1;
                    State::Value
                }
                (State::Colon, _) => return Err(invalid(byte, "after object key")),
                (State::ObjectNext, b',') => {
                    self.at += 1;
                    State::Key
                }
                (State::ObjectNext, _) => return Err(invalid(byte, "after object key:value pair")),
                (State::ArrayNext, _) => return Err(invalid(byte, "after array element")),
            };
            if self.open.is_empty() {
                return Ok(());
            }
        }
    }

    fn peek(&self) -> Option<u8> {
        self.body.get(self.at).copied()
    }

    fn after_value(&self) -> State {
        if self.open.last() == Some(&b'{') { State::ObjectNext } else { State::ArrayNext }
    }

    fn begin(&mut self, byte: u8) -> Result<State, String> {
        match byte {
            b'{' | b'[' => {
                self.at += 1;
                self.open.push(byte);
                if self.open.len() > MAX_DEPTH {
                    return Err("exceeded max depth".to_owned());
                }
                return Ok(if byte == b'{' { State::KeyOrEnd } else { State::ValueOrEnd });
            }
            b'"' => self.string()?,
            b'-' | b'0'..=b'9' => self.number()?,
            b't' => self.literal("true")?,
            b'f' => self.literal("false")?,
            b'n' => self.literal("null")?,
            _ => return Err(invalid(byte, "looking for beginning of value")),
        }
        Ok(self.after_value())
    }

    fn literal(&mut self, word: &str) -> Result<(), String> {
        for wanted in word.bytes() {
            let byte = self.peek().ok_or(CUT)?;
            if byte != wanted {
                return Err(invalid(byte, &format!("in literal {word} (expecting {})", quoted(wanted))));
            }
            self.at += 1;
        }
        Ok(())
    }

    fn string(&mut self) -> Result<(), String> {
        self.at += 1;
        loop {
            let byte = self.peek().ok_or(CUT)?;
            self.at += 1;
            match byte {
                b'"' => return Ok(()),
                b'\\' => self.escape()?,
                0..0x20 => return Err(invalid(byte, "in string literal")),
                _ => {}
            }
        }
    }

    fn escape(&mut self) -> Result<(), String> {
        let byte = self.peek().ok_or(CUT)?;
        self.at += 1;
        match byte {
            b'b' | b'f' | b'n' | b'r' | b't' | b'\\' | b'/' | b'"' => Ok(()),
            b'u' => {
                for _ in 0..4 {
                    let digit = self.peek().ok_or(CUT)?;
                    if !digit.is_ascii_hexdigit() {
                        return Err(invalid(digit, "in \\u hexadecimal character escape"));
                    }
                    self.at += 1;
                }
                Ok(())
            }
            _ => Err(invalid(byte, "in string escape code")),
        }
    }

    fn number(&mut self) -> Result<(), String> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits("in numeric literal")?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits("after decimal point in numeric literal")?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits("in exponent of numeric literal")?;
        }
        Ok(())
    }

    fn digits(&mut self, place: &str) -> Result<(), String> {
        let byte = self.peek().ok_or(CUT)?;
        if !byte.is_ascii_digit() {
            return Err(invalid(byte, place));
        }
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
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
        b'\\' => r"'\\'".to_owned(),
        0x07 => r"'\a'".to_owned(),
        0x08 => r"'\b'".to_owned(),
        b'\t' => r"'\t'".to_owned(),
        b'\n' => r"'\n'".to_owned(),
        0x0b => r"'\v'".to_owned(),
        0x0c => r"'\f'".to_owned(),
        b'\r' => r"'\r'".to_owned(),
        0..0x20 | 0x7f => format!("'\\x{byte:02x}'"),
        0x80..=0xa0 | 0xad => format!("'\\u{byte:04x}'"),
        _ => format!("'{}'", char::from(byte)),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::{Scanned, scan};

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
        assert_eq!(scan(body.as_bytes()), Scanned::Value(value.as_bytes()));
    }
}
