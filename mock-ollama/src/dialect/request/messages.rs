//! `/v1/messages` (`middleware/anthropic.go`; `anthropic/anthropic.go`, `FromMessagesRequest`).

use serde_json::{Map, Value, json};

use super::fields::{Fields, parser};
use super::{Ask, Dialect, Echo, Question, types};
use crate::dialect::Refusal;

pub(super) fn decode(body: &[u8]) -> Result<Ask, Refusal> {
    let fields = Fields::wrapped(&types::MESSAGES, body)?;
    if fields.text("model").is_empty() {
        return Err(parser("model is required"));
    }
    if fields.int("max_tokens").unwrap_or(0) <= 0 {
        return Err(parser("max_tokens is required and must be positive"));
    }
    if fields.list("messages").is_empty() {
        return Err(parser("messages is required"));
    }
    let mut messages = Vec::new();
    let system = system(fields.get("system"));
    if !system.is_empty() {
        messages.push(json!({ "role": "system", "content": system }));
    }
    for message in fields.list("messages") {
        messages.extend(native(message)?);
    }
    let mut ask = Ask::new(Dialect::Messages, fields.text("model"), Question::Messages(messages), None)?;
    ask.stream = fields.flag("stream").unwrap_or(false);
    ask.think = match fields.get("thinking")["type"].as_str() {
        Some("enabled" | "adaptive") => Some(true),
        Some("disabled") => Some(false),
        _ => None,
    };
    ask.tools = !fields.list("tools").is_empty();
    ask.options = options(&fields);
    ask.echo = Echo::Messages { estimated_tokens: estimate(&fields) };
    Ok(ask)
}

/// A text, or text blocks in a row.
fn system(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(blocks) => blocks.iter().filter_map(|block| block["text"].as_str()).collect(),
        _ => String::new(),
    }
}

/// The native messages of one message: results of tools are messages of their own, before the rest.
fn native(message: &Value) -> Result<Vec<Value>, Refusal> {
    let role = message["role"].as_str().unwrap_or_default().to_lowercase();
    let blocks = match &message["content"] {
        Value::String(content) => return Ok(vec![json!({ "role": role, "content": content })]),
        Value::Array(blocks) => blocks,
        _ => return Err(parser("invalid message content format")),
    };
    let (mut out, mut text, mut thinking) = (Vec::new(), String::new(), String::new());
    let (mut images, mut calls) = (Vec::new(), Vec::new());
    for block in blocks {
        match block["type"].as_str().unwrap_or_default() {
            "text" => text += block["text"].as_str().unwrap_or_default(),
            "thinking" => thinking += block["thinking"].as_str().unwrap_or_default(),
            "image" => images.push(block["source"]["data"].clone()),
            "tool_use" => {
                let function = json!({ "name": block["name"], "arguments": block["input"] });
                calls.push(json!({ "id": block["id"], "function": function }));
            }
            "tool_result" => {
                let content = system(&block["content"]);
                out.push(json!({ "role": "tool", "content": content, "tool_call_id": block["tool_use_id"] }));
            }
            _ => {}
        }
    }
    if text.is_empty() && thinking.is_empty() && images.is_empty() && calls.is_empty() {
        return Ok(out);
    }
    let mut rest = json!({ "role": role, "content": text });
    if !thinking.is_empty() {
        rest["thinking"] = json!(thinking);
    }
    if !images.is_empty() {
        rest["images"] = json!(images);
    }
    if !calls.is_empty() {
        rest["tool_calls"] = json!(calls);
    }
    out.push(rest);
    Ok(out)
}

fn options(fields: &Fields) -> Map<String, Value> {
    let mut options = Map::new();
    let pairs = [
        ("max_tokens", "num_predict"),
        ("temperature", "temperature"),
        ("top_p", "top_p"),
        ("top_k", "top_k"),
        ("stop_sequences", "stop"),
    ];
    for (asked, native) in pairs {
        if !fields.get(asked).is_null() {
            options.insert(native.to_owned(), fields.get(asked).clone());
        }
    }
    options
}

/// The tokens that `message_start` guesses: a quarter of the bytes of roles, contents, system and tools.
fn estimate(fields: &Fields) -> u64 {
    let length = |value: &Value| match value {
        Value::Null => 0,
        Value::String(text) => text.len(),
        other => other.to_string().len(),
    };
    let messages: usize =
        fields.list("messages").iter().map(|message| length(&message["role"]) + length(&message["content"])).sum();
    let tools = fields.list("tools").iter();
    let tools: usize =
        tools.map(|tool| length(&tool["name"]) + length(&tool["description"]) + length(&tool["input_schema"])).sum();
    let total = length(fields.get("system")) + messages + tools;
    (total as u64 / 4).max(1)
}
