//! `/api/embed`, `/api/embeddings` and `/v1/embeddings` (`server/routes.go`, `middleware/openai.go`).

use serde_json::Value;

use super::fields::{Fields, handler, parser, resolve};
use super::types;
use crate::dialect::Refusal;
use crate::models::{KeepAlive, ModelName};

/// A request for embeddings.
#[derive(Clone, Debug, PartialEq)]
pub struct EmbedAsk {
    /// The model as the request names it.
    pub model: String,
    /// The model's canonical name.
    pub name: ModelName,
    /// The texts; none where the request only loads the model.
    pub inputs: Vec<String>,
    /// How many numbers each vector is cut to.
    pub dimensions: Option<usize>,
    /// Whether vectors are wanted in base64.
    pub base64: bool,
    /// How long the model stays loaded, where the request says so.
    pub keep_alive: Option<KeepAlive>,
}

impl EmbedAsk {
    /// Of `/api/embed`.
    ///
    /// # Errors
    /// A body that is refused whatever models there are.
    pub fn decode_native(body: &[u8]) -> Result<Self, Refusal> {
        let fields = Fields::native(&types::EMBED, body)?;
        let inputs = match fields.get("input") {
            // One empty text is no input; a list with an empty text is one.
            Value::String(text) if text.is_empty() => Vec::new(),
            input => texts(input)?,
        };
        Self::new(&fields, inputs, false)
    }

    /// Of `/v1/embeddings`.
    ///
    /// # Errors
    /// A body that is refused whatever models there are.
    pub fn decode_openai(body: &[u8]) -> Result<Self, Refusal> {
        let fields = Fields::wrapped(&types::OPENAI_EMBED, body)?;
        let format = fields.text("encoding_format");
        let base64 = match format.to_lowercase().as_str() {
            "" | "float" => false,
            "base64" => true,
            _ => {
                let text = "Supported values: ['float', 'base64'].";
                return Err(parser(format!("Invalid value for 'encoding_format' = {format}. {text}")));
            }
        };
        match fields.get("input") {
            Value::Null => return Err(parser("invalid input")),
            Value::Array(inputs) if inputs.is_empty() => return Err(parser("invalid input")),
            _ => {}
        }
        let inputs = texts(fields.get("input"))?;
        Self::new(&fields, inputs, base64)
    }

    fn new(fields: &Fields, inputs: Vec<String>, base64: bool) -> Result<Self, Refusal> {
        let model = fields.text("model");
        if model.is_empty() {
            return Err(handler(404, "model '' not found"));
        }
        let name = resolve(&model)?;
        let dimensions = fields.int("dimensions").and_then(|count| usize::try_from(count).ok());
        Ok(Self { model, name, inputs, dimensions, base64, keep_alive: fields.keep_alive()? })
    }
}

fn texts(input: &Value) -> Result<Vec<String>, Refusal> {
    let wrong = || handler(400, "invalid input type");
    match input {
        Value::Null => Ok(Vec::new()),
        Value::String(text) => Ok(vec![text.clone()]),
        Value::Array(values) => {
            values.iter().map(|value| value.as_str().map(str::to_owned).ok_or_else(wrong)).collect()
        }
        _ => Err(wrong()),
    }
}

/// A request of the older route, `/api/embeddings`.
#[derive(Clone, Debug, PartialEq)]
pub struct EmbeddingsAsk {
    /// The model as the request names it.
    pub model: String,
    /// The model's canonical name.
    pub name: ModelName,
    /// The text; empty where the request only loads the model.
    pub prompt: String,
    /// How long the model stays loaded, where the request says so.
    pub keep_alive: Option<KeepAlive>,
}

impl EmbeddingsAsk {
    /// Decodes a body.
    ///
    /// # Errors
    /// A body that is refused whatever models there are.
    pub fn decode(body: &[u8]) -> Result<Self, Refusal> {
        let fields = Fields::native(&types::EMBEDDINGS, body)?;
        let model = fields.text("model");
        if model.is_empty() {
            return Err(handler(400, "model is required"));
        }
        Ok(Self { name: resolve(&model)?, model, prompt: fields.text("prompt"), keep_alive: fields.keep_alive()? })
    }
}
