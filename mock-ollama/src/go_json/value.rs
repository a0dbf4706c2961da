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

impl Json<'_> {
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
