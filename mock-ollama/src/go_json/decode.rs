//! Values checked against Go types, with the error texts of Go's decoder (`encoding/json/decode.go`).
//!
//! The first wrong type is remembered, and decoding continues. An error of a custom decoder ends it.

use serde_json::{Map, Value};

use super::scan::{Scanned, scan};
use super::value::{Field, Json};

/// A Go type, as far as requests need it.
pub(crate) enum GoType {
    /// `string`
    Text,
    /// `bool`
    Bool,
    /// `int`
    Int,
    /// `float64`, or `float32` by this name.
    Float(&'static str),
    /// `interface {}`, and types that take any value.
    Any,
    /// `json.RawMessage` as a field of a struct: its text as it stands in the request, `null` too.
    Raw,
    /// `map[string]interface {}`
    Map,
    /// `map[string]string`
    TextMap,
    /// `[]byte` by this name: a text in base64.
    Bytes(&'static str),
    /// A slice by this name.
    List(&'static str, &'static GoType),
    /// A struct.
    Struct(&'static GoStruct),
    /// A type with a custom decoder.
    Custom(fn(&Json<'_>) -> Result<Value, DecodeError>),
}

/// A Go struct: its package and name, or all that Go says in place of a name; and the names of its fields by their type.
pub(crate) struct GoStruct(pub(crate) &'static str, pub(crate) &'static [(GoType, &'static [&'static str])]);

impl GoStruct {
    /// What Go calls it where it names a field: its name without the package, and nothing for a type without a name.
    fn owner(&self) -> &'static str {
        if self.0.starts_with("struct ") { "" } else { self.0.rsplit('.').next().unwrap_or_default() }
    }

    /// The name and the type of the field with this key, compared without case.
    fn field(&self, key: &str) -> Option<(&'static str, &'static GoType)> {
        self.1.iter().find_map(|(kind, names)| {
            let name = names.iter().find(|name| key.eq_ignore_ascii_case(name))?;
            Some((*name, kind))
        })
    }
}

/// What is wrong with a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum DecodeError {
    /// A value that its type cannot hold.
    Type {
        /// The kind of value, and its text where that matters.
        found: String,
        /// The struct that holds the field; `None` outside of a struct.
        owner: Option<&'static str>,
        /// The fields that lead to it.
        path: Vec<&'static str>,
        /// The Go type.
        wanted: String,
    },
    /// Anything else.
    Other(String),
}

impl DecodeError {
    /// A value that its type cannot hold.
    pub(crate) fn mistyped(found: impl Into<String>, wanted: impl Into<String>) -> Self {
        Self::Type { found: found.into(), owner: None, path: Vec::new(), wanted: wanted.into() }
    }

    /// The same, seen from the struct around it: of all structs around a field only the one whose decoder ran counts.
    fn inside(mut self, context: &Context) -> Self {
        if let Self::Type { owner, path, .. } = &mut self
            && let Some(name) = context.owner
        {
            *owner = Some(name);
            path.splice(0..0, context.path.iter().copied());
        }
        self
    }

    /// Go's text.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Other(text) => text.clone(),
            Self::Type { found, owner: None, wanted, .. } => {
                format!("json: cannot unmarshal {found} into Go value of type {wanted}")
            }
            Self::Type { found, owner: Some(owner), path, wanted } => {
                let path = path.join(".");
                format!("json: cannot unmarshal {found} into Go struct field {owner}.{path} of type {wanted}")
            }
        }
    }
}

/// The fields of a request's body, under the names of the schema and with the types of the schema; what was absent
/// or `null` is absent. `empty` is the text for a body without a value.
pub(crate) fn decode(body: &[u8], schema: &'static GoStruct, empty: &str) -> Result<Map<String, Value>, String> {
    let value = match scan(body) {
        Scanned::Empty => return Err(empty.to_owned()),
        Scanned::Broken(text) => return Err(text),
        Scanned::Value(value, _) => value,
    };
    match decode_as(&value, schema).map_err(|fault| fault.text())? {
        Value::Object(fields) => Ok(fields),
        _ => Ok(Map::new()),
    }
}

/// One value, decoded as this struct.
pub(crate) fn decode_as(value: &Json<'_>, schema: &'static GoStruct) -> Result<Value, DecodeError> {
    decode_type(value, &GoType::Struct(schema))
}

/// One value, decoded as this type, in a separate decoder.
pub(crate) fn decode_type(value: &Json<'_>, kind: &GoType) -> Result<Value, DecodeError> {
    let mut decoder = Decoder { saved: None };
    let result = decoder.value(value, kind, &Context::default())?;
    decoder.saved.map_or(Ok(result), Err)
}

/// Where a value stands.
#[derive(Clone, Default)]
struct Context {
    owner: Option<&'static str>,
    path: Vec<&'static str>,
}

struct Decoder {
    /// The first wrong type.
    saved: Option<DecodeError>,
}

impl Decoder {
    fn save(&mut self, fault: DecodeError, context: &Context) -> Value {
        self.saved.get_or_insert_with(|| fault.inside(context));
        Value::Null
    }

    fn value(&mut self, json: &Json<'_>, kind: &GoType, context: &Context) -> Result<Value, DecodeError> {
        Ok(match (kind, json) {
            (GoType::Custom(decode), _) => decode(json).map_err(|fault| fault.inside(context))?,
            (_, Json::Null) => Value::Null,
            (GoType::Any, _) | (GoType::Map, Json::Object(_)) => match json.to_value() {
                Ok(value) => value,
                Err(number) => self.save(DecodeError::mistyped(format!("number {number}"), "float64"), context),
            },
            (GoType::Text, Json::Text(text)) => Value::String(text.clone()),
            (GoType::Bool, Json::Bool(value)) => Value::Bool(*value),
            (GoType::Int, Json::Number(text)) => match text.parse::<i64>() {
                Ok(number) => Value::from(number),
                Err(_) => self.save(DecodeError::mistyped(format!("number {text}"), "int"), context),
            },
            (GoType::Float(name), Json::Number(text)) => match json.to_value() {
                Ok(value) if *name == "float64" || value.as_f64().is_some_and(is_float32) => value,
                _ => self.save(DecodeError::mistyped(format!("number {text}"), *name), context),
            },
            (GoType::Bytes(_), Json::Text(text)) => match base64_error(text) {
                None => Value::String(text.clone()),
                Some(text) => self.save(DecodeError::Other(text), context),
            },
            (GoType::Bytes(_), Json::List(items)) => {
                let bytes = items.iter().map(|item| self.byte(item, context));
                Value::Array(bytes.collect())
            }
            (GoType::List(_, of), Json::List(items)) => {
                let items = items.iter().map(|item| self.value(item, of, context)).collect::<Result<_, _>>()?;
                Value::Array(items)
            }
            (GoType::TextMap, Json::Object(fields)) => {
                let mut map = Map::new();
                for field in fields {
                    let text = self.value(&field.value, &GoType::Text, context)?;
                    // A null is Go's empty text.
                    map.insert(field.key.clone(), if text.is_null() { Value::from("") } else { text });
                }
                Value::Object(map)
            }
            (GoType::Struct(schema), Json::Object(fields)) => self.object(fields, schema, context)?,
            _ => self.save(DecodeError::mistyped(json.kind(), go_name(kind)), context),
        })
    }

    /// One of the numbers that a `[]byte` may come as.
    fn byte(&mut self, json: &Json<'_>, context: &Context) -> Value {
        match json {
            Json::Null => Value::from(0),
            Json::Number(text) => match text.parse::<u8>() {
                Ok(byte) => Value::from(byte),
                Err(_) => self.save(DecodeError::mistyped(format!("number {text}"), "uint8"), context),
            },
            other => self.save(DecodeError::mistyped(other.kind(), "uint8"), context),
        }
    }

    fn object(&mut self, fields: &[Field<'_>], schema: &GoStruct, context: &Context) -> Result<Value, DecodeError> {
        let mut map = Map::new();
        for field in fields {
            let Some((name, kind)) = schema.field(&field.key) else { continue };
            let mut inner = Context { owner: Some(schema.owner()), path: context.path.clone() };
            inner.path.push(name);
            let decoded = match kind {
                GoType::Raw => Value::String(String::from_utf8_lossy(field.raw).into_owned()),
                kind => self.value(&field.value, kind, &inner)?,
            };
            match (map.get_mut(name), decoded) {
                (_, Value::Null) if matches!(kind, GoType::Map | GoType::List(..) | GoType::Any) => {
                    _ = map.remove(name);
                }
                (_, Value::Null) => {}
                // Go fills what is there already.
                (Some(Value::Object(known)), Value::Object(more))
                    if matches!(kind, GoType::Map | GoType::Struct(_)) =>
                {
                    known.extend(more);
                }
                (_, decoded) => _ = map.insert(name.to_owned(), decoded),
            }
        }
        Ok(Value::Object(map))
    }
}

fn is_float32(value: f64) -> bool {
    value.abs() <= f64::from(f32::MAX)
}

fn go_name(kind: &GoType) -> String {
    let name = match kind {
        GoType::Text => "string",
        GoType::Bool => "bool",
        GoType::Int => "int",
        GoType::Any | GoType::Raw | GoType::Custom(_) => "interface {}",
        GoType::Map => "map[string]interface {}",
        GoType::TextMap => "map[string]string",
        GoType::Float(name) | GoType::Bytes(name) | GoType::List(name, _) => name,
        GoType::Struct(schema) => schema.0,
    };
    name.to_owned()
}

/// The error of Go's decoder of standard base64, `None` where there is none. Line ends do not count.
pub(crate) fn base64_error(text: &str) -> Option<String> {
    let bytes: Vec<(usize, u8)> = text.bytes().enumerate().filter(|(_, byte)| !matches!(byte, b'\r' | b'\n')).collect();
    let fault = |at: usize| Some(format!("illegal base64 data at input byte {at}"));
    let digit = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    let found = bytes.iter().position(|(_, byte)| !digit(*byte));
    let end = found.unwrap_or(bytes.len());
    if found.is_none() {
        // Without padding the digits must come in fours; the place is that of the group that is not whole.
        return if end % 4 == 0 { None } else { fault(text.len().saturating_sub(end % 4)) };
    }
    let (at, byte) = bytes[end];
    if byte != b'=' || end % 4 < 2 {
        return fault(at);
    }
    let mut rest = &bytes[end + 1..];
    if end % 4 == 2 {
        match rest.split_first() {
            None => return fault(text.len()),
            Some(((_, b'='), after)) => rest = after,
            Some(((at, _), _)) => return fault(at - 1),
        }
    }
    rest.first().and_then(|(at, _)| fault(*at))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::{DecodeError, GoStruct, GoType, base64_error, decode};

    static INNER: GoStruct = GoStruct("api.Inner", &[(GoType::Int, &["n"]), (GoType::Bool, &["b"])]);
    static OUTER: GoStruct = GoStruct(
        "api.Outer",
        &[
            (GoType::Text, &["text"]),
            (GoType::List("[]api.Inner", &GoType::Struct(&INNER)), &["list"]),
            (GoType::Any, &["any"]),
            (GoType::Map, &["map"]),
            (GoType::Bytes("api.ImageData"), &["image"]),
            (GoType::Custom(|_| Err(DecodeError::Other("refused".to_owned()))), &["own"]),
            (GoType::Custom(|json| super::decode_as(json, &INNER)), &["alias"]),
        ],
    );

    #[rstest]
    #[case("[]", "json: cannot unmarshal array into Go value of type api.Outer")]
    #[case(r#"{"TEXT":5}"#, "json: cannot unmarshal number into Go struct field Outer.text of type string")]
    #[case(r#"{"list":5}"#, "json: cannot unmarshal number into Go struct field Outer.list of type []api.Inner")]
    #[case(
        r#"{"list":[{"n":1.5}]}"#,
        "json: cannot unmarshal number 1.5 into Go struct field Inner.list.n of type int"
    )]
    #[case(r#"{"alias":{"n":""}}"#, "json: cannot unmarshal string into Go struct field Outer.alias.n of type int")]
    #[case(r#"{"any":[1e400]}"#, "json: cannot unmarshal number 1e400 into Go struct field Outer.any of type float64")]
    #[case(
        r#"{"map":[]}"#,
        "json: cannot unmarshal array into Go struct field Outer.map of type map[string]interface {}"
    )]
    #[case(r#"{"text":5,"list":5}"#, "json: cannot unmarshal number into Go struct field Outer.text of type string")]
    #[case(r#"{"image":[1,256]}"#, "json: cannot unmarshal number 256 into Go struct field Outer.image of type uint8")]
    #[case(r#"{"image":[null,""]}"#, "json: cannot unmarshal string into Go struct field Outer.image of type uint8")]
    #[case(r#"{"text":5,"own":1}"#, "refused")]
    #[case(r#"{"image":"!!!","text":5}"#, "illegal base64 data at input byte 0")]
    #[case("", "nothing")]
    fn a_wrong_value_has_gos_text(#[case] body: &str, #[case] text: &str) {
        assert_eq!(decode(body.as_bytes(), &OUTER, "nothing"), Err(text.to_owned()));
    }

    #[test]
    fn w_026_keys_match_without_case_and_the_last_duplicate_wins_and_null_is_absent() {
        let body = br#"{"Text":"a","TEXT":"b","text":null,"unknown":1,"any":1,"any":null,"map":null}"#;
        let fields = decode(body, &OUTER, "").unwrap();
        assert_eq!(serde_json::Value::Object(fields), serde_json::json!({"text": "b"}));
    }

    #[test]
    fn a_map_that_comes_twice_is_filled_twice() {
        let fields = decode(br#"{"map":{"a":1,"b":2},"map":{"b":3}}"#, &OUTER, "").unwrap();
        assert_eq!(fields["map"], serde_json::json!({"a": 1, "b": 3}));
    }

    #[test]
    fn a_body_of_null_has_no_fields() {
        assert!(decode(b"null", &OUTER, "").unwrap().is_empty());
    }

    #[rstest]
    #[case("", None)]
    #[case("QUJD", None)]
    #[case("QUI=", None)]
    #[case("QQ==", None)]
    #[case("QU\nJD", None)]
    #[case("!!!", Some(0))]
    #[case("QUJD!", Some(4))]
    #[case("data:image/png", Some(4))]
    #[case("Q", Some(0))]
    #[case("QUJDQ", Some(4))]
    #[case("QQ=", Some(3))]
    #[case("QQ=x", Some(2))]
    #[case("QUI=x", Some(4))]
    #[case("=", Some(0))]
    fn base64_is_refused_at_gos_place(#[case] text: &str, #[case] at: Option<usize>) {
        assert_eq!(base64_error(text), at.map(|at| format!("illegal base64 data at input byte {at}")));
    }
}
