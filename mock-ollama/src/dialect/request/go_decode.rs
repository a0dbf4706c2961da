//! A JSON object read into a struct as Go reads it (`encoding/json/decode.go`).

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::scan::{ScanError, first_value};
use crate::dialect::object::Object;

/// A Go struct: its name, and what its fields are.
pub(super) struct Schema {
    /// The package, such as `api`.
    pub(super) package: &'static str,
    /// The name, such as `ChatRequest`.
    pub(super) name: &'static str,
    pub(super) fields: &'static [Field],
}

/// A field: its JSON name and its type.
pub(super) struct Field(pub(super) &'static str, pub(super) Kind);

/// A Go type.
pub(super) enum Kind {
    Text,
    Bool,
    /// `int`
    Int,
    /// A float; its Go name.
    Float(&'static str),
    /// `interface {}`
    Any,
    /// `map[string]interface {}`
    Map,
    /// `map[string]string`
    TextMap,
    /// Its Go name, and what it holds.
    List(&'static str, &'static Kind),
    /// Its Go name with the package, and its fields.
    Struct(&'static str, &'static [Field]),
    /// The same with a method `UnmarshalJSON` that reads it as an alias: errors within name the outer struct.
    Alias(&'static str, &'static [Field]),
    /// Bytes in base64.
    Image,
    /// Bytes left as they are (`json.RawMessage`).
    Raw,
    /// A method `UnmarshalJSON`; its errors end the decoding.
    Custom(fn(&Value) -> Result<(), String>),
}

/// Why a body cannot be decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum DecodeError {
    /// There is none.
    Empty,
    /// Go's text.
    Text(String),
}

/// The fields of a struct that a body states: those that are not null, under their own names.
pub(super) fn decode(schema: &Schema, body: &[u8]) -> Result<Map<String, Value>, DecodeError> {
    let text = String::from_utf8_lossy(body);
    let first = first_value(&text).map_err(|error| match error {
        ScanError::Empty => DecodeError::Empty,
        ScanError::Cut => DecodeError::Text("unexpected EOF".to_owned()),
        ScanError::Syntax(text) => DecodeError::Text(text),
    })?;
    if first == "null" {
        return Ok(Map::new());
    }
    let Some(object) = Object::parse(first) else {
        let (found, Schema { package, name, .. }) = (kind_of(first), schema);
        let text = format!("json: cannot unmarshal {found} into Go value of type {package}.{name}");
        return Err(DecodeError::Text(text));
    };
    let mut decoder = Decoder { path: Vec::new(), owner: schema.name, aliased: false, saved: None };
    let fields = decoder.fields(&object, schema.fields, schema.name).map_err(DecodeError::Text)?;
    match decoder.saved {
        Some(text) => Err(DecodeError::Text(text)),
        None => Ok(fields),
    }
}

struct Decoder {
    path: Vec<&'static str>,
    /// The struct that errors name.
    owner: &'static str,
    aliased: bool,
    /// The first type error; decoding goes on after it.
    saved: Option<String>,
}

impl Decoder {
    fn fields(
        &mut self,
        object: &Object,
        fields: &'static [Field],
        name: &'static str,
    ) -> Result<Map<String, Value>, String> {
        let outer = self.owner;
        if !self.aliased {
            self.owner = name;
        }
        let mut out = Map::new();
        // In the order of the body, as Go meets them; the last of two that mean one field wins.
        for (key, value) in object.entries() {
            let found = fields.iter().find(|field| field.0 == key);
            let found = found.or_else(|| fields.iter().find(|field| field.0.eq_ignore_ascii_case(key)));
            let Some(Field(name, kind)) = found else { continue };
            self.path.push(name);
            if let Some(value) = self.value(value.get(), kind)? {
                out.insert((*name).to_owned(), value);
            }
            self.path.pop();
        }
        self.owner = outer;
        Ok(out)
    }

    fn value(&mut self, json: &str, kind: &'static Kind) -> Result<Option<Value>, String> {
        if json == "null" {
            return Ok(None);
        }
        let is = kind_of(json);
        let read = || serde_json::from_str::<Value>(json).unwrap_or_default();
        let fits = match kind {
            Kind::Text => is == "string",
            Kind::Bool => is == "bool",
            Kind::Int | Kind::Float(_) => is == "number",
            Kind::Map | Kind::TextMap | Kind::Struct(..) | Kind::Alias(..) => is == "object",
            Kind::List(..) => is == "array",
            Kind::Image => is == "string",
            Kind::Any | Kind::Raw | Kind::Custom(_) => true,
        };
        if !fits {
            self.mistyped(is, go_type(kind));
            return Ok(None);
        }
        match kind {
            Kind::Int if json.parse::<i64>().is_err() => {
                self.mistyped(&format!("number {json}"), "int");
                Ok(None)
            }
            Kind::Float(_) if json.parse::<f64>().is_ok_and(f64::is_infinite) => {
                self.mistyped(&format!("number {json}"), go_type(kind));
                Ok(None)
            }
            Kind::Text | Kind::Bool | Kind::Int | Kind::Float(_) | Kind::Raw => Ok(Some(read())),
            Kind::Custom(check) => {
                let value = read();
                check(&value)?;
                Ok(Some(value))
            }
            Kind::Image => {
                let value = read();
                if let Some(at) = value.as_str().and_then(bad_base64) {
                    self.save(format!("illegal base64 data at input byte {at}"));
                }
                Ok(Some(value))
            }
            Kind::Any | Kind::Map => {
                if let Some(number) = huge_number(json) {
                    self.mistyped(&format!("number {number}"), "float64");
                    return Ok(None);
                }
                Ok(Some(read()))
            }
            Kind::TextMap => {
                for (_, value) in Object::parse(json).unwrap_or_default().entries() {
                    self.value(value.get(), &Kind::Text)?;
                }
                Ok(Some(read()))
            }
            Kind::List(_, of) => {
                let elements: Vec<&RawValue> = serde_json::from_str(json).unwrap_or_default();
                let mut out = Vec::with_capacity(elements.len());
                for element in elements {
                    out.push(self.value(element.get(), of)?.unwrap_or_default());
                }
                Ok(Some(Value::Array(out)))
            }
            Kind::Struct(go, fields) => {
                let object = Object::parse(json).unwrap_or_default();
                self.fields(&object, fields, bare(go)).map(|fields| Some(Value::Object(fields)))
            }
            Kind::Alias(_, fields) => {
                let object = Object::parse(json).unwrap_or_default();
                let outer = std::mem::replace(&mut self.aliased, true);
                let fields = self.fields(&object, fields, self.owner)?;
                self.aliased = outer;
                Ok(Some(Value::Object(fields)))
            }
        }
    }

    fn mistyped(&mut self, found: &str, go: &str) {
        let (owner, path) = (self.owner, self.path.join("."));
        self.save(format!("json: cannot unmarshal {found} into Go struct field {owner}.{path} of type {go}"));
    }

    fn save(&mut self, text: String) {
        self.saved.get_or_insert(text);
    }
}

fn go_type(kind: &Kind) -> &'static str {
    match kind {
        Kind::Text => "string",
        Kind::Bool => "bool",
        Kind::Int => "int",
        Kind::Any | Kind::Custom(_) => "interface {}",
        Kind::Map => "map[string]interface {}",
        Kind::TextMap => "map[string]string",
        Kind::Image => "api.ImageData",
        Kind::Raw => "json.RawMessage",
        Kind::Float(go) | Kind::List(go, _) | Kind::Struct(go, _) | Kind::Alias(go, _) => go,
    }
}

/// A type's name without its package.
fn bare(go: &'static str) -> &'static str {
    go.rsplit('.').next().unwrap_or(go)
}

/// What Go calls the kind of a value.
fn kind_of(json: &str) -> &'static str {
    match json.as_bytes().first() {
        Some(b'{') => "object",
        Some(b'[') => "array",
        Some(b'"') => "string",
        Some(b't' | b'f') => "bool",
        Some(b'n') => "null",
        _ => "number",
    }
}

/// The first number of a value that no 64-bit float can hold.
fn huge_number(json: &str) -> Option<&str> {
    match kind_of(json) {
        "number" => json.parse::<f64>().is_ok_and(f64::is_infinite).then_some(json),
        "array" => {
            let elements: Vec<&RawValue> = serde_json::from_str(json).ok()?;
            elements.into_iter().find_map(|element| huge_number(element.get()))
        }
        "object" => {
            let fields: std::collections::BTreeMap<String, &RawValue> = serde_json::from_str(json).ok()?;
            fields.into_values().find_map(|value| huge_number(value.get()))
        }
        _ => None,
    }
}

/// Where standard base64 with padding breaks off (`encoding/base64`, `CorruptInputError`).
fn bad_base64(text: &str) -> Option<usize> {
    let (mut digits, mut start, mut padding) = (0, 0, 0);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'\r' | b'\n' => {}
            b'=' if digits >= 2 && digits + padding < 4 => padding += 1,
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' if padding == 0 => {
                if digits == 0 {
                    start = at;
                }
                digits = (digits + 1) % 4;
            }
            _ => return Some(at),
        }
    }
    match (digits, padding) {
        (0, 0) => None,
        (digits, padding) if padding > 0 => (digits + padding != 4).then_some(text.len()),
        _ => Some(start),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::bad_base64;

    #[rstest]
    #[case("", None)]
    #[case("aGk=", None)]
    #[case("aGlo", None)]
    #[case("YQ==", None)]
    #[case("!!!", Some(0))]
    #[case("aG!o", Some(2))]
    #[case("abc", Some(0))]
    #[case("abcdab", Some(4))]
    #[case("ab=c", Some(3))]
    #[case("data:image/png;base64,x", Some(4))]
    fn bad_base64_is_named_by_its_place(#[case] text: &str, #[case] at: Option<usize>) {
        assert_eq!(bad_base64(text), at);
    }
}
