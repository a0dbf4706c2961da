//! `/v1/responses` (`openai/responses.go`, `FromResponsesRequest`).

use serde_json::{Map, Value, json};

use super::fields::{Fields, parser};
use super::{Ask, Dialect, Echo, Question, openai, types};
use crate::dialect::Refusal;

pub(super) fn decode(body: &[u8]) -> Result<Ask, Refusal> {
    let fields = Fields::wrapped(&types::RESPONSES, body)?;
    let mut messages = Vec::new();
    let instructions = fields.text("instructions");
    if !instructions.is_empty() {
        messages.push(json!({ "role": "system", "content": instructions }));
    }
    match fields.get("input") {
        Value::Null => {}
        Value::String(text) if text.is_empty() => {}
        Value::String(text) => messages.push(json!({ "role": "user", "content": text })),
        Value::Array(items) => {
            for item in items {
                messages.extend(item_message(item)?);
            }
        }
        _ => return Err(parser("input must be a string or array")),
    }
    let think = openai::think(fields.get("reasoning")["effort"].as_str().unwrap_or_default())?;
    let mut ask = Ask::new(Dialect::Responses, fields.text("model"), Question::Messages(messages), None)?;
    ask.stream = fields.flag("stream").unwrap_or(false);
    ask.think = think;
    ask.tools = fields.list("tools").iter().any(|tool| tool["type"] == "function");
    ask.options = options(&fields);
    let format = &fields.get("text")["format"];
    if format["type"] == "json_schema" {
        ask.format = format["schema"].clone();
    }
    ask.echo = Echo::Responses(echo(&fields));
    Ok(ask)
}

fn options(fields: &Fields) -> Map<String, Value> {
    let mut options = Map::new();
    for name in ["temperature", "top_p"] {
        let value = fields.get(name);
        options.insert(name.to_owned(), if value.is_null() { json!(1.0) } else { value.clone() });
    }
    if let Some(limit) = fields.int("max_output_tokens") {
        options.insert("num_predict".to_owned(), json!(limit));
    }
    options
}

/// One input item as a native message; some are none.
fn item_message(item: &Value) -> Result<Option<Value>, Refusal> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    match item["type"].as_str().unwrap_or("message") {
        "message" => {
            let role = text(&item["role"]).to_lowercase();
            let mut native = json!({ "role": role, "content": "" });
            match &item["content"] {
                Value::String(content) => native["content"] = json!(content),
                Value::Array(parts) => {
                    let texts = parts.iter().filter_map(|part| part["text"].as_str());
                    native["content"] = json!(texts.collect::<String>());
                    let urls = parts.iter().filter_map(|part| part["image_url"].as_str());
                    let images: Vec<&str> = urls.map(openai::image).collect::<Result<_, _>>()?;
                    if !images.is_empty() {
                        native["images"] = json!(images);
                    }
                }
                _ => {}
            }
            Ok(Some(native))
        }
        "function_call" => {
            let arguments = item["arguments"].as_str().unwrap_or("{}");
            let arguments: Map<String, Value> =
                serde_json::from_str(arguments).map_err(|_| parser("invalid tool call arguments"))?;
            let function = json!({ "name": item["name"], "arguments": arguments });
            let call = json!({ "id": item["call_id"], "function": function });
            Ok(Some(json!({ "role": "assistant", "content": "", "tool_calls": [call] })))
        }
        "function_call_output" => {
            let content = item["output"].as_str().map_or_else(|| item["output"].to_string(), str::to_owned);
            Ok(Some(json!({ "role": "tool", "content": content, "tool_call_id": item["call_id"] })))
        }
        "reasoning" => {
            let thinking = text(&item["encrypted_content"]);
            Ok((!thinking.is_empty()).then(|| json!({ "role": "assistant", "content": "", "thinking": thinking })))
        }
        _ => Ok(None),
    }
}

/// The fields that answers repeat, as asked for or by default.
fn echo(fields: &Fields) -> Map<String, Value> {
    let or = |name: &str, default: Value| if fields.get(name).is_null() { default } else { fields.get(name).clone() };
    let instructions = fields.text("instructions");
    let tools: Vec<Value> = fields.list("tools").iter().map(tool).collect();
    let format = &fields.get("text")["format"];
    let text = json!({ "format": if format["type"].is_string() { format.clone() } else { json!({ "type": "text" }) } });
    let reasoning = &fields.get("reasoning");
    let has_reasoning = reasoning["effort"].is_string() || reasoning["summary"].is_string();
    let reasoning = if has_reasoning {
        json!({ "effort": reasoning["effort"], "summary": reasoning["summary"] })
    } else {
        Value::Null
    };
    let entries = [
        ("previous_response_id", Value::Null),
        ("instructions", if instructions.is_empty() { Value::Null } else { json!(instructions) }),
        ("tools", json!(tools)),
        ("tool_choice", json!("auto")),
        ("truncation", or("truncation", json!("disabled"))),
        ("parallel_tool_calls", json!(true)),
        ("text", text),
        ("top_p", or("top_p", json!(1))),
        ("presence_penalty", json!(0)),
        ("frequency_penalty", json!(0)),
        ("top_logprobs", json!(0)),
        ("temperature", or("temperature", json!(1))),
        ("reasoning", reasoning),
        ("max_output_tokens", or("max_output_tokens", Value::Null)),
        ("max_tool_calls", Value::Null),
        ("store", json!(false)),
        ("background", or("background", json!(false))),
        ("service_tier", json!("default")),
        ("metadata", json!({})),
        ("safety_identifier", Value::Null),
        ("prompt_cache_key", Value::Null),
    ];
    entries.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// A tool as answers repeat it; the maps of its parameters are sorted, as Go decodes them.
fn tool(tool: &Value) -> Value {
    json!({
        "type": tool["type"],
        "name": tool["name"],
        "description": tool["description"],
        "strict": tool["strict"],
        "parameters": sorted(&tool["parameters"]),
    })
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let entries: std::collections::BTreeMap<&String, Value> =
                map.iter().map(|(key, value)| (key, sorted(value))).collect();
            json!(entries)
        }
        Value::Array(values) => values.iter().map(sorted).collect(),
        other => other.clone(),
    }
}
