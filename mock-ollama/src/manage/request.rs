//! Requests about models themselves: show, pull, push, delete, copy, create (`server/routes.go`, `server/create.go`).

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::create::is_relative;
use super::files::canonical;
use crate::dialect::native::request::NO_BODY;
use crate::dialect::native::schemas::message;
use crate::generation::{Refusal, RefusedBy, named};
use crate::go_json::fmt::quote;
use crate::go_json::{GoStruct, GoType, decode, fields};
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
static COPY: GoStruct = GoStruct("api.CopyRequest", &[(GoType::Text, &["source", "destination"])]);

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

fn read(body: &[u8], schema: &'static GoStruct) -> Result<Map<String, Value>, Refusal> {
    decode(body, schema, NO_BODY).map_err(|text| Refusal::by_handler(400, text))
}

/// `model`, or `name` as older clients call it.
fn model(asked: &mut Map<String, Value>) -> String {
    let model = fields::text(asked, "model");
    if model.is_empty() { fields::text(asked, "name") } else { model }
}

/// A request of `/api/show`, decoded.
#[derive(Clone, Debug, PartialEq)]
pub struct ShowRequest {
    /// The model as the request names it.
    pub model: String,
    /// The model's canonical name.
    pub name: ModelName,
    /// The system text that takes the place of the model's own; empty where there is none.
    pub system: String,
    /// Whether long arrays are shown.
    pub verbose: bool,
    /// The options to show instead of the model's own.
    pub options: Map<String, Value>,
}

impl ShowRequest {
    /// Decodes a request body.
    ///
    /// # Errors
    /// The refusal of the real server (`server/routes.go`, `ShowHandler`).
    pub fn decode(body: &[u8]) -> Result<Self, Refusal> {
        let mut asked = read(body, &SHOW)?;
        let model = model(&mut asked);
        if model.is_empty() {
            return Err(Refusal::by_handler(400, "model is required"));
        }
        let name = named::local(&model).map_err(|refusal| match refusal.by {
            RefusedBy::Cloud => named::cloud_refused("remote model details are"),
            _ => refusal,
        })?;
        let verbose = fields::flag(&asked, "verbose").unwrap_or_default();
        let options = fields::map(&mut asked, "options");
        Ok(Self { model, name, system: fields::text(&mut asked, "system"), verbose, options })
    }
}

/// A request of `/api/pull`, `/api/push` or `/api/delete`, decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameRequest {
    /// The model as the request names it.
    pub model: String,
    /// The model's canonical name; `None` for a name that breaks the grammar, which push refuses in its stream.
    pub name: Option<ModelName>,
    /// Whether the answer is to be streamed.
    pub stream: bool,
}

impl NameRequest {
    /// Decodes a request body of `/api/pull`.
    ///
    /// # Errors
    /// The refusal of the real server (`server/routes.go`, `PullHandler`).
    pub fn pull(body: &[u8]) -> Result<Self, Refusal> {
        let mut asked = read(body, &PULL)?;
        let model = model(&mut asked);
        let name = named::local(&model)?;
        Ok(Self { model, name: Some(name), stream: fields::flag(&asked, "stream").unwrap_or(true) })
    }

    /// Decodes a request body of `/api/push`.
    ///
    /// # Errors
    /// The refusal of the real server (`server/routes.go`, `PushHandler`).
    pub fn push(body: &[u8]) -> Result<Self, Refusal> {
        let mut asked = read(body, &PUSH)?;
        let model = model(&mut asked);
        if model.is_empty() {
            return Err(Refusal::by_handler(400, "model is required"));
        }
        let name = ModelName::parse(&model);
        Ok(Self { model, name, stream: fields::flag(&asked, "stream").unwrap_or(true) })
    }

    /// Decodes a request body of `/api/delete`.
    ///
    /// # Errors
    /// The refusal of the real server (`server/routes.go`, `DeleteHandler`).
    pub fn delete(body: &[u8]) -> Result<Self, Refusal> {
        let mut asked = read(body, &DELETE)?;
        let model = model(&mut asked);
        if model.is_empty() {
            return Err(Refusal::by_handler(400, "model is required"));
        }
        let name = ModelName::parse(&model);
        if name.is_none() {
            return Err(Refusal::by_handler(400, format!("name {} is invalid", quote(&model))));
        }
        Ok(Self { model, name, stream: false })
    }
}

/// A request of `/api/copy`, decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyRequest {
    /// The model as the request names it.
    pub source: String,
    /// Its canonical name.
    pub source_name: ModelName,
    /// The new name as the request gives it.
    pub destination: String,
    /// Its canonical name.
    pub destination_name: ModelName,
}

impl CopyRequest {
    /// Decodes a request body.
    ///
    /// # Errors
    /// The refusal of the real server (`server/routes.go`, `CopyHandler`).
    pub fn decode(body: &[u8]) -> Result<Self, Refusal> {
        let mut asked = read(body, &COPY)?;
        let mut name = |field: &str| {
            let text = fields::text(&mut asked, field);
            match ModelName::parse(&text) {
                Some(name) => Ok((text, name)),
                None => Err(Refusal::by_handler(400, format!("{field} {} is invalid", quote(&text)))),
            }
        };
        let (source, source_name) = name("source")?;
        let (destination, destination_name) = name("destination")?;
        Ok(Self { source, source_name, destination, destination_name })
    }
}

/// A request of `/api/create`, decoded. What it is made from is not checked here: that is refused in the stream.
#[derive(Clone, Debug, PartialEq)]
pub struct CreateRequest {
    /// The model as the request names it.
    pub model: String,
    /// Its canonical name.
    pub name: ModelName,
    /// The model that it is made from; empty where there is none.
    pub from: String,
    /// Digests by file name.
    pub files: BTreeMap<String, String>,
    /// The same of adapters.
    pub adapters: BTreeMap<String, String>,
    /// The template; empty where there is none.
    pub template: String,
    /// The system text; empty where there is none.
    pub system: String,
    /// The licences.
    pub licences: Vec<String>,
    /// The parameters.
    pub parameters: Map<String, Value>,
    /// The messages that every conversation begins with.
    pub messages: Vec<Value>,
    /// The number type that weights are brought to; empty where they stay as they are.
    pub quantize: String,
    /// The built-in renderer; empty where there is none.
    pub renderer: String,
    /// The built-in parser; empty where there is none.
    pub parser: String,
    /// The server version that the model needs; empty where it says none.
    pub requires: String,
    /// Whether the answer is to be streamed.
    pub stream: bool,
}

impl CreateRequest {
    /// Decodes a request body.
    ///
    /// # Errors
    /// The refusals of the real server that come before its stream (`server/create.go`, `CreateHandler`).
    pub fn decode(body: &[u8]) -> Result<Self, Refusal> {
        let mut asked = read(body, &CREATE)?;
        let files = texts(&mut asked, "files");
        let model = model(&mut asked);
        let name = ModelName::parse(&model).ok_or_else(|| Refusal::by_handler(400, "invalid model name"))?;
        let quantize = fields::text(&mut asked, "quantize");
        let older = fields::text(&mut asked, "quantization");
        for (path, digest) in &files {
            if !is_relative(path) {
                return Err(Refusal::by_handler(400, "file path must be relative"));
            }
            if canonical(digest).is_none() {
                return Err(Refusal::by_handler(400, "invalid digest format"));
            }
        }
        let licences = match asked.remove("license") {
            Some(Value::String(text)) => vec![text],
            Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            _ => Vec::new(),
        };
        let mut text = |name: &str| fields::text(&mut asked, name);
        Ok(Self {
            model,
            name,
            from: text("from"),
            template: text("template"),
            system: text("system"),
            quantize: if quantize.is_empty() { older } else { quantize },
            renderer: text("renderer"),
            parser: text("parser"),
            requires: text("requires"),
            files,
            adapters: texts(&mut asked, "adapters"),
            licences,
            parameters: fields::map(&mut asked, "parameters"),
            messages: fields::list(&mut asked, "messages"),
            stream: fields::flag(&asked, "stream").unwrap_or(true),
        })
    }
}

fn texts(asked: &mut Map<String, Value>, name: &str) -> BTreeMap<String, String> {
    let texts = fields::map(asked, name).into_iter();
    texts.map(|(key, value)| (key, value.as_str().unwrap_or_default().to_owned())).collect()
}
