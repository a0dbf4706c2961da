//! The requests that manage models (`server/routes.go`, `server/create.go`).

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::fields::{Fields, handler, resolve};
use super::go_decode::Schema;
use super::types;
use crate::dialect::manage::CreateAsk;
use crate::dialect::{Refusal, RefusedBy, ShowAsk};
use crate::models::ModelName;

/// `/api/show`
#[derive(Clone, Debug, PartialEq)]
pub struct ShowRequest {
    /// The model's canonical name.
    pub name: ModelName,
    model: String,
    system: String,
    verbose: bool,
    options: Map<String, Value>,
}

impl ShowRequest {
    /// Decodes a body.
    ///
    /// # Errors
    /// A body that is refused whatever models there are.
    pub fn decode(body: &[u8]) -> Result<Self, Refusal> {
        let fields = Fields::native(&types::SHOW, body)?;
        let model = fields.model_or_name();
        if model.is_empty() {
            return Err(handler(400, "model is required"));
        }
        let name = resolve(&model).map_err(|refusal| match refusal.by {
            RefusedBy::Cloud => {
                let text = "ollama cloud is disabled: remote model details are unavailable".to_owned();
                Refusal { text, ..refusal }
            }
            _ => refusal,
        })?;
        let verbose = fields.flag("verbose").unwrap_or(false);
        Ok(Self { name, model, system: fields.text("system"), verbose, options: fields.map("options") })
    }

    /// What the body of the answer depends on.
    pub fn ask<'a>(&'a self, user_agent: &'a str) -> ShowAsk<'a> {
        ShowAsk {
            model: &self.model,
            system: &self.system,
            verbose: self.verbose,
            options: self.options.clone(),
            user_agent,
        }
    }
}

/// A request that names a model and may want a stream of statuses: pull, push, delete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameRequest {
    /// The model as the request names it.
    pub model: String,
    /// Whether statuses are streamed.
    pub stream: bool,
}

impl NameRequest {
    /// `/api/pull`; a name that breaks the grammar is refused.
    ///
    /// # Errors
    /// A body that is refused whatever models there are.
    pub fn pull(body: &[u8]) -> Result<(Self, ModelName), Refusal> {
        let request = Self::decode(&types::PULL, body)?;
        let name = resolve(&request.model)?;
        Ok((request, name))
    }

    /// `/api/push`
    ///
    /// # Errors
    /// A body that is refused whatever models there are.
    pub fn push(body: &[u8]) -> Result<Self, Refusal> {
        Self::required(&types::PUSH, body)
    }

    /// `/api/delete`
    ///
    /// # Errors
    /// A body that is refused whatever models there are.
    pub fn delete(body: &[u8]) -> Result<Self, Refusal> {
        Self::required(&types::DELETE, body)
    }

    fn required(schema: &Schema, body: &[u8]) -> Result<Self, Refusal> {
        let request = Self::decode(schema, body)?;
        if request.model.is_empty() { Err(handler(400, "model is required")) } else { Ok(request) }
    }

    fn decode(schema: &Schema, body: &[u8]) -> Result<Self, Refusal> {
        let fields = Fields::native(schema, body)?;
        Ok(Self { model: fields.model_or_name(), stream: fields.flag("stream").unwrap_or(true) })
    }
}

/// `/api/copy`: the names of source and destination as they were asked.
///
/// # Errors
/// A body that is no such request.
pub fn decode_copy(body: &[u8]) -> Result<(String, String), Refusal> {
    let fields = Fields::native(&types::COPY, body)?;
    Ok((fields.text("source"), fields.text("destination")))
}

/// `/api/create`
#[derive(Clone, Debug, PartialEq)]
pub struct CreateRequest {
    /// Whether statuses are streamed.
    pub stream: bool,
    fields: Map<String, Value>,
}

impl CreateRequest {
    /// Decodes a body.
    ///
    /// # Errors
    /// A body that is no such request.
    pub fn decode(body: &[u8]) -> Result<Self, Refusal> {
        let fields = Fields::native(&types::CREATE, body)?;
        Ok(Self { stream: fields.flag("stream").unwrap_or(true), fields: fields.0 })
    }

    /// What is to be created.
    pub fn ask(&self) -> CreateAsk<'_> {
        let text = |name: &str| self.fields.get(name).and_then(Value::as_str).unwrap_or_default();
        let either = |new: &str, old: &str| if text(new).is_empty() { text(old) } else { text(new) };
        let map = |name: &str| -> Option<BTreeMap<String, String>> {
            let entries = self.fields.get(name)?.as_object()?.iter();
            Some(entries.map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned())).collect())
        };
        let licences = match self.fields.get("license") {
            Some(Value::String(licence)) => vec![licence.clone()],
            Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            _ => Vec::new(),
        };
        let messages = self.fields.get("messages").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let part = |message: &Value, key: &str| message[key].as_str().unwrap_or_default().to_owned();
        CreateAsk {
            model: either("model", "name"),
            from: text("from"),
            files: map("files"),
            adapters: map("adapters").unwrap_or_default(),
            template: text("template"),
            system: text("system"),
            licences,
            parameters: self.fields.get("parameters").and_then(Value::as_object).cloned().unwrap_or_default(),
            messages: messages.iter().map(|message| (part(message, "role"), part(message, "content"))).collect(),
            quantize: either("quantize", "quantization"),
            renderer: text("renderer"),
            parser: text("parser"),
            requires: text("requires"),
        }
    }
}
