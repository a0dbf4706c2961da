//! `/v1/messages`, brought to the native form (`anthropic/anthropic.go`, `middleware/anthropic.go`).

use serde_json::{Map, Value, json};

use super::estimate::{BLOCK, estimate};
use crate::dialect::native::request::of_native;
use crate::dialect::native::schemas::TOOL_PARAMETERS;
use crate::dialect::openai::request::{NO_BODY, take};
use crate::generation::{Dialect, ParsedRequest, Refusal};
use crate::go_json::fmt::quote;
use crate::go_json::{
    DecodeError, GoStruct, GoType, Json, base64_error, decode, decode_as, decode_type, fields, parse, to_string,
};

static REQUEST: GoStruct = GoStruct(
    "anthropic.MessagesRequest",
    &[
        (GoType::Text, &["model"]),
        (GoType::Int, &["max_tokens", "top_k"]),
        (GoType::List("[]anthropic.MessageParam", &GoType::Custom(message)), &["messages"]),
        (GoType::Any, &["system"]),
        (GoType::Bool, &["stream"]),
        (GoType::Float("float64"), &["temperature", "top_p"]),
        (GoType::List("[]string", &GoType::Text), &["stop_sequences"]),
        (GoType::List("[]anthropic.Tool", &GoType::Struct(&TOOL)), &["tools"]),
        (GoType::Struct(&TOOL_CHOICE), &["tool_choice"]),
        (GoType::Struct(&THINKING), &["thinking"]),
        (GoType::Struct(&METADATA), &["metadata"]),
        (GoType::Struct(&OUTPUT_CONFIG), &["output_config"]),
    ],
);

static TOOL: GoStruct = GoStruct(
    "anthropic.Tool",
    &[(GoType::Text, &["type", "name", "description"]), (GoType::Raw, &["input_schema"]), (GoType::Int, &["max_uses"])],
);

static TOOL_CHOICE: GoStruct = GoStruct(
    "anthropic.ToolChoice",
    &[(GoType::Text, &["type", "name"]), (GoType::Bool, &["disable_parallel_tool_use"])],
);

static THINKING: GoStruct =
    GoStruct("anthropic.ThinkingConfig", &[(GoType::Text, &["type"]), (GoType::Int, &["budget_tokens"])]);

static METADATA: GoStruct = GoStruct("anthropic.Metadata", &[(GoType::Text, &["user_id"])]);

static OUTPUT_CONFIG: GoStruct = GoStruct("anthropic.OutputConfig", &[(GoType::Text, &["effort"])]);

/// A struct without a name, which Go calls by all that it is.
static MESSAGE: GoStruct = GoStruct(
    r#"struct { Role string "json:\"role\""; Content json.RawMessage "json:\"content\"" }"#,
    &[(GoType::Text, &["role"]), (GoType::Raw, &["content"])],
);

static BLOCKS: GoType = GoType::List("[]anthropic.ContentBlock", &GoType::Struct(&BLOCK));

fn message(json: &Json<'_>) -> Result<Value, DecodeError> {
    let mut message = decode_as(json, &MESSAGE)?;
    let raw =
        message["content"].as_str().ok_or_else(|| DecodeError::Other("unexpected end of JSON input".to_owned()))?;
    message["content"] = match parse(raw.as_bytes()) {
        Json::Text(text) => json!([{"type": "text", "text": text}]),
        Json::Null => json!([{"type": "text", "text": ""}]),
        blocks => decode_type(&blocks, &BLOCKS)?,
    };
    Ok(message)
}

/// The type of the result of a search that failed.
const SEARCH_ERROR: &str = "web_search_tool_result_error";

/// Reads a request of `/v1/messages`.
pub(crate) fn decode_messages(body: &[u8]) -> Result<ParsedRequest, Refusal> {
    let mut asked = decode(body, &REQUEST, NO_BODY).map_err(Refusal::by_parser)?;
    if asked.get("model").is_none_or(|model| *model == "") {
        return Err(Refusal::by_parser("model is required"));
    }
    if fields::int(&asked, "max_tokens").unwrap_or_default() <= 0 {
        return Err(Refusal::by_parser("max_tokens is required and must be positive"));
    }
    let given = fields::list(&mut asked, "messages");
    if given.is_empty() {
        return Err(Refusal::by_parser("messages is required"));
    }
    let estimated_tokens = estimate(&asked, &given);
    let mut messages = system(asked.get("system"));
    for message in &given {
        convert(message, &mut messages).map_err(Refusal::by_parser)?;
    }
    let tools = fields::list(&mut asked, "tools");
    let web_search = tools.iter().any(is_web_search);
    for tool in &tools {
        check_tool(tool, web_search).map_err(Refusal::by_parser)?;
    }
    let mut options = take(&mut asked, &["temperature", "top_p", "top_k"]);
    for (from, to) in [("max_tokens", "num_predict"), ("stop_sequences", "stop")] {
        if let Some(value) = asked.remove(from).filter(|value| value.as_array().is_none_or(|items| !items.is_empty())) {
            options.insert(to.to_owned(), value);
        }
    }
    let mut native = take(&mut asked, &["model"]);
    native.insert("messages".to_owned(), Value::Array(messages));
    native.insert("tools".to_owned(), Value::Array(tools));
    native.insert("options".to_owned(), Value::Object(options));
    native.insert("stream".to_owned(), Value::Bool(fields::flag(&asked, "stream").unwrap_or_default()));
    if let Some(think) = think(&asked) {
        native.insert("think".to_owned(), Value::Bool(think));
    }
    let echo = Map::from_iter([
        ("estimated_tokens".to_owned(), estimated_tokens.into()),
        ("web_search".to_owned(), web_search.into()),
    ]);
    of_native(Dialect::Messages, false, native, echo)
}

fn think(asked: &Map<String, Value>) -> Option<bool> {
    match asked.get("thinking").and_then(|thinking| thinking.get("type")).and_then(Value::as_str) {
        Some("enabled") => return Some(true),
        Some("disabled") => return Some(false),
        _ => {}
    }
    let effort = asked.get("output_config")?.get("effort")?.as_str()?.trim().to_lowercase();
    matches!(effort.as_str(), "high" | "medium" | "low" | "max" | "xhigh").then_some(true)
}

fn system(system: Option<&Value>) -> Vec<Value> {
    let text = match system {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(blocks)) => {
            let texts = blocks.iter().filter(|block| block["type"] == "text");
            texts.filter_map(|block| block["text"].as_str()).collect()
        }
        _ => String::new(),
    };
    if text.is_empty() { Vec::new() } else { vec![json!({"role": "system", "content": text})] }
}

/// Whether a tool is the built-in search, of whatever version.
fn is_web_search(tool: &Value) -> bool {
    tool.get("type").and_then(Value::as_str).is_some_and(|kind| kind.starts_with("web_search"))
}

/// A schema must be one that Go can read. The built-in search has none, and takes the place of a tool by its name.
fn check_tool(tool: &Value, web_search: bool) -> Result<(), String> {
    let text = |name: &str| tool.get(name).and_then(Value::as_str).unwrap_or_default();
    let is_replaced = web_search && text("name") == "web_search";
    if is_web_search(tool) || is_replaced || text("input_schema").is_empty() {
        return Ok(());
    }
    let checked = decode_as(&parse(text("input_schema").as_bytes()), &TOOL_PARAMETERS);
    checked
        .map(|_| ())
        .map_err(|fault| format!("invalid input_schema for tool {}: {}", quote(text("name")), fault.text()))
}

/// Appends what one message becomes: results of tools are messages of their own, before a user's text.
fn convert(message: &Value, out: &mut Vec<Value>) -> Result<(), String> {
    let role = message.get("role").and_then(Value::as_str).unwrap_or_default().to_lowercase();
    let (mut text, mut thinking) = (String::new(), String::new());
    let (mut images, mut calls, mut results) = (Vec::new(), Vec::new(), Vec::new());
    let blocks = message.get("content").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    for block in blocks {
        let field = |name: &str| block.get(name).and_then(Value::as_str).unwrap_or_default();
        match field("type") {
            "text" => text.push_str(field("text")),
            "thinking" if block.get("thinking").is_some() => field("thinking").clone_into(&mut thinking),
            "image" => images.push(image(block.get("source").ok_or("invalid image source")?)?),
            kind @ ("tool_use" | "server_tool_use") => {
                for name in ["id", "name"] {
                    if kind == "tool_use" && field(name).is_empty() {
                        return Err(format!("tool_use block missing required '{name}' field"));
                    }
                }
                let arguments = block.get("input").cloned().unwrap_or_else(|| json!({}));
                calls.push(json!({"id": field("id"), "function": {"name": field("name"), "arguments": arguments}}));
            }
            "tool_result" => results.push(result(field("tool_use_id"), block.get("content"))?),
            "web_search_tool_result" => {
                let content = searched(block.get("content").unwrap_or(&Value::Null));
                results.push(json!({"role": "tool", "content": content, "tool_call_id": field("tool_use_id")}));
            }
            _ => {}
        }
    }
    let mut own = Map::from_iter([("role".to_owned(), json!(role)), ("content".to_owned(), json!(text))]);
    let empty = own["content"] == "" && images.is_empty() && calls.is_empty() && thinking.is_empty();
    for (name, values) in [("images", images), ("tool_calls", calls)] {
        if !values.is_empty() {
            own.insert(name.to_owned(), Value::Array(values));
        }
    }
    if !thinking.is_empty() {
        own.insert("thinking".to_owned(), Value::String(thinking));
    }
    let own = (!empty).then_some(Value::Object(own));
    if role == "user" {
        out.append(&mut results);
    }
    out.extend(own);
    out.append(&mut results);
    Ok(())
}

/// Returns the result of a search as the model gets it: a line for each page, or the error.
fn searched(content: &Value) -> String {
    let of = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let failed = |value: &Value| {
        (value["type"] == SEARCH_ERROR).then(|| match of(value, "error_code") {
            code if code.is_empty() => SEARCH_ERROR.to_owned(),
            code => format!("{SEARCH_ERROR}: {code}"),
        })
    };
    match content {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().find_map(failed).unwrap_or_else(|| {
            let pages = items.iter().filter(|item| item["type"] == "web_search_result");
            let lines = pages.map(|page| format!("- {}: {}\n", of(page, "title"), of(page, "url")));
            lines.collect::<Vec<_>>().concat()
        }),
        other => failed(other).unwrap_or_else(|| {
            let mut other = other.clone();
            other.sort_all_objects();
            to_string(&other)
        }),
    }
}

fn image(source: &Value) -> Result<Value, String> {
    let field = |name: &str| source.get(name).and_then(Value::as_str).unwrap_or_default();
    if field("type") != "base64" {
        return Err(format!("invalid image source type: {}. Only base64 images are supported.", field("type")));
    }
    match base64_error(field("data")) {
        Some(text) => Err(format!("invalid base64 image data: {text}")),
        None => Ok(Value::String(field("data").to_owned())),
    }
}

fn result(id: &str, content: Option<&Value>) -> Result<Value, String> {
    let mut text = String::new();
    let mut images = Vec::new();
    match content {
        Some(Value::String(content)) => text.clone_from(content),
        Some(Value::Array(blocks)) => {
            for block in blocks {
                match block.get("type").and_then(Value::as_str) {
                    Some("text") => text.push_str(block.get("text").and_then(Value::as_str).unwrap_or_default()),
                    Some("image") => {
                        let source = block.get("source").filter(|source| source.is_object());
                        images.push(image(source.ok_or("invalid tool_result image source")?)?);
                    }
                    _ => {}
                }
            }
        }
        _ => {}
    }
    let mut message = json!({"role": "tool", "content": text, "tool_call_id": id});
    if !images.is_empty() {
        message["images"] = Value::Array(images);
    }
    Ok(message)
}
