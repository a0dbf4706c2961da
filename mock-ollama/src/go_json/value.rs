//! A JSON value as it stands in a request: number texts survive, and so do duplicate keys.

use serde_json::{Map, Number, Value};

/// A JSON value as it stands in a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Json<'a> {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    List(Vec<Json<'a>>),
    Object(Vec<Field<'a>>),
}

/// A key and a value of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Field<'a> {
    pub(crate) key: String,
    pub(crate) value: Json<'a>,
    /// The bytes of the value, from its first to its last.
    pub(crate) raw: &'a [u8],
}

impl<'a> Json<'a> {
    /// Reads a value that the scanner has found to be whole.
    pub(crate) fn read(value: &'a [u8]) -> Self {
        Reader { value, at: 0 }.value()
    }

    /// What Go's decoder calls it.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "bool",
            Self::Number(_) => "number",
            Self::Text(_) => "string",
            Self::List(_) => "array",
            Self::Object(_) => "object",
        }
    }

    /// Whether lists and objects are nested more than `levels` deep in it.
    pub(crate) fn is_deeper_than(&self, levels: usize) -> bool {
        let (is_container, is_inside) = match self {
            Self::List(items) => (true, levels > 0 && items.iter().any(|item| item.is_deeper_than(levels - 1))),
            Self::Object(fields) => {
                (true, levels > 0 && fields.iter().any(|field| field.value.is_deeper_than(levels - 1)))
            }
            _ => (false, false),
        };
        (is_container && levels == 0) || is_inside
    }

    /// The value as it is handed on, the last of duplicate keys; a number that no float holds is an error, with its
    /// text.
    pub(crate) fn to_value(&self) -> Result<Value, String> {
        Ok(match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(*value),
            Self::Number(text) => Value::Number(number(text).ok_or_else(|| text.clone())?),
            Self::Text(text) => Value::String(text.clone()),
            Self::List(items) => Value::Array(items.iter().map(Self::to_value).collect::<Result<_, _>>()?),
            Self::Object(fields) => {
                let mut map = Map::new();
                for field in fields {
                    map.insert(field.key.clone(), field.value.to_value()?);
                }
                Value::Object(map)
            }
        })
    }
}

/// A whole number stays one; else it is a finite float.
fn number(text: &str) -> Option<Number> {
    let whole = text.parse::<i64>().map(Number::from).or_else(|_| text.parse::<u64>().map(Number::from));
    whole.ok().or_else(|| Number::from_f64(text.parse().ok()?))
}

struct Reader<'a> {
    value: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// The next byte that is not white space; zero at the end.
    fn next(&mut self) -> u8 {
        while self.value.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
        self.value.get(self.at).copied().unwrap_or_default()
    }

    fn value(&mut self) -> Json<'a> {
        match self.next() {
            b'{' => self.object(),
            b'[' => self.list(),
            b'"' => Json::Text(self.text()),
            _ => self.word(),
        }
    }

    fn word(&mut self) -> Json<'a> {
        let rest = self.value.get(self.at..).unwrap_or_default();
        let end = rest.iter().position(|byte| b",]} \t\r\n".contains(byte)).unwrap_or(rest.len());
        let word = String::from_utf8_lossy(&rest[..end]).into_owned();
        self.at += end;
        match word.as_str() {
            "true" => Json::Bool(true),
            "false" => Json::Bool(false),
            "null" => Json::Null,
            _ => Json::Number(word),
        }
    }

    fn list(&mut self) -> Json<'a> {
        let mut items = Vec::new();
        self.at += 1;
        while !matches!(self.next(), b']' | 0) {
            items.push(self.value());
            if self.next() == b',' {
                self.at += 1;
            }
        }
        self.at += 1;
        Json::List(items)
    }

    fn object(&mut self) -> Json<'a> {
        let mut fields = Vec::new();
        self.at += 1;
        while self.next() == b'"' {
            let key = self.text();
            self.next();
            self.at += 1;
            self.next();
            let start = self.at;
            let value = self.value();
            fields.push(Field { key, value, raw: self.value_bytes(start) });
            if self.next() == b',' {
                self.at += 1;
            }
        }
        self.at += 1;
        Json::Object(fields)
    }

    fn value_bytes(&self, start: usize) -> &'a [u8] {
        self.value.get(start..self.at).unwrap_or_default()
    }

    /// A string; invalid UTF-8 and halves of surrogate pairs become U+FFFD, as in Go.
    fn text(&mut self) -> String {
        let mut out = Vec::new();
        self.at += 1;
        while let Some(&byte) = self.value.get(self.at) {
            self.at += 1;
            match byte {
                b'"' => break,
                b'\\' => {
                    let escaped = self.escape();
                    out.extend_from_slice(escaped.encode_utf8(&mut [0; 4]).as_bytes());
                }
                _ => out.push(byte),
            }
        }
        String::from_utf8_lossy(&out).into_owned()
    }

    fn escape(&mut self) -> char {
        let byte = self.value.get(self.at).copied().unwrap_or_default();
        self.at += 1;
        match byte {
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => self.unicode(),
            _ => char::from(byte),
        }
    }

    fn unicode(&mut self) -> char {
        let first = self.hex(self.at);
        self.at += 4;
        if !(0xd800..0xdc00).contains(&first) || self.value.get(self.at..self.at + 2) != Some(b"\\u") {
            return char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER);
        }
        let second = self.hex(self.at + 2);
        if !(0xdc00..0xe000).contains(&second) {
            return char::REPLACEMENT_CHARACTER;
        }
        self.at += 6;
        let code = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
        char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
    }

    fn hex(&self, at: usize) -> u32 {
        let digits = self.value.get(at..at + 4).and_then(|digits| std::str::from_utf8(digits).ok());
        digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert_eq, proptest};
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::Json;

    #[rstest]
    #[case(r#" {"a" : [1, -2.5e1 ,{}], "b":"x\ny" , "c":null}"#, json!({"a": [1, -25.0, {}], "b": "x\ny", "c": null}))]
    #[case(r#"{"a":1,"a":2}"#, json!({"a": 2}))]
    #[case(r#""\u0041\ud83d\ude00\"\/""#, json!("A😀\"/"))]
    fn a_value_is_read(#[case] text: &str, #[case] expected: Value) {
        assert_eq!(Json::read(text.as_bytes()).to_value().unwrap(), expected);
    }

    #[test]
    fn half_a_surrogate_pair_and_invalid_utf_8_become_replacement_characters() {
        let read = Json::read(b"\"\\ud83d-\\ude00-\xff\\ud83d\\u0041\"");
        assert_eq!(read, Json::Text("\u{fffd}-\u{fffd}-\u{fffd}\u{fffd}A".to_owned()));
    }

    #[rstest]
    #[case("1", 0, false)]
    #[case("[]", 0, true)]
    #[case("[]", 1, false)]
    #[case(r#"[1,{"a":[2]}]"#, 2, true)]
    #[case(r#"[1,{"a":[2]}]"#, 3, false)]
    fn its_nesting_is_compared(#[case] text: &str, #[case] levels: usize, #[case] is_deeper: bool) {
        assert_eq!(Json::read(text.as_bytes()).is_deeper_than(levels), is_deeper);
    }

    #[test]
    fn a_number_that_no_float_holds_is_an_error_with_its_text() {
        assert_eq!(Json::read(b"[1e400]").to_value(), Err("1e400".to_owned()));
    }

    proptest! {
        #[test]
        fn any_text_comes_back(text in any::<String>()) {
            let written = serde_json::to_string(&text).unwrap();
            prop_assert_eq!(Json::read(written.as_bytes()), Json::Text(text));
        }
    }
}
