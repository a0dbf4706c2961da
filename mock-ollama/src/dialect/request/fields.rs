//! The decoded fields of a request, taken out by name. Their types have been checked.

use serde_json::{Map, Value};

use super::json::Json;
use super::named;
use super::scan::{Scanned, scan};

/// A text; empty where there is none.
pub(super) fn text(fields: &mut Map<String, Value>, name: &str) -> String {
    match fields.remove(name) {
        Some(Value::String(text)) => text,
        _ => String::new(),
    }
}

/// A list; empty where there is none.
pub(super) fn list(fields: &mut Map<String, Value>, name: &str) -> Vec<Value> {
    match fields.remove(name) {
        Some(Value::Array(items)) => items,
        _ => Vec::new(),
    }
}

/// An object; empty where there is none.
pub(super) fn map(fields: &mut Map<String, Value>, name: &str) -> Map<String, Value> {
    match fields.remove(name) {
        Some(Value::Object(map)) => map,
        _ => Map::new(),
    }
}

/// A truth value, where there is one.
pub(super) fn flag(fields: &Map<String, Value>, name: &str) -> Option<bool> {
    fields.get(name).and_then(Value::as_bool)
}

/// A whole number, where there is one.
pub(super) fn int(fields: &Map<String, Value>, name: &str) -> Option<i64> {
    fields.get(name).and_then(Value::as_i64)
}

/// Whether a body under `/v1` names a cloud model, which is looked at before anything else.
pub(super) fn names_cloud(body: &[u8]) -> bool {
    let Scanned::Value(value) = scan(body) else { return false };
    let Json::Object(fields) = Json::read(value) else { return false };
    let model = fields.iter().rev().find(|field| field.key == "model");
    matches!(model.map(|field| &field.value), Some(Json::Text(model)) if named::is_cloud(model))
}
