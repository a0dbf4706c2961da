//! A JSON object whose keys keep their order and their duplicates, and whose values keep their bytes.

use std::fmt;

use serde::de::{DeserializeOwned, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;

/// A JSON object as it stands.
#[derive(Clone, Debug, Default)]
pub(crate) struct Object(pub(crate) Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Object;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Object(fields))
            }
        }
        deserializer.deserialize_map(Fields)
    }
}

impl Serialize for Object {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

impl Object {
    /// The value of `key`, unless it is `null`.
    pub(crate) fn get(&self, key: &str) -> Option<&RawValue> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, value)| &**value).filter(|value| value.get() != "null")
    }

    /// The value of `key` as a `T`; `None` where it is missing, `null` or something else.
    pub(crate) fn read<T: DeserializeOwned>(&self, key: &str) -> Option<T> {
        serde_json::from_str(self.get(key)?.get()).ok()
    }

    /// Sets the value of `key` in its place, or at the end where it is missing.
    pub(crate) fn set(&mut self, key: &str, value: Box<RawValue>) {
        self.set_after(key, value, "");
    }

    /// Sets the value of `key` in its place; where it is missing, behind `after` or else at the end.
    pub(crate) fn set_after(&mut self, key: &str, value: Box<RawValue>, after: &str) {
        if let Some((_, old)) = self.0.iter_mut().find(|(name, _)| name == key) {
            *old = value;
            return;
        }
        let at = self.0.iter().position(|(name, _)| name == after).map_or(self.0.len(), |at| at + 1);
        self.0.insert(at, (key.to_owned(), value));
    }

    /// Takes `key` out.
    pub(crate) fn remove(&mut self, key: &str) {
        self.0.retain(|(name, _)| name != key);
    }

    /// Sets `key` to the strings of all `parts` joined, where any part has one.
    pub(crate) fn join_text(&mut self, key: &str, parts: &[Self], after: &str) -> Option<()> {
        let pieces = parts.iter().filter_map(|part| part.get(key));
        let pieces = pieces.map(|piece| piece.get().strip_prefix('"')?.strip_suffix('"'));
        let pieces: Vec<&str> = pieces.collect::<Option<_>>()?;
        if !pieces.is_empty() {
            self.set_after(key, raw(format!("\"{}\"", pieces.concat()))?, after);
        }
        Some(())
    }

    /// Sets `key` to the elements of the arrays of all `parts`, where any part has one.
    pub(crate) fn join_array(&mut self, key: &str, parts: &[Self], after: &str) -> Option<()> {
        let arrays = parts.iter().filter_map(|part| part.get(key));
        let arrays = arrays.map(|array| Some(array.get().strip_prefix('[')?.strip_suffix(']')?.trim()));
        let mut arrays: Vec<&str> = arrays.collect::<Option<_>>()?;
        if !arrays.is_empty() {
            arrays.retain(|array| !array.is_empty());
            self.set_after(key, raw(format!("[{}]", arrays.join(",")))?, after);
        }
        Some(())
    }

    /// Its JSON.
    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// A JSON text as it stands; `None` where it is none.
pub(crate) fn raw(json: impl Into<String>) -> Option<Box<RawValue>> {
    RawValue::from_string(json.into()).ok()
}
