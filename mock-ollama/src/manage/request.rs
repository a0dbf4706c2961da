//! Requests about models themselves: show, pull, push, delete, copy, create (`server/routes.go`, `server/create.go`).

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::dialect::native::request::NO_BODY;
use crate::dialect::native::schemas::message;
use crate::generation::{Refusal, RefusedBy, named};
use crate::go_json::{GoStruct, GoType, decode};
use crate::models::ModelName;

static SHOW: GoStruct = GoStruct(
    "api.ShowRequest",
    &[
        (GoType::Text, &["model", "system", "template", "name"]),
        (GoType::Bool, &["verbose"]),
        (GoType::Map, &["options"]),
    ],
);

const TRANSFER: &[(GoType, &[&str])] =
    &[(GoType::Text, &["model", "username", "password", "name"]), (GoType::Bool, &["insecure", "stream"])];

static PULL: GoStruct = GoStruct("api.PullRequest", TRANSFER);
static PUSH: GoStruct = GoStruct("api.PushRequest", TRANSFER);
static DELETE: GoStruct = GoStruct("api.DeleteRequest", &[(GoType::Text, &["model", "name"])]);
pub(super) static COPY: GoStruct = GoStruct("api.CopyRequest", &[(GoType::Text, &["source", "destination"])]);

static CREATE: GoStruct = GoStruct(
    "api.CreateRequest",
    &[
        (GoType::Text, &["model", "name", "from", "template", "system", "renderer", "parser", "requires"]),
        (GoType::Text, &["quantize", "quantization", "draft_quantize", "remote_host"]),
        (GoType::Bool, &["stream"]),
        (GoType::TextMap, &["files", "draft_files", "adapters"]),
        (GoType::Any, &["license"]),
        (GoType::Map, &["parameters", "info"]),
        (GoType::List("[]api.Message", &GoType::Custom(message)), &["messages"]),
    ],
);

/// Decodes a request. Two fields have older names, which count where the newer ones have no text.
pub(super) fn read<T: DeserializeOwned>(body: &[u8], schema: &'static GoStruct) -> Result<T, Refusal> {
    let mut asked = decode(body, schema, NO_BODY).map_err(|text| Refusal::by_handler(400, text))?;
    for (name, older) in [("model", "name"), ("quantize", "quantization")] {
        let text = asked.remove(older).filter(|_| asked.get(name).is_none_or(|text| text == ""));
        asked.extend(text.map(|text| (name.to_owned(), text)));
    }
    serde_json::from_value(Value::Object(asked)).map_err(|error| Refusal::by_handler(400, error.to_string()))
}

/// What a request without `stream` asks for.
const fn streams() -> bool {
    true
}

fn given(model: &str) -> Result<(), Refusal> {
    if model.is_empty() { Err(Refusal::by_handler(400, "model is required")) } else { Ok(()) }
}

/// A request of `/api/show`, decoded.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct ShowRequest {
    /// The model as the request names it.
    pub model: String,
    /// The system text that takes the place of the model's own; empty where there is none.
    pub system: String,
    /// Whether long arrays are shown.
    pub verbose: bool,
    /// The options to show instead of the model's own.
    pub options: Map<String, Value>,
}

impl ShowRequest {
    /// Decodes a request body, and returns the model's canonical name beside it.
    ///
    /// # Errors
    /// The refusal of the real server (`server/routes.go`, `ShowHandler`).
    pub fn decode(body: &[u8]) -> Result<(ModelName, Self), Refusal> {
        let request: Self = read(body, &SHOW)?;
        given(&request.model)?;
        let name = named::local(&request.model).map_err(|refusal| match refusal.by {
            RefusedBy::Cloud => named::cloud_refused("remote model details are"),
            _ => refusal,
        })?;
        Ok((name, request))
    }
}

/// A request of `/api/pull`, `/api/push` or `/api/delete`, decoded.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct NameRequest {
    /// The model as the request names it.
    #[serde(default)]
    pub model: String,
    /// The model's canonical name; `None` for a name that breaks the grammar, which push refuses in its stream.
    #[serde(skip)]
    pub name: Option<ModelName>,
    /// Whether the answer is to be streamed.
    #[serde(default = "streams")]
    pub stream: bool,
}

impl NameRequest {
    /// Decodes a request body of `/api/pull`.
    ///
    /// # Errors
    /// The refusal of the real server (`server/routes.go`, `PullHandler`).
    pub fn pull(body: &[u8]) -> Result<Self, Refusal> {
        let request: Self = read(body, &PULL)?;
        Ok(Self { name: Some(named::local(&request.model)?), ..request })
    }

    /// Decodes a request body of `/api/push`.
    ///
    /// # Errors
    /// The refusal of the real server (`server/routes.go`, `PushHandler`).
    pub fn push(body: &[u8]) -> Result<Self, Refusal> {
        Self::given(body, &PUSH)
    }

    /// Decodes a request body of `/api/delete`.
    ///
    /// # Errors
    /// The refusal of the real server (`server/routes.go`, `DeleteHandler`).
    pub fn delete(body: &[u8]) -> Result<Self, Refusal> {
        Self::given(body, &DELETE)
    }

    fn given(body: &[u8], schema: &'static GoStruct) -> Result<Self, Refusal> {
        let request: Self = read(body, schema)?;
        given(&request.model)?;
        Ok(Self { name: ModelName::parse(&request.model), ..request })
    }
}

/// A request of `/api/copy`, decoded; names as it gives them, empty where it gives none.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct CopyRequest {
    pub(super) source: String,
    pub(super) destination: String,
}

/// A request of `/api/create`, decoded; texts and lists are empty where it has none.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct CreateRequest {
    /// The name of the new model.
    pub model: String,
    /// The model that it is made from.
    pub from: String,
    /// Uploaded files: name and digest.
    pub files: BTreeMap<String, String>,
    /// Uploaded adapters: name and digest.
    pub adapters: BTreeMap<String, String>,
    /// The Go template.
    pub template: String,
    /// The system text.
    pub system: String,
    /// The licences.
    #[serde(rename = "license", deserialize_with = "licences")]
    pub licences: Vec<String>,
    /// The parameters.
    pub parameters: Map<String, Value>,
    /// The messages that every conversation begins with.
    pub messages: Vec<Value>,
    /// The number type that the weights are brought to.
    pub quantize: String,
    /// The built-in renderer.
    pub renderer: String,
    /// The built-in parser.
    pub parser: String,
    /// The server version that the model needs.
    pub requires: String,
    /// Whether the answer is to be streamed.
    #[serde(default = "streams")]
    pub stream: bool,
}

impl CreateRequest {
    /// Decodes a request body. What it asks for is checked by [`create`](super::create).
    ///
    /// # Errors
    /// The refusal of the real server (`server/create.go`, `CreateHandler`).
    pub fn decode(body: &[u8]) -> Result<Self, Refusal> {
        read(body, &CREATE)
    }
}

/// A text or a list, of which what is no text does not count.
fn licences<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    })
}
