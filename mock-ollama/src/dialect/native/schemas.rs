//! The Go types of native requests (`api/types.go`), which the dialects under `/v1` share in part.

use serde_json::Value;

use crate::go_json::fmt::quote;
use crate::go_json::{DecodeError, GoStruct, GoType, Json, decode_as, decode_type};
use crate::models::KeepAlive;

/// `api.GenerateRequest`
pub(crate) static GENERATE: GoStruct = GoStruct::new(
    "api",
    "GenerateRequest",
    &[
        ("model", GoType::Text),
        ("prompt", GoType::Text),
        ("suffix", GoType::Text),
        ("system", GoType::Text),
        ("template", GoType::Text),
        ("context", GoType::List("[]int", &GoType::Int)),
        ("stream", GoType::Bool),
        ("raw", GoType::Bool),
        ("format", GoType::Any),
        ("keep_alive", GoType::Custom(KeepAlive::decode)),
        ("images", IMAGES),
        ("options", GoType::Map),
        ("think", GoType::Custom(think)),
        ("truncate", GoType::Bool),
        ("shift", GoType::Bool),
        ("_debug_render_only", GoType::Bool),
        ("logprobs", GoType::Bool),
        ("top_logprobs", GoType::Int),
    ],
);

/// `api.ChatRequest`
pub(crate) static CHAT: GoStruct = GoStruct::new(
    "api",
    "ChatRequest",
    &[
        ("model", GoType::Text),
        ("messages", GoType::List("[]api.Message", &GoType::Custom(message))),
        ("stream", GoType::Bool),
        ("format", GoType::Any),
        ("keep_alive", GoType::Custom(KeepAlive::decode)),
        ("tools", TOOLS),
        ("options", GoType::Map),
        ("think", GoType::Custom(think)),
        ("truncate", GoType::Bool),
        ("shift", GoType::Bool),
        ("_debug_render_only", GoType::Bool),
        ("logprobs", GoType::Bool),
        ("top_logprobs", GoType::Int),
    ],
);

const IMAGES: GoType = GoType::List("[]api.ImageData", &GoType::Bytes("api.ImageData"));

/// `api.Tools`
pub(crate) const TOOLS: GoType = GoType::List("api.Tools", &GoType::Struct(&TOOL));

static MESSAGE: GoStruct = GoStruct::new(
    "api",
    "Alias",
    &[
        ("role", GoType::Text),
        ("content", GoType::Text),
        ("thinking", GoType::Text),
        ("images", IMAGES),
        ("tool_calls", GoType::List("[]api.ToolCall", &GoType::Struct(&TOOL_CALL))),
        ("tool_name", GoType::Text),
        ("tool_call_id", GoType::Text),
    ],
);

static TOOL_CALL: GoStruct =
    GoStruct::new("api", "ToolCall", &[("id", GoType::Text), ("function", GoType::Struct(&TOOL_CALL_FUNCTION))]);

static TOOL_CALL_FUNCTION: GoStruct = GoStruct::new(
    "api",
    "ToolCallFunction",
    &[("index", GoType::Int), ("name", GoType::Text), ("arguments", GoType::Custom(arguments))],
);

static TOOL: GoStruct = GoStruct::new(
    "api",
    "Tool",
    &[("type", GoType::Text), ("items", GoType::Any), ("function", GoType::Struct(&TOOL_FUNCTION))],
);

static TOOL_FUNCTION: GoStruct = GoStruct::new(
    "api",
    "ToolFunction",
    &[("name", GoType::Text), ("description", GoType::Text), ("parameters", GoType::Struct(&TOOL_PARAMETERS))],
);

/// `api.ToolFunctionParameters`
pub(crate) static TOOL_PARAMETERS: GoStruct = GoStruct::new(
    "api",
    "ToolFunctionParameters",
    &[
        ("type", GoType::Text),
        ("$defs", GoType::Any),
        ("items", GoType::Any),
        ("required", TEXTS),
        ("properties", GoType::Custom(all_properties)),
    ],
);

/// How many levels of JSON the properties of a tool may be nested; each level of a schema is two, and needs some stack.
/// Go has no limit for them.
pub(crate) const MAX_SCHEMA_LEVELS: usize = 200;

const TEXTS: GoType = GoType::List("[]string", &GoType::Text);

/// `api.ToolProperty`
static TOOL_PROPERTY: GoStruct = GoStruct::new(
    "api",
    "ToolProperty",
    &[
        ("anyOf", GoType::List("[]api.ToolProperty", &GoType::Struct(&TOOL_PROPERTY))),
        ("type", GoType::Custom(property_type)),
        ("items", GoType::Any),
        ("description", GoType::Text),
        ("enum", GoType::List("[]interface {}", &GoType::Any)),
        ("properties", GoType::Custom(properties)),
        ("required", TEXTS),
    ],
);

/// What an ordered map says of a value that is no object (`github.com/buger/jsonparser`, `MalformedObjectError`).
pub(crate) const NO_OBJECT: &str = "Value looks like object, but can't find closing '}' symbol";

fn all_properties(json: &Json<'_>) -> Result<Value, DecodeError> {
    if json.is_deeper_than(MAX_SCHEMA_LEVELS) {
        let text = format!("the properties of a tool are nested more than {MAX_SCHEMA_LEVELS} levels deep, the limit");
        return Err(DecodeError::Other(text));
    }
    properties(json)
}

/// `api.ToolPropertiesMap`: an ordered map, each of whose values is decoded by itself, so the first that is wrong counts.
fn properties(json: &Json<'_>) -> Result<Value, DecodeError> {
    let fields = match json {
        Json::Null => return Ok(Value::Null),
        Json::Object(fields) => fields,
        _ => return Err(DecodeError::Other(NO_OBJECT.to_owned())),
    };
    let decoded = fields.iter().map(|field| Ok((field.key.clone(), decode_as(&field.value, &TOOL_PROPERTY)?)));
    Ok(Value::Object(decoded.collect::<Result<_, DecodeError>>()?))
}

/// `api.PropertyType`: a text, or a list of texts.
fn property_type(json: &Json<'_>) -> Result<Value, DecodeError> {
    match json {
        Json::Text(text) => Ok(Value::String(text.clone())),
        other => decode_type(other, &TEXTS),
    }
}

/// A message of `/api/chat`, whose role is lower case.
pub(crate) fn message(json: &Json<'_>) -> Result<Value, DecodeError> {
    let mut message = decode_as(json, &MESSAGE)?;
    if let Some(Value::String(role)) = message.get_mut("role") {
        *role = role.to_lowercase();
    }
    Ok(message)
}

/// The arguments of a tool call, which must be an object.
pub(crate) fn arguments(json: &Json<'_>) -> Result<Value, DecodeError> {
    match json {
        Json::Null => Ok(Value::Null),
        Json::Object(_) => {
            json.to_value().map_err(|number| DecodeError::mistyped(format!("number {number}"), "float64"))
        }
        _ => Err(DecodeError::Other(NO_OBJECT.to_owned())),
    }
}

fn think(json: &Json<'_>) -> Result<Value, DecodeError> {
    const VALUES: &str = r#""high", "medium", "low", "max", true, or false"#;
    match json {
        Json::Null => Ok(Value::Null),
        Json::Bool(think) => Ok(Value::Bool(*think)),
        Json::Text(level) if matches!(level.as_str(), "high" | "medium" | "low" | "max") => Ok(Value::Bool(true)),
        Json::Text(level) => {
            let level = quote(level);
            Err(DecodeError::Other(format!("invalid think value: {level} (must be {VALUES})")))
        }
        _ => Err(DecodeError::Other(format!("think must be a boolean or string ({VALUES})"))),
    }
}
