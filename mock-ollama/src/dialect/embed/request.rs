//! `/api/embed`, `/v1/embeddings` and `/api/embeddings` (`server/routes.go`, `middleware/openai.go`).

use serde_json::{Map, Value};

use crate::dialect::native::request::NO_BODY;
use crate::dialect::openai::request as openai;
use crate::generation::{Refusal, named};
use crate::go_json::{GoStruct, GoType, decode, fields};
use crate::models::{KeepAlive, ModelName};

static EMBED: GoStruct = GoStruct(
    "api.EmbedRequest",
    &[
        (GoType::Text, &["model"]),
        (GoType::Any, &["input"]),
        (GoType::Custom(KeepAlive::decode), &["keep_alive"]),
        (GoType::Bool, &["truncate"]),
        (GoType::Int, &["dimensions"]),
        (GoType::Map, &["options"]),
    ],
);

static OPENAI: GoStruct = GoStruct(
    "openai.EmbedRequest",
    &[(GoType::Any, &["input"]), (GoType::Text, &["model", "encoding_format"]), (GoType::Int, &["dimensions"])],
);

static EMBEDDINGS: GoStruct = GoStruct(
    "api.EmbeddingRequest",
    &[
        (GoType::Text, &["model", "prompt"]),
        (GoType::Custom(KeepAlive::decode), &["keep_alive"]),
        (GoType::Map, &["options"]),
    ],
);

/// A request of `/api/embed`, `/v1/embeddings` or `/api/embeddings`, decoded.
#[derive(Clone, Debug, PartialEq)]
pub struct EmbedRequest {
    /// The model as the request names it.
    pub model: String,
    /// The model's canonical name.
    pub name: ModelName,
    /// The texts; none where the model is only to be loaded.
    pub inputs: Vec<String>,
    /// How many numbers an embedding keeps, where the request says so.
    pub dimensions: Option<usize>,
    /// Whether embeddings are wanted as base64.
    pub base64: bool,
    /// The options.
    pub options: Map<String, Value>,
    /// How long the model stays loaded, where the request says so.
    pub keep_alive: Option<KeepAlive>,
}

impl EmbedRequest {
    /// Decodes a request body of `/api/embed`.
    ///
    /// # Errors
    /// The refusal of the real server (`server/routes.go`, `EmbedHandler`).
    pub fn decode_native(body: &[u8]) -> Result<Self, Refusal> {
        Self::of_native(decode(body, &EMBED, NO_BODY).map_err(|text| Refusal::by_handler(400, text))?, false)
    }

    /// Decodes a request body of `/v1/embeddings`.
    ///
    /// # Errors
    /// The refusal of the real server (`middleware/openai.go`, `EmbeddingsMiddleware`).
    pub fn decode_openai(body: &[u8]) -> Result<Self, Refusal> {
        if named::names_cloud(body) {
            return Err(named::cloud_refused("remote model is"));
        }
        let mut asked = decode(body, &OPENAI, openai::NO_BODY).map_err(Refusal::by_parser)?;
        let encoding = fields::text(&mut asked, "encoding_format");
        let base64 = encoding.eq_ignore_ascii_case("base64");
        if !base64 && !encoding.is_empty() && !encoding.eq_ignore_ascii_case("float") {
            return Err(Refusal::by_parser(format!(
                "Invalid value for 'encoding_format' = {encoding}. Supported values: ['float', 'base64']."
            )));
        }
        match asked.get("input") {
            None => return Err(Refusal::by_parser("invalid input")),
            Some(Value::Array(items)) if items.is_empty() => return Err(Refusal::by_parser("invalid input")),
            Some(Value::String(text)) if text.is_empty() => {
                asked.insert("input".to_owned(), serde_json::json!([""]));
            }
            Some(_) => {}
        }
        Self::of_native(asked, base64)
    }

    /// Decodes a request body of `/api/embeddings`.
    ///
    /// # Errors
    /// The refusal of the real server (`server/routes.go`, `EmbeddingsHandler`).
    pub fn decode_legacy(body: &[u8]) -> Result<Self, Refusal> {
        let mut asked = decode(body, &EMBEDDINGS, NO_BODY).map_err(|text| Refusal::by_handler(400, text))?;
        if asked.get("model").and_then(Value::as_str).is_none_or(|model| model.trim().is_empty()) {
            return Err(Refusal::by_handler(400, "model is required"));
        }
        let prompt = asked.remove("prompt");
        asked.extend(prompt.map(|prompt| ("input".to_owned(), prompt)));
        Self::of_native(asked, false)
    }

    fn of_native(mut asked: Map<String, Value>, base64: bool) -> Result<Self, Refusal> {
        let inputs = match asked.remove("input") {
            None => Vec::new(),
            Some(Value::String(text)) if text.is_empty() => Vec::new(),
            Some(Value::String(text)) => vec![text],
            Some(Value::Array(items)) => items.iter().map(text_of).collect::<Result<_, _>>()?,
            Some(_) => return Err(Refusal::by_handler(400, "invalid input type")),
        };
        let model = fields::text(&mut asked, "model");
        if model.trim().is_empty() {
            return Err(Refusal::by_handler(404, format!("model '{model}' not found")));
        }
        let name = named::local(&model)?;
        let dimensions = fields::int(&asked, "dimensions").and_then(|count| usize::try_from(count).ok());
        Ok(Self {
            model,
            name,
            inputs,
            dimensions: dimensions.filter(|count| *count > 0),
            base64,
            options: fields::map(&mut asked, "options"),
            keep_alive: KeepAlive::of_value(asked.get("keep_alive")),
        })
    }
}

fn text_of(item: &Value) -> Result<String, Refusal> {
    item.as_str().map(str::to_owned).ok_or_else(|| Refusal::by_handler(400, "invalid input type"))
}
