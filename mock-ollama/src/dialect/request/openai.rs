//! `/v1/chat/completions` and `/v1/completions` (`openai/openai.go`, `FromChatRequest`, `FromCompleteRequest`).

use serde_json::{Map, Value, json};

use super::fields::{Fields, parser};
use super::native::logprobs;
use super::{Ask, Dialect, Echo, Question, types};
use crate::dialect::Refusal;

/// How images are given: a data URI of one of these, or of no type.
const IMAGES: &[&str] = &[
    "data:image/jpeg;base64,",
    "data:image/jpg;base64,",
    "data:image/png;base64,",
    "data:image/webp;base64,",
    "data:;base64,",
];

pub(super) fn chat(body: &[u8]) -> Result<Ask, Refusal> {
    let fields = Fields::wrapped(&types::OPENAI_CHAT, body)?;
    if fields.list("messages").is_empty() {
        return Err(parser("[] is too short - 'messages'"));
    }
    let mut messages = Vec::new();
    for message in fields.list("messages") {
        add_message(message, &mut messages)?;
    }
    let effort = fields.get("reasoning")["effort"].as_str().unwrap_or_default();
    let effort = if effort.is_empty() { fields.get("reasoning_effort").as_str().unwrap_or_default() } else { effort };
    let think = think(effort)?;
    let top = fields.int("top_logprobs");
    let mut ask = Ask::new(Dialect::OpenAiChat, fields.text("model"), Question::Messages(messages), top)?;
    ask.think = think;
    ask.tools = !fields.list("tools").is_empty();
    ask.format = match fields.get("response_format")["type"].as_str().map(|kind| kind.trim().to_lowercase()).as_deref()
    {
        Some("json_object") => json!("json"),
        Some("json_schema") => fields.get("response_format")["json_schema"]["schema"].clone(),
        _ => Value::Null,
    };
    ask.logprobs = logprobs(fields.flag("logprobs"), top);
    Ok(common(ask, &fields))
}

pub(super) fn completion(body: &[u8]) -> Result<Ask, Refusal> {
    let fields = Fields::wrapped(&types::OPENAI_COMPLETION, body)?;
    let question = Question::Prompt(fields.text("prompt"));
    let mut ask = Ask::new(Dialect::OpenAiCompletions, fields.text("model"), question, None)?;
    ask.suffix = fields.text("suffix");
    Ok(common(ask, &fields))
}

fn common(mut ask: Ask, fields: &Fields) -> Ask {
    ask.stream = fields.flag("stream").unwrap_or(false);
    ask.options = options(fields);
    let include_usage = fields.get("stream_options")["include_usage"] == true;
    ask.debug_render_only = fields.flag("_debug_render_only").unwrap_or(false);
    ask.echo = Echo::OpenAi { include_usage };
    ask
}

fn options(fields: &Fields) -> Map<String, Value> {
    let mut options = Map::new();
    let mut set = |name: &str, value: Value| options.insert(name.to_owned(), value);
    match fields.get("stop") {
        Value::String(stop) => drop(set("stop", json!([stop]))),
        Value::Array(stops) => {
            let texts: Vec<&Value> = stops.iter().filter(|stop| stop.is_string()).collect();
            set("stop", json!(texts));
        }
        _ => {}
    }
    for (asked, native) in [("max_tokens", "num_predict"), ("seed", "seed")] {
        if !fields.get(asked).is_null() {
            set(native, fields.get(asked).clone());
        }
    }
    for name in ["frequency_penalty", "presence_penalty"] {
        if !fields.get(name).is_null() {
            set(name, fields.get(name).clone());
        }
    }
    for name in ["temperature", "top_p"] {
        let value = fields.get(name);
        set(name, if value.is_null() { json!(1.0) } else { value.clone() });
    }
    options
}

/// `openai.FromReasoning`; no effort leaves it to the model.
pub(super) fn think(effort: &str) -> Result<Option<bool>, Refusal> {
    match effort {
        "" => Ok(None),
        "none" => Ok(Some(false)),
        "minimal" | "low" | "medium" | "high" | "xhigh" | "ultra" | "max" => Ok(Some(true)),
        other => Err(parser(format!(
            r#"invalid reasoning value: "{other}" (must be "minimal", "low", "medium", "high", "xhigh", "ultra", "max", or "none")"#
        ))),
    }
}

/// A message with content parts becomes one native message a part.
fn add_message(message: &Value, out: &mut Vec<Value>) -> Result<(), Refusal> {
    let role = message["role"].as_str().unwrap_or_default().to_lowercase();
    let calls = tool_calls(&message["tool_calls"])?;
    let base = |content: &str| {
        let mut native = json!({ "role": role, "content": content });
        if let Some(thinking) = message["reasoning"].as_str().filter(|text| !text.is_empty()) {
            native["thinking"] = json!(thinking);
        }
        if let Some(id) = message["tool_call_id"].as_str().filter(|text| !text.is_empty()) {
            native["tool_call_id"] = json!(id);
        }
        native
    };
    match &message["content"] {
        Value::String(content) => {
            let mut native = base(content);
            if !calls.is_empty() {
                native["tool_calls"] = json!(calls);
            }
            out.push(native);
        }
        Value::Array(parts) => {
            for part in parts {
                out.push(content_part(part, &base)?);
            }
            if let (false, Some(last)) = (calls.is_empty(), out.last_mut()) {
                last["tool_calls"] = json!(calls);
            }
        }
        _ if !calls.is_empty() => {
            let mut native = base("");
            native["tool_calls"] = json!(calls);
            out.push(native);
        }
        other => return Err(parser(format!("invalid message content type: {}", go_type(other)))),
    }
    Ok(())
}

fn content_part(part: &Value, base: &impl Fn(&str) -> Value) -> Result<Value, Refusal> {
    let wrong = || parser("invalid message format");
    match part["type"].as_str() {
        Some("text") => Ok(base(part["text"].as_str().ok_or_else(wrong)?)),
        Some("image_url") => {
            let url = part["image_url"]["url"].as_str().or_else(|| part["image_url"].as_str()).ok_or_else(wrong)?;
            let image = image(url)?;
            let mut native = base("");
            native["images"] = json!([image]);
            Ok(native)
        }
        Some("input_audio") => Ok(base("")),
        _ => Err(wrong()),
    }
}

/// The base64 of a data URI.
pub(super) fn image(url: &str) -> Result<&str, Refusal> {
    if url.starts_with("http://") || url.starts_with("https://") {
        return Err(parser("image URLs are not currently supported, please use base64 encoded data instead"));
    }
    IMAGES.iter().find_map(|prefix| url.strip_prefix(prefix)).ok_or_else(|| parser("invalid image input"))
}

fn tool_calls(calls: &Value) -> Result<Vec<Value>, Refusal> {
    let calls = calls.as_array().map_or(&[][..], Vec::as_slice);
    let native = calls.iter().map(|call| {
        let function = &call["function"];
        let arguments = function["arguments"].as_str().unwrap_or_default();
        let arguments: Map<String, Value> =
            serde_json::from_str(arguments).map_err(|_| parser("invalid tool call arguments"))?;
        let function = json!({ "name": function["name"], "arguments": arguments });
        Ok(json!({ "id": call["id"], "function": function }))
    });
    native.collect()
}

/// What `%T` prints of a decoded value.
fn go_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "<nil>",
        Value::Bool(_) => "bool",
        Value::Number(_) => "float64",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    }
}
