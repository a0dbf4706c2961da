//! The Go types of native requests (`api/types.go`), which the dialects under `/v1` share in part.

use serde_json::Value;

use super::go_decode::{Fault, Kind, Struct, decode_as};
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
        ("required", Kind::List("[]string", &Kind::Text)),
        ("properties", Kind::Any),
    ],
};

/// A message of `/api/chat`, whose role is lower case.
pub(super) fn message(json: &Json) -> Result<Value, Fault> {
    let mut message = decode_as(json, &MESSAGE)?;
    if let Some(Value::String(role)) = message.get_mut("role") {
        *role = role.to_lowercase();
    }
    Ok(message)
}

/// The arguments of a tool call, which must be an object.
pub(super) fn arguments(json: &Json) -> Result<Value, Fault> {
    match json {
        Json::Object(_) => json.to_value().map_err(|number| Fault::mistyped(format!("number {number}"), "float64")),
        _ => Err(Fault::Other("Value looks like object, but can't find closing '}' symbol".to_owned())),
    }
}

fn think(json: &Json) -> Result<Value, Fault> {
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
