//! The Go types of native requests (`api/types.go`), which the dialects under `/v1` share in part.

use serde_json::Value;

use crate::go_json::fmt::quote;
use crate::go_json::{DecodeError, GoStruct, GoType, Json, decode_as, decode_type};
use crate::models::KeepAlive;

/// `api.GenerateRequest`
pub(crate) static GENERATE: GoStruct = GoStruct(
    "api.GenerateRequest",
    &[
        (GoType::Text, &["model", "prompt", "suffix", "system", "template"]),
        (GoType::List("[]int", &GoType::Int), &["context"]),
        (GoType::Bool, &["stream", "raw", "truncate", "shift", "_debug_render_only", "logprobs"]),
        (GoType::Any, &["format"]),
        (GoType::Custom(KeepAlive::decode), &["keep_alive"]),
        (IMAGES, &["images"]),
        (GoType::Map, &["options"]),
        (GoType::Custom(think), &["think"]),
        (GoType::Int, &["top_logprobs"]),
    ],
);

/// `api.ChatRequest`
pub(crate) static CHAT: GoStruct = GoStruct(
    "api.ChatRequest",
    &[
        (GoType::Text, &["model"]),
        (GoType::List("[]api.Message", &GoType::Custom(message)), &["messages"]),
        (GoType::Bool, &["stream", "truncate", "shift", "_debug_render_only", "logprobs"]),
        (GoType::Any, &["format"]),
        (GoType::Custom(KeepAlive::decode), &["keep_alive"]),
        (TOOLS, &["tools"]),
        (GoType::Map, &["options"]),
        (GoType::Custom(think), &["think"]),
        (GoType::Int, &["top_logprobs"]),
    ],
);

const IMAGES: GoType = GoType::List("[]api.ImageData", &GoType::Bytes("api.ImageData"));

const TOOLS: GoType = GoType::List("api.Tools", &GoType::Struct(&TOOL));

static MESSAGE: GoStruct = GoStruct(
    "api.Alias",
    &[
        (GoType::Text, &["role", "content", "thinking", "tool_name", "tool_call_id"]),
        (IMAGES, &["images"]),
        (GoType::List("[]api.ToolCall", &GoType::Struct(&TOOL_CALL)), &["tool_calls"]),
    ],
);

static TOOL_CALL: GoStruct =
    GoStruct("api.ToolCall", &[(GoType::Text, &["id"]), (GoType::Struct(&TOOL_CALL_FUNCTION), &["function"])]);

static TOOL_CALL_FUNCTION: GoStruct = GoStruct(
    "api.ToolCallFunction",
    &[(GoType::Int, &["index"]), (GoType::Text, &["name"]), (GoType::Custom(arguments), &["arguments"])],
);

/// `api.Tool`
pub(crate) static TOOL: GoStruct = GoStruct(
    "api.Tool",
    &[(GoType::Text, &["type"]), (GoType::Any, &["items"]), (GoType::Struct(&TOOL_FUNCTION), &["function"])],
);

static TOOL_FUNCTION: GoStruct = GoStruct(
    "api.ToolFunction",
    &[(GoType::Text, &["name", "description"]), (GoType::Struct(&TOOL_PARAMETERS), &["parameters"])],
);

/// `api.ToolFunctionParameters`
pub(crate) static TOOL_PARAMETERS: GoStruct = GoStruct(
    "api.ToolFunctionParameters",
    &[
        (GoType::Text, &["type"]),
        (GoType::Any, &["$defs", "items"]),
        (TEXTS, &["required"]),
        (GoType::Custom(all_properties), &["properties"]),
    ],
);

/// How many levels of JSON the properties of a tool may be nested; each level of a schema is two, and needs some stack.
/// Go has no limit for them.
pub(crate) const MAX_SCHEMA_LEVELS: usize = 200;

const TEXTS: GoType = GoType::List("[]string", &GoType::Text);

/// `api.ToolProperty`
static TOOL_PROPERTY: GoStruct = GoStruct(
    "api.ToolProperty",
    &[
        (GoType::List("[]api.ToolProperty", &GoType::Struct(&TOOL_PROPERTY)), &["anyOf"]),
        (GoType::Custom(property_type), &["type"]),
        (GoType::Any, &["items"]),
        (GoType::Text, &["description"]),
        (GoType::List("[]interface {}", &GoType::Any), &["enum"]),
        (GoType::Custom(properties), &["properties"]),
        (TEXTS, &["required"]),
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
