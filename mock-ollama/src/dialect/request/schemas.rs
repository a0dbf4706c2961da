//! The Go types of native requests (`api/types.go`), which the dialects under `/v1` share in part.

use serde_json::Value;

use super::go_decode::{Fault, Kind, Struct, decode_as, decode_kind};
use super::json::Json;
use super::keep_alive;

/// `api.GenerateRequest`
pub(super) static GENERATE: Struct = Struct {
    package: "api",
    name: "GenerateRequest",
    fields: &[
        ("model", Kind::Text),
        ("prompt", Kind::Text),
        ("suffix", Kind::Text),
        ("system", Kind::Text),
        ("template", Kind::Text),
        ("context", Kind::List("[]int", &Kind::Int)),
        ("stream", Kind::Bool),
        ("raw", Kind::Bool),
        ("format", Kind::Any),
        ("keep_alive", Kind::Custom(keep_alive::decode)),
        ("images", IMAGES),
        ("options", Kind::Map),
        ("think", Kind::Custom(think)),
        ("truncate", Kind::Bool),
        ("shift", Kind::Bool),
        ("_debug_render_only", Kind::Bool),
        ("logprobs", Kind::Bool),
        ("top_logprobs", Kind::Int),
    ],
};

/// `api.ChatRequest`
pub(super) static CHAT: Struct = Struct {
    package: "api",
    name: "ChatRequest",
    fields: &[
        ("model", Kind::Text),
        ("messages", Kind::List("[]api.Message", &Kind::Custom(message))),
        ("stream", Kind::Bool),
        ("format", Kind::Any),
        ("keep_alive", Kind::Custom(keep_alive::decode)),
        ("tools", TOOLS),
        ("options", Kind::Map),
        ("think", Kind::Custom(think)),
        ("truncate", Kind::Bool),
        ("shift", Kind::Bool),
        ("_debug_render_only", Kind::Bool),
        ("logprobs", Kind::Bool),
        ("top_logprobs", Kind::Int),
    ],
};

const IMAGES: Kind = Kind::List("[]api.ImageData", &Kind::Bytes("api.ImageData"));

/// `api.Tools`
pub(super) const TOOLS: Kind = Kind::List("api.Tools", &Kind::Struct(&TOOL));

static MESSAGE: Struct = Struct {
    package: "api",
    name: "Alias",
    fields: &[
        ("role", Kind::Text),
        ("content", Kind::Text),
        ("thinking", Kind::Text),
        ("images", IMAGES),
        ("tool_calls", Kind::List("[]api.ToolCall", &Kind::Struct(&TOOL_CALL))),
        ("tool_name", Kind::Text),
        ("tool_call_id", Kind::Text),
    ],
};

static TOOL_CALL: Struct = Struct {
    package: "api",
    name: "ToolCall",
    fields: &[("id", Kind::Text), ("function", Kind::Struct(&TOOL_CALL_FUNCTION))],
};

static TOOL_CALL_FUNCTION: Struct = Struct {
    package: "api",
    name: "ToolCallFunction",
    fields: &[("index", Kind::Int), ("name", Kind::Text), ("arguments", Kind::Custom(arguments))],
};

static TOOL: Struct = Struct {
    package: "api",
    name: "Tool",
    fields: &[("type", Kind::Text), ("items", Kind::Any), ("function", Kind::Struct(&TOOL_FUNCTION))],
};

static TOOL_FUNCTION: Struct = Struct {
    package: "api",
    name: "ToolFunction",
    fields: &[("name", Kind::Text), ("description", Kind::Text), ("parameters", Kind::Struct(&TOOL_PARAMETERS))],
};

/// `api.ToolFunctionParameters`
pub(super) static TOOL_PARAMETERS: Struct = Struct {
    package: "api",
    name: "ToolFunctionParameters",
    fields: &[
        ("type", Kind::Text),
        ("$defs", Kind::Any),
        ("items", Kind::Any),
        ("required", TEXTS),
        ("properties", Kind::Custom(all_properties)),
    ],
};

/// How many levels of JSON the properties of a tool may be nested; each level of a schema is two, and needs some stack.
/// Go has no limit of its own for them.
pub(super) const MAX_SCHEMA_LEVELS: usize = 200;

const TEXTS: Kind = Kind::List("[]string", &Kind::Text);

/// `api.ToolProperty`
static TOOL_PROPERTY: Struct = Struct {
    package: "api",
    name: "ToolProperty",
    fields: &[
        ("anyOf", Kind::List("[]api.ToolProperty", &Kind::Struct(&TOOL_PROPERTY))),
        ("type", Kind::Custom(property_type)),
        ("items", Kind::Any),
        ("description", Kind::Text),
        ("enum", Kind::List("[]interface {}", &Kind::Any)),
        ("properties", Kind::Custom(properties)),
        ("required", TEXTS),
    ],
};

/// What an ordered map says of a value that is no object (`github.com/buger/jsonparser`, `MalformedObjectError`).
pub(super) const NO_OBJECT: &str = "Value looks like object, but can't find closing '}' symbol";

fn all_properties(json: &Json<'_>) -> Result<Value, Fault> {
    if json.is_deeper_than(MAX_SCHEMA_LEVELS) {
        let text = format!("the properties of a tool are nested more than {MAX_SCHEMA_LEVELS} levels deep, the limit");
        return Err(Fault::Other(text));
    }
    properties(json)
}

/// `api.ToolPropertiesMap`: an ordered map, each of whose values is decoded by itself, so the first that is wrong counts.
fn properties(json: &Json<'_>) -> Result<Value, Fault> {
    let fields = match json {
        Json::Null => return Ok(Value::Null),
        Json::Object(fields) => fields,
        _ => return Err(Fault::Other(NO_OBJECT.to_owned())),
    };
    let decoded = fields.iter().map(|field| Ok((field.key.clone(), decode_as(&field.value, &TOOL_PROPERTY)?)));
    Ok(Value::Object(decoded.collect::<Result<_, Fault>>()?))
}

/// `api.PropertyType`: a text, or a list of texts.
fn property_type(json: &Json<'_>) -> Result<Value, Fault> {
    match json {
        Json::Text(text) => Ok(Value::String(text.clone())),
        other => decode_kind(other, &TEXTS),
    }
}

/// A message of `/api/chat`, whose role is lower case.
pub(super) fn message(json: &Json<'_>) -> Result<Value, Fault> {
    let mut message = decode_as(json, &MESSAGE)?;
    if let Some(Value::String(role)) = message.get_mut("role") {
        *role = role.to_lowercase();
    }
    Ok(message)
}

/// The arguments of a tool call, which must be an object.
pub(super) fn arguments(json: &Json<'_>) -> Result<Value, Fault> {
    match json {
        Json::Null => Ok(Value::Null),
        Json::Object(_) => json.to_value().map_err(|number| Fault::mistyped(format!("number {number}"), "float64")),
        _ => Err(Fault::Other(NO_OBJECT.to_owned())),
    }
}

fn think(json: &Json<'_>) -> Result<Value, Fault> {
    const VALUES: &str = r#""high", "medium", "low", "max", true, or false"#;
    match json {
        Json::Null => Ok(Value::Null),
        Json::Bool(think) => Ok(Value::Bool(*think)),
        Json::Text(level) if matches!(level.as_str(), "high" | "medium" | "low" | "max") => Ok(Value::Bool(true)),
        Json::Text(level) => {
            let level = super::check::go_quoted(level);
            Err(Fault::Other(format!("invalid think value: {level} (must be {VALUES})")))
        }
        _ => Err(Fault::Other(format!("think must be a boolean or string ({VALUES})"))),
    }
}
