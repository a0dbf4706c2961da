//! The decoded fields of a request.

use serde_json::{Map, Value};

use super::go_decode::{DecodeError, Schema, decode};
use super::keep_alive;
use crate::dialect::{Refusal, RefusedBy};
use crate::models::{KeepAlive, ModelName};

/// The decoded fields of a request; what is absent has Go's zero value.
pub(super) struct Fields(pub(super) Map<String, Value>);

impl Fields {
    /// Of a native route.
    pub(super) fn native(schema: &Schema, body: &[u8]) -> Result<Self, Refusal> {
        decode(schema, body).map(Self).map_err(|error| match error {
            DecodeError::Empty => handler(400, "missing request body"),
            DecodeError::Text(text) => handler(400, text),
        })
    }

    /// Of a route below `/v1`.
    pub(super) fn wrapped(schema: &Schema, body: &[u8]) -> Result<Self, Refusal> {
        decode(schema, body).map(Self).map_err(|error| match error {
            DecodeError::Empty => parser("EOF"),
            DecodeError::Text(text) => parser(text),
        })
    }

    pub(super) fn get(&self, name: &str) -> &Value {
        self.0.get(name).unwrap_or(&Value::Null)
    }

    pub(super) fn text(&self, name: &str) -> String {
        self.get(name).as_str().unwrap_or_default().to_owned()
    }

    pub(super) fn flag(&self, name: &str) -> Option<bool> {
        self.get(name).as_bool()
    }

    pub(super) fn int(&self, name: &str) -> Option<i64> {
        self.get(name).as_i64()
    }

    pub(super) fn list(&self, name: &str) -> &[Value] {
        self.get(name).as_array().map_or(&[], Vec::as_slice)
    }

    pub(super) fn map(&self, name: &str) -> Map<String, Value> {
        self.get(name).as_object().cloned().unwrap_or_default()
    }

    /// `model`, or the older `name`.
    pub(super) fn model_or_name(&self) -> String {
        let model = self.text("model");
        if model.is_empty() { self.text("name") } else { model }
    }

    pub(super) fn keep_alive(&self) -> Result<Option<KeepAlive>, Refusal> {
        match self.get("keep_alive") {
            Value::Null => Ok(None),
            value => keep_alive::read(value).map(Some).map_err(|text| handler(400, text)),
        }
    }
}

/// Refused by a native handler.
pub(super) fn handler(status: u16, text: impl Into<String>) -> Refusal {
    Refusal { status, text: text.into(), by: RefusedBy::Handler }
}

/// Refused by the parser of a wrapped dialect.
pub(super) fn parser(text: impl Into<String>) -> Refusal {
    Refusal { status: 400, text: text.into(), by: RefusedBy::Parser }
}

/// The model that a name means (`server/model_resolver.go`): a suffix says whether it is a local one.
pub(super) fn resolve(name: &str) -> Result<ModelName, Refusal> {
    let trimmed = name.trim();
    let lower = trimmed.to_ascii_lowercase();
    let is_cloud =
        |text: &str| text.ends_with(":cloud") || text.rsplit_once(':').is_some_and(|(_, tag)| tag.ends_with("-cloud"));
    let local = lower.strip_suffix(":local");
    if local.is_some_and(is_cloud) || lower.strip_suffix(":cloud").is_some_and(|rest| rest.ends_with(":local")) {
        return Err(handler(400, format!("use either :local or :cloud, not both: \"{name}\"")));
    }
    if is_cloud(&lower) {
        let text = "ollama cloud is disabled: remote model is unavailable".to_owned();
        return Err(Refusal { status: 403, text, by: RefusedBy::Cloud });
    }
    let bare = local.map_or(trimmed, |local| &trimmed[..local.len()]);
    ModelName::parse(bare).ok_or_else(|| handler(400, "invalid model name"))
}
