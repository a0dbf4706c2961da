//! A document of JSON or YAML, in one form.

use std::borrow::Cow;

use serde_json::Value;

/// A value of a document.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    /// A word without quotes: a number, `true`, `null`, or a text of YAML.
    Plain(String),
    /// A text.
    Text(String),
    /// Bytes that YAML holds as base64 (`!!binary`).
    Bytes(Vec<u8>),
    /// Values in order.
    List(Vec<Node>),
    /// Values by key, in order.
    Map(Vec<(String, Node)>),
}

impl Node {
    /// Returns the value at `key` of a map; `None` where it is `null`.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        let Self::Map(entries) = self else { return None };
        entries.iter().find(|(name, _)| name == key).map(|(_, value)| value).filter(|value| !value.is_null())
    }

    /// Returns the value at `key` of a map, taken out of it.
    pub(super) fn take(self, key: &str) -> Option<Self> {
        let Self::Map(entries) = self else { return None };
        entries.into_iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// Returns the first value that is there, by these keys.
    pub(super) fn get_any(&self, keys: &[&str]) -> Option<&Self> {
        keys.iter().find_map(|key| self.get(key))
    }

    /// Returns the value below these keys, each within the one before.
    pub(super) fn at(&self, keys: &[&str]) -> Option<&Self> {
        keys.iter().try_fold(self, |node, key| node.get(key))
    }

    /// Returns the entries of a map; none of anything else.
    pub(super) fn entries(&self) -> &[(String, Self)] {
        if let Self::Map(entries) = self { entries } else { &[] }
    }

    /// Returns the items of a list; the one value where it is no list.
    pub(super) fn items(&self) -> &[Self] {
        if let Self::List(items) = self { items } else { std::slice::from_ref(self) }
    }

    /// Returns the text of a scalar.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Plain(text) | Self::Text(text) => Some(text),
            Self::Bytes(bytes) => std::str::from_utf8(bytes).ok(),
            Self::List(_) | Self::Map(_) => None,
        }
    }

    /// Returns the bytes of a scalar, or of a list of scalars one after the other.
    pub(super) fn bytes(&self) -> Option<Cow<'_, [u8]>> {
        match self {
            Self::Plain(text) | Self::Text(text) => Some(Cow::Borrowed(text.as_bytes())),
            Self::Bytes(bytes) => Some(Cow::Borrowed(bytes)),
            Self::List(items) => {
                let pieces: Vec<&[u8]> = items.iter().map(Self::scalar).collect::<Option<_>>()?;
                Some(Cow::Owned(pieces.concat()))
            }
            Self::Map(_) => None,
        }
    }

    fn scalar(&self) -> Option<&[u8]> {
        match self {
            Self::Plain(text) | Self::Text(text) => Some(text.as_bytes()),
            Self::Bytes(bytes) => Some(bytes),
            Self::List(_) | Self::Map(_) => None,
        }
    }

    /// Returns the number that a scalar states.
    pub(super) fn number(&self) -> Option<f64> {
        self.text()?.trim().parse().ok().filter(|number: &f64| number.is_finite())
    }

    /// Returns the value as JSON. Depth is that of the document, which its reader bounds.
    pub(super) fn to_json(&self) -> Value {
        match self {
            Self::Plain(text) => plain_json(text),
            Self::Text(text) => Value::String(text.clone()),
            Self::Bytes(bytes) => Value::String(String::from_utf8_lossy(bytes).into_owned()),
            Self::List(items) => items.iter().map(Self::to_json).collect(),
            Self::Map(entries) => entries.iter().map(|(key, value)| (key.clone(), value.to_json())).collect(),
        }
    }

    fn is_null(&self) -> bool {
        matches!(self, Self::Plain(text) if plain_json(text).is_null())
    }
}

/// Returns a word without quotes by YAML's core schema (YAML 1.2.2 §10.3), as far as JSON has the value.
fn plain_json(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ => text.parse().map_or_else(|_| Value::String(text.to_owned()), Value::Number),
    }
}

impl From<Value> for Node {
    fn from(value: Value) -> Self {
        match value {
            Value::String(text) => Self::Text(text),
            Value::Array(items) => Self::List(items.into_iter().map(Self::from).collect()),
            Value::Object(members) => {
                Self::Map(members.into_iter().map(|(key, value)| (key, Self::from(value))).collect())
            }
            scalar => Self::Plain(scalar.to_string()),
        }
    }
}
