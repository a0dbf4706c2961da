//! `/v1/chat/completions` and `/v1/completions`, brought to the native form (`openai/openai.go`,
//! `middleware/openai.go`).

use serde_json::{Map, Value, json};

use crate::dialect::native::request::of_native;
use crate::dialect::native::schemas::{TOOL, arguments};
use crate::generation::{Dialect, ParsedRequest, Refusal, last_said};
use crate::go_json::fmt::quote;
use crate::go_json::{GoStruct, GoType, Scanned, base64_error, decode, fields, scan};

/// The text for a request under `/v1` without a body.
pub(crate) const NO_BODY: &str = "EOF";

static CHAT: GoStruct = GoStruct(
    "openai.ChatCompletionRequest",
    &[
        (GoType::Text, &["model", "reasoning_effort"]),
        (GoType::List("[]openai.Message", &GoType::Struct(&MESSAGE)), &["messages"]),
        (GoType::Bool, &["stream", "logprobs", "_debug_render_only"]),
        (GoType::Struct(&STREAM_OPTIONS), &["stream_options"]),
        (GoType::Int, &["max_tokens", "seed", "top_logprobs"]),
        (GoType::Any, &["stop"]),
        (GoType::Float("float64"), &["temperature", "frequency_penalty", "presence_penalty", "top_p"]),
        (GoType::Struct(&RESPONSE_FORMAT), &["response_format"]),
        (GoType::List("[]api.Tool", &GoType::Struct(&TOOL)), &["tools"]),
        (GoType::Struct(&REASONING), &["reasoning"]),
    ],
);

static MESSAGE: GoStruct = GoStruct(
    "openai.Message",
    &[
        (GoType::Text, &["role", "reasoning", "name", "tool_call_id"]),
        (GoType::Any, &["content"]),
        (GoType::List("[]openai.ToolCall", &GoType::Struct(&TOOL_CALL)), &["tool_calls"]),
    ],
);

static TOOL_CALL: GoStruct = GoStruct(
    "openai.ToolCall",
    &[(GoType::Text, &["id", "type"]), (GoType::Int, &["index"]), (GoType::Struct(&FUNCTION), &["function"])],
);

static FUNCTION: GoStruct = GoStruct(
    r#"struct { Name string "json:\"name\""; Arguments string "json:\"arguments\"" }"#,
    &[(GoType::Text, &["name", "arguments"])],
);

static STREAM_OPTIONS: GoStruct = GoStruct("openai.StreamOptions", &[(GoType::Bool, &["include_usage"])]);

static RESPONSE_FORMAT: GoStruct =
    GoStruct("openai.ResponseFormat", &[(GoType::Text, &["type"]), (GoType::Struct(&JSON_SCHEMA), &["json_schema"])]);

static JSON_SCHEMA: GoStruct = GoStruct("openai.JsonSchema", &[(GoType::Any, &["schema"])]);

static REASONING: GoStruct = GoStruct("openai.Reasoning", &[(GoType::Text, &["effort"])]);

static COMPLETIONS: GoStruct = GoStruct(
    "openai.CompletionRequest",
    &[
        (GoType::Text, &["model", "prompt", "suffix"]),
        (GoType::Float("float32"), &["frequency_penalty", "presence_penalty", "temperature", "top_p"]),
        (GoType::Int, &["max_tokens", "seed", "logprobs"]),
        (GoType::Any, &["stop"]),
        (GoType::Bool, &["stream", "_debug_render_only"]),
        (GoType::Struct(&STREAM_OPTIONS), &["stream_options"]),
    ],
);

/// Reads a request of `/v1/chat/completions`.
pub(crate) fn chat(body: &[u8]) -> Result<ParsedRequest, Refusal> {
    let mut asked = decode(body, &CHAT, NO_BODY).map_err(Refusal::by_parser)?;
    let given = fields::list(&mut asked, "messages");
    if given.is_empty() {
        return Err(Refusal::by_parser("[] is too short - 'messages'"));
    }
    let mut messages = Vec::new();
    for message in &given {
        convert(message, &given, &mut messages).map_err(Refusal::by_parser)?;
    }
    let mut options = options(&mut asked, &["seed", "frequency_penalty", "presence_penalty"]);
    let stops = stops(&asked).map(|stops| stops.into_iter().filter(Value::is_string).collect());
    options.extend(stops.map(|stops| ("stop".to_owned(), stops)));
    let mut native = take(&mut asked, &["model", "tools", "logprobs", "top_logprobs", "_debug_render_only"]);
    native.insert("messages".to_owned(), Value::Array(messages));
    native.insert("options".to_owned(), Value::Object(options));
    if let Some(think) = think(&asked).map_err(Refusal::by_parser)? {
        native.insert("think".to_owned(), Value::Bool(think));
    }
    if let Some(format) = asked.get("response_format").and_then(format) {
        native.insert("format".to_owned(), format);
    }
    let mut request = wrapped(Dialect::OpenAiChat, native, &asked)?;
    // The parts of a message are messages of their own by then.
    request.last_text = last_said(&given);
    Ok(request)
}

/// Reads a request of `/v1/completions`.
pub(crate) fn completions(body: &[u8]) -> Result<ParsedRequest, Refusal> {
    let mut asked = decode(body, &COMPLETIONS, NO_BODY).map_err(Refusal::by_parser)?;
    let mut options = options(&mut asked, &["seed", "frequency_penalty", "presence_penalty"]);
    if options.get("top_p").and_then(Value::as_f64) == Some(0.0) {
        options.insert("top_p".to_owned(), json!(1.0));
    }
    if let Some(stops) = stops(&asked) {
        if let Some(stop) = stops.iter().find(|stop| !stop.is_string()) {
            return Err(Refusal::by_parser(format!("invalid type for 'stop' field: {}", go_type(stop))));
        }
        options.insert("stop".to_owned(), Value::Array(stops));
    }
    let mut native = take(&mut asked, &["model", "prompt", "suffix", "_debug_render_only"]);
    native.insert("options".to_owned(), Value::Object(options));
    if let Some(top) = fields::int(&asked, "logprobs").filter(|top| *top > 0) {
        native.insert("logprobs".to_owned(), Value::Bool(true));
        native.insert("top_logprobs".to_owned(), Value::from(top));
    }
    wrapped(Dialect::OpenAiCompletions, native, &asked)
}

fn stops(asked: &Map<String, Value>) -> Option<Vec<Value>> {
    match asked.get("stop")? {
        Value::String(stop) => Some(vec![json!(stop)]),
        Value::Array(stops) => Some(stops.clone()),
        _ => None,
    }
}

fn wrapped(
    dialect: Dialect,
    mut native: Map<String, Value>,
    asked: &Map<String, Value>,
) -> Result<ParsedRequest, Refusal> {
    native.insert("stream".to_owned(), Value::Bool(fields::flag(asked, "stream").unwrap_or_default()));
    let usage = asked.get("stream_options").and_then(|options| options.get("include_usage")).and_then(Value::as_bool);
    let echo = Map::from_iter([("include_usage".to_owned(), usage.unwrap_or_default().into())]);
    of_native(dialect, dialect == Dialect::OpenAiCompletions, native, echo)
}

/// Takes fields over as they are.
pub(crate) fn take(asked: &mut Map<String, Value>, names: &[&str]) -> Map<String, Value> {
    names.iter().filter_map(|name| Some(((*name).to_owned(), asked.remove(*name)?))).collect()
}

fn options(asked: &mut Map<String, Value>, names: &[&str]) -> Map<String, Value> {
    let mut options = take(asked, names);
    if let Some(limit) = asked.remove("max_tokens") {
        options.insert("num_predict".to_owned(), limit);
    }
    for name in ["temperature", "top_p"] {
        options.insert(name.to_owned(), asked.remove(name).unwrap_or_else(|| json!(1.0)));
    }
    options
}

fn think(asked: &Map<String, Value>) -> Result<Option<bool>, String> {
    let effort = match asked.get("reasoning") {
        Some(reasoning) => reasoning.get("effort"),
        None => asked.get("reasoning_effort"),
    };
    effort_of(effort.and_then(Value::as_str).unwrap_or_default())
}

/// Whether a level of effort means to think; `None` for no level.
pub(crate) fn effort_of(effort: &str) -> Result<Option<bool>, String> {
    match effort {
        "" => Ok(None),
        "none" => Ok(Some(false)),
        "minimal" | "low" | "medium" | "high" | "xhigh" | "ultra" | "max" => Ok(Some(true)),
        _ => {
            let effort = quote(effort);
            let values = r#""minimal", "low", "medium", "high", "xhigh", "ultra", "max", or "none""#;
            Err(format!("invalid reasoning value: {effort} (must be {values})"))
        }
    }
}

fn format(asked: &Value) -> Option<Value> {
    match asked.get("type")?.as_str()?.trim().to_lowercase().as_str() {
        "json_object" => Some(Value::String("json".to_owned())),
        "json_schema" => asked.get("json_schema")?.get("schema").cloned(),
        _ => None,
    }
}

/// What Go calls the type of a value in an `interface {}`.
pub(crate) fn go_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "<nil>",
        Value::Bool(_) => "bool",
        Value::Number(_) => "float64",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    }
}

/// Appends what one message becomes: each part of a content of several parts becomes a separate message.
fn convert(message: &Value, all: &[Value], out: &mut Vec<Value>) -> Result<(), String> {
    let text = |name: &str| message.get(name).and_then(Value::as_str).unwrap_or_default();
    let role = text("role").to_lowercase();
    let mut tool_name = "";
    if role == "tool" {
        tool_name = text("name");
        if tool_name.is_empty() {
            tool_name = name_of_call(all, text("tool_call_id"));
        }
    }
    let calls = message.get("tool_calls").and_then(Value::as_array);
    let converted = calls.map(|calls| calls.iter().map(call).collect::<Result<Vec<_>, _>>());
    let mut first = Map::from_iter([("role".to_owned(), Value::String(role))]);
    let mut rest = Map::new();
    let mut set = |name: &str, value: &str| {
        if !value.is_empty() {
            rest.insert(name.to_owned(), Value::String(value.to_owned()));
        }
    };
    set("thinking", text("reasoning"));
    set("tool_name", tool_name);
    set("tool_call_id", text("tool_call_id"));
    match message.get("content").unwrap_or(&Value::Null) {
        Value::String(content) => _ = first.insert("content".to_owned(), Value::String(content.clone())),
        Value::Array(parts) => {
            for part in parts {
                let (name, value) = convert_part(part)?;
                let mut piece = first.clone();
                piece.insert(name.to_owned(), value);
                out.push(Value::Object(piece));
            }
            if let (Some(calls), Some(Value::Object(last))) = (converted, out.last_mut()) {
                last.append(&mut rest);
                last.insert("tool_calls".to_owned(), Value::Array(calls?));
            }
            return Ok(());
        }
        other if calls.is_none() => return Err(format!("invalid message content type: {}", go_type(other))),
        _ => {}
    }
    first.append(&mut rest);
    if let Some(calls) = converted {
        first.insert("tool_calls".to_owned(), Value::Array(calls?));
    }
    out.push(Value::Object(first));
    Ok(())
}

fn name_of_call<'a>(messages: &'a [Value], id: &str) -> &'a str {
    let calls = messages.iter().rev().filter_map(|message| message.get("tool_calls")?.as_array()).flatten();
    let mut named = calls.filter(|call| !id.is_empty() && call["id"] == id);
    named.next().and_then(|call| call["function"]["name"].as_str()).unwrap_or_default()
}

fn call(call: &Value) -> Result<Value, String> {
    let function = &call["function"];
    let text = function["arguments"].as_str().unwrap_or_default();
    let arguments = object_of(text).ok_or("invalid tool call arguments")?;
    let name = function["name"].as_str().unwrap_or_default();
    Ok(json!({"id": call["id"].as_str().unwrap_or_default(), "function": {"name": name, "arguments": arguments}}))
}

/// The object that a text holds as JSON, and nothing but that.
pub(crate) fn object_of(text: &str) -> Option<Value> {
    let Scanned::Value(value, bytes) = scan(text.as_bytes()) else { return None };
    let alone = text.trim_matches([' ', '\t', '\r', '\n']).len() == bytes.len();
    arguments(&value).ok().filter(|_| alone)
}

fn convert_part(part: &Value) -> Result<(&'static str, Value), String> {
    const INVALID: &str = "invalid message format";
    match part.get("type").and_then(Value::as_str) {
        Some("text") => Ok(("content", part.get("text").filter(|text| text.is_string()).ok_or(INVALID)?.clone())),
        Some("image_url") => {
            let url = part.get("image_url").ok_or(INVALID)?;
            let url = url.get("url").unwrap_or(url).as_str().ok_or(INVALID)?;
            Ok(("images", json!([image_data(url)?])))
        }
        Some("input_audio") => {
            const NO_AUDIO: &str = "invalid input_audio format";
            let audio = part.get("input_audio").and_then(Value::as_object).ok_or(NO_AUDIO)?;
            let data = audio.get("data").and_then(Value::as_str);
            let data = data.ok_or_else(|| format!("{NO_AUDIO}: missing data"))?;
            match base64_error(data) {
                Some(text) => Err(format!("invalid input_audio base64 data: {text}")),
                None => Ok(("images", json!([data]))),
            }
        }
        _ => Err(INVALID.to_owned()),
    }
}

/// The base64 text of a data URI.
pub(crate) fn image_data(url: &str) -> Result<&str, String> {
    const PREFIXES: [&str; 5] = [
        "data:;base64,",
        "data:image/jpeg;base64,",
        "data:image/jpg;base64,",
        "data:image/png;base64,",
        "data:image/webp;base64,",
    ];
    if url.starts_with("http://") || url.starts_with("https://") {
        return Err("image URLs are not currently supported, please use base64 encoded data instead".to_owned());
    }
    let data = PREFIXES.iter().find_map(|prefix| url.strip_prefix(prefix)).ok_or("invalid image input")?;
    if base64_error(data).is_some() { Err("invalid image input".to_owned()) } else { Ok(data) }
}
