//! `/v1/responses`, brought to the native form (`openai/responses.go`).

use serde_json::{Map, Value, json};

use super::check::go_quoted;
use super::go_decode::{Fault, Kind, Struct, decode, decode_as};
use super::json::Json;
use super::native::{of_native, unparsed};
use super::openai::{NO_BODY, effort_of, image_data, object_of, take};
use super::schemas::{NO_OBJECT, TOOL_PARAMETERS};
use super::{Ask, Dialect, Echo, fields};
use crate::dialect::{Refusal, to_go_json};

static REQUEST: Struct = Struct {
    package: "openai",
    name: "ResponsesRequest",
    fields: &[
        ("model", Kind::Text),
        ("background", Kind::Bool),
        ("conversation", Kind::Raw),
        ("include", Kind::List("[]string", &Kind::Text)),
        ("input", Kind::Custom(input)),
        ("instructions", Kind::Text),
        ("max_output_tokens", Kind::Int),
        ("reasoning", Kind::Struct(&REASONING)),
        ("temperature", Kind::Float("float64")),
        ("text", Kind::Struct(&TEXT)),
        ("top_p", Kind::Float("float64")),
        ("truncation", Kind::Text),
        ("tools", Kind::List("[]openai.ResponsesTool", &Kind::Struct(&TOOL))),
        ("stream", Kind::Bool),
    ],
};

static REASONING: Struct = Struct {
    package: "openai",
    name: "ResponsesReasoning",
    fields: &[("effort", Kind::Text), ("generate_summary", Kind::Text), ("summary", Kind::Text)],
};

static TEXT: Struct =
    Struct { package: "openai", name: "ResponsesText", fields: &[("format", Kind::Struct(&TEXT_FORMAT))] };

static TEXT_FORMAT: Struct = Struct {
    package: "openai",
    name: "ResponsesTextFormat",
    fields: &[("type", Kind::Text), ("name", Kind::Text), ("schema", Kind::Any), ("strict", Kind::Bool)],
};

static TOOL: Struct = Struct {
    package: "openai",
    name: "ResponsesTool",
    fields: &[
        ("type", Kind::Text),
        ("name", Kind::Text),
        ("description", Kind::Text),
        ("strict", Kind::Bool),
        ("parameters", Kind::Map),
        ("tools", Kind::List("[]openai.ResponsesTool", &Kind::Struct(&TOOL))),
    ],
};

/// What an item is looked at for first.
static ITEM_TYPE: Struct = Struct {
    package: "",
    name: r#"struct { Type string "json:\"type\""; Role string "json:\"role\"" }"#,
    fields: &[("type", Kind::Text), ("role", Kind::Text)],
};

static MESSAGE: Struct =
    Struct { package: "", name: "", fields: &[("type", Kind::Text), ("role", Kind::Text), ("content", Kind::Raw)] };

static CALL: Struct = Struct {
    package: "openai",
    name: "ResponsesFunctionCall",
    fields: &[
        ("id", Kind::Text),
        ("type", Kind::Text),
        ("call_id", Kind::Text),
        ("name", Kind::Text),
        ("arguments", Kind::Text),
    ],
};

static OUTPUT: Struct =
    Struct { package: "", name: "", fields: &[("type", Kind::Text), ("call_id", Kind::Text), ("output", Kind::Raw)] };

static THOUGHT: Struct = Struct {
    package: "openai",
    name: "ResponsesReasoningInput",
    fields: &[
        ("id", Kind::Text),
        ("type", Kind::Text),
        ("summary", Kind::List("[]openai.ResponsesReasoningSummary", &Kind::Struct(&SUMMARY))),
        ("encrypted_content", Kind::Text),
    ],
};

static SEARCH_CALL: Struct = Struct {
    package: "openai",
    name: "ResponsesWebSearchCall",
    fields: &[
        ("id", Kind::Text),
        ("type", Kind::Text),
        ("status", Kind::Text),
        ("action", Kind::Struct(&SEARCH_ACTION)),
    ],
};

static SEARCH_ACTION: Struct = Struct {
    package: "openai",
    name: "ResponsesWebSearchAction",
    fields: &[("type", Kind::Text), ("query", Kind::Text)],
};

static SUMMARY: Struct = Struct {
    package: "openai",
    name: "ResponsesReasoningSummary",
    fields: &[("type", Kind::Text), ("text", Kind::Text)],
};

/// What a part of a message is looked at for first.
static PART_TYPE: Struct =
    Struct { package: "", name: r#"struct { Type string "json:\"type\"" }"#, fields: &[("type", Kind::Text)] };

static TEXT_PART: Struct =
    Struct { package: "openai", name: "ResponsesTextContent", fields: &[("type", Kind::Text), ("text", Kind::Text)] };

static SAID_PART: Struct = Struct {
    package: "openai",
    name: "ResponsesOutputTextContent",
    fields: &[("type", Kind::Text), ("text", Kind::Text)],
};

static IMAGE_PART: Struct = Struct {
    package: "openai",
    name: "ResponsesImageContent",
    fields: &[("type", Kind::Text), ("detail", Kind::Text), ("file_id", Kind::Text), ("image_url", Kind::Text)],
};

static FILE_PART: Struct = Struct {
    package: "openai",
    name: "ResponsesFileContent",
    fields: &[
        ("type", Kind::Text),
        ("file_data", Kind::Text),
        ("file_id", Kind::Text),
        ("file_url", Kind::Text),
        ("filename", Kind::Text),
    ],
};

fn around(place: &str, fault: &Fault) -> Fault {
    Fault::Other(format!("{place}: {}", fault.text()))
}

/// A text, or a list of items.
fn input(json: &Json<'_>) -> Result<Value, Fault> {
    list_of(json, "input", item)
}

fn list_of(json: &Json<'_>, what: &str, of: fn(&Json<'_>) -> Result<Value, Fault>) -> Result<Value, Fault> {
    match json {
        Json::Null => Ok(Value::Null),
        Json::Text(text) => Ok(Value::String(text.clone())),
        Json::List(items) => {
            let items = items.iter().enumerate();
            let items = items.map(|(at, json)| of(json).map_err(|fault| around(&format!("{what}[{at}]"), &fault)));
            Ok(Value::Array(items.collect::<Result<_, _>>()?))
        }
        other => {
            let fault = Fault::mistyped(other.kind(), "[]json.RawMessage");
            Err(around(&format!("{what} must be a string or array"), &fault))
        }
    }
}

fn item(json: &Json<'_>) -> Result<Value, Fault> {
    let peeked = decode_as(json, &ITEM_TYPE)?;
    let text = |name: &str| peeked.get(name).and_then(Value::as_str).unwrap_or_default();
    let kind = if text("type").is_empty() && !text("role").is_empty() { "message" } else { text("type") };
    let schema = match kind {
        "message" => &MESSAGE,
        "function_call" => &CALL,
        "function_call_output" => &OUTPUT,
        "reasoning" => &THOUGHT,
        "web_search_call" => &SEARCH_CALL,
        "" => return Err(Fault::Other("input item missing required 'type' field".to_owned())),
        other => return Err(Fault::Other(format!("unknown input item type: {}", go_quoted(other)))),
    };
    let mut item = decode_as(json, schema)?;
    if let Value::Object(fields) = &mut item {
        // Go takes these apart when it has the rest.
        for name in ["content", "output"] {
            if let Some(Value::String(raw)) = fields.get(name) {
                let parts = list_of(&Json::read(raw.as_bytes()), name, part)?;
                fields.insert(name.to_owned(), parts);
            }
        }
        fields.insert("type".to_owned(), Value::String(kind.to_owned()));
    }
    Ok(item)
}

fn part(json: &Json<'_>) -> Result<Value, Fault> {
    let peeked = decode_as(json, &PART_TYPE)?;
    let schema = match peeked.get("type").and_then(Value::as_str).unwrap_or_default() {
        "input_text" => &TEXT_PART,
        "output_text" => &SAID_PART,
        "input_image" => &IMAGE_PART,
        "input_file" => &FILE_PART,
        other => return Err(Fault::Other(format!("unknown content type: {other}"))),
    };
    decode_as(json, schema)
}

/// Reads a request of `/v1/responses`.
pub(super) fn decode_ask(body: &[u8]) -> Result<Ask, Refusal> {
    let mut asked = decode(body, &REQUEST, NO_BODY).map_err(unparsed)?;
    let echo = echo(&asked);
    let messages = messages(&asked).map_err(unparsed)?;
    let mut options = take(&mut asked, &["top_p"]);
    options.insert("temperature".to_owned(), asked.remove("temperature").unwrap_or_else(|| json!(1.0)));
    if let Some(limit) = asked.remove("max_output_tokens") {
        options.insert("num_predict".to_owned(), limit);
    }
    let mut native = take(&mut asked, &["model"]);
    let effort = asked.get("reasoning").and_then(|reasoning| reasoning.get("effort")).and_then(Value::as_str);
    if let Some(think) = effort_of(effort.unwrap_or_default()).map_err(unparsed)? {
        native.insert("think".to_owned(), Value::Bool(think));
    }
    native.insert("tools".to_owned(), Value::Array(tools(fields::list(&mut asked, "tools")).map_err(unparsed)?));
    let format = asked.get("text").and_then(|text| text.get("format"));
    if let Some(format) = format.filter(|format| format["type"] == "json_schema")
        && let Some(schema) = format.get("schema")
    {
        native.insert("format".to_owned(), schema.clone());
    }
    native.insert("messages".to_owned(), Value::Array(messages));
    native.insert("options".to_owned(), Value::Object(options));
    native.insert("stream".to_owned(), Value::Bool(fields::flag(&asked, "stream").unwrap_or_default()));
    of_native(Dialect::Responses, native, Echo::Responses(echo))
}

/// The tools of a request, each namespace as its members. The built-in search has no schema that is looked at.
fn tools(given: Vec<Value>) -> Result<Vec<Value>, String> {
    let mut tools = Vec::new();
    for tool in given {
        if tool["type"] == "web_search" { tools.push(tool) } else { expand(&tool, &mut tools)? }
    }
    Ok(tools)
}

fn expand(tool: &Value, out: &mut Vec<Value>) -> Result<(), String> {
    if tool["type"] == "namespace" {
        let members = tool["tools"].as_array().map(Vec::as_slice).unwrap_or_default();
        return members.iter().try_for_each(|member| expand(member, out));
    }
    if let Some(parameters) = tool.get("parameters") {
        // Go writes the map anew before it reads the schema, so its keys come in order.
        let mut parameters = parameters.clone();
        parameters.sort_all_objects();
        let text = to_go_json(&parameters).unwrap_or_default();
        let checked = decode_as(&Json::read(text.as_bytes()), &TOOL_PARAMETERS);
        checked.map_err(|fault| format!("failed to unmarshal tool parameters: {}", fault.text()))?;
    }
    out.push(tool.clone());
    Ok(())
}

fn messages(asked: &Map<String, Value>) -> Result<Vec<Value>, String> {
    let mut messages = Vec::new();
    if let Some(instructions) = asked.get("instructions").filter(|text| *text != "") {
        messages.push(json!({"role": "system", "content": instructions}));
    }
    let items = match asked.get("input") {
        Some(Value::String(text)) if !text.is_empty() => {
            messages.push(json!({"role": "user", "content": text}));
            return Ok(messages);
        }
        Some(Value::Array(items)) => items.as_slice(),
        _ => &[],
    };
    // Thinking belongs to the message of the assistant that follows it.
    let mut thinking = String::new();
    for item in items {
        let text = |name: &str| item.get(name).and_then(Value::as_str).unwrap_or_default();
        match text("type") {
            "reasoning" => text("encrypted_content").clone_into(&mut thinking),
            // The message of the assistant that follows says what was found.
            "web_search_call" => {}
            "function_call" => {
                let arguments = match text("arguments") {
                    "" => json!({}),
                    given => object_of(given).ok_or_else(|| unparsable(given))?,
                };
                let call = json!({"id": text("call_id"), "function": {"name": text("name"), "arguments": arguments}});
                if messages.last().is_none_or(|last: &Value| last["role"] != "assistant") {
                    messages.push(json!({"role": "assistant", "content": ""}));
                }
                if let Some(Value::Object(last)) = messages.last_mut() {
                    let calls = last.entry("tool_calls").or_insert_with(|| json!([]));
                    if let Value::Array(calls) = calls {
                        calls.push(call);
                    }
                    attach(last, &mut thinking);
                }
            }
            "function_call_output" => {
                let mut message = with_content("tool", item.get("output"))?;
                message.insert("tool_call_id".to_owned(), Value::String(text("call_id").to_owned()));
                messages.push(Value::Object(message));
            }
            _ => {
                let mut message = with_content(text("role"), item.get("content"))?;
                if text("role") == "assistant" {
                    attach(&mut message, &mut thinking);
                }
                messages.push(Value::Object(message));
            }
        }
    }
    if !thinking.is_empty() {
        messages.push(json!({"role": "assistant", "content": "", "thinking": thinking}));
    }
    Ok(messages)
}

fn unparsable(arguments: &str) -> String {
    use super::scan::{Scanned, scan};
    let cause = match scan(arguments.as_bytes()) {
        Scanned::Broken(text) if text != "unexpected EOF" => text,
        Scanned::Value(_) => NO_OBJECT.to_owned(),
        Scanned::Broken(_) | Scanned::Empty => "unexpected end of JSON input".to_owned(),
    };
    format!("failed to parse function call arguments: {cause}")
}

fn attach(message: &mut Map<String, Value>, thinking: &mut String) {
    if !thinking.is_empty() {
        message.insert("thinking".to_owned(), Value::String(std::mem::take(thinking)));
    }
}

fn with_content(role: &str, content: Option<&Value>) -> Result<Map<String, Value>, String> {
    let mut text = String::new();
    let mut images = Vec::new();
    match content {
        Some(Value::String(content)) => text.clone_from(content),
        Some(Value::Array(parts)) => {
            for part in parts {
                let field = |name: &str| part.get(name).and_then(Value::as_str).unwrap_or_default();
                match field("type") {
                    "input_file" => return Err("file inputs are not currently supported".to_owned()),
                    "input_image" if field("image_url").is_empty() => {}
                    "input_image" => images.push(Value::String(image_data(field("image_url"))?.to_owned())),
                    _ => text.push_str(field("text")),
                }
            }
        }
        _ => {}
    }
    let mut message = Map::from_iter([
        ("role".to_owned(), Value::String(role.to_lowercase())),
        ("content".to_owned(), Value::String(text)),
    ]);
    if !images.is_empty() {
        message.insert("images".to_owned(), Value::Array(images));
    }
    Ok(message)
}

/// Everything that the answer repeats, in the order of Go's struct.
fn echo(asked: &Map<String, Value>) -> Map<String, Value> {
    let given = |name: &str| asked.get(name).cloned();
    let or_null = |value: Option<Value>| value.filter(|value| *value != "").unwrap_or_default();
    let stream = fields::flag(asked, "stream").unwrap_or_default();
    let tools = asked.get("tools").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let tools: Vec<Value> = tools.iter().map(|tool| echo_tool(tool, stream)).collect();
    let format = asked.get("text").and_then(|text| text.get("format")).map(echo_format);
    let echo = json!({
        "previous_response_id": null,
        "instructions": or_null(given("instructions")),
        "tools": tools,
        "tool_choice": "auto",
        "truncation": given("truncation").unwrap_or_else(|| json!("disabled")),
        "parallel_tool_calls": true,
        "text": {"format": format.unwrap_or_else(|| json!({"type": "text"}))},
        "top_p": given("top_p").unwrap_or_else(|| json!(1)),
        "presence_penalty": 0,
        "frequency_penalty": 0,
        "top_logprobs": 0,
        "temperature": given("temperature").unwrap_or_else(|| json!(1)),
        "reasoning": asked.get("reasoning").map(|reasoning| echo_reasoning(reasoning, stream)).unwrap_or_default(),
        "max_output_tokens": or_null(given("max_output_tokens")),
        "max_tool_calls": null,
        "store": false,
        "background": fields::flag(asked, "background").unwrap_or_default(),
        "service_tier": "default",
        "metadata": {},
        "safety_identifier": null,
        "prompt_cache_key": null,
    });
    if let Value::Object(echo) = echo { echo } else { Map::new() }
}

/// A stream does not show the members of a namespace.
fn echo_tool(tool: &Value, stream: bool) -> Value {
    let mut parameters = tool.get("parameters").cloned().unwrap_or_default();
    parameters.sort_all_objects();
    let mut echo = json!({
        "type": tool.get("type").and_then(Value::as_str).unwrap_or_default(),
        "name": tool.get("name").and_then(Value::as_str).unwrap_or_default(),
        "description": tool.get("description"),
        "strict": tool.get("strict"),
        "parameters": parameters,
    });
    if let Some(members) = tool["tools"].as_array().filter(|members| !stream && !members.is_empty()) {
        echo["tools"] = members.iter().map(|member| echo_tool(member, stream)).collect();
    }
    echo
}

fn echo_format(format: &Value) -> Value {
    let mut echo = Map::new();
    echo.insert("type".to_owned(), Value::from(format.get("type").and_then(Value::as_str).unwrap_or_default()));
    for name in ["name", "schema", "strict"] {
        if let Some(value) = format.get(name).filter(|value| *value != "") {
            echo.insert(name.to_owned(), value.clone());
        }
    }
    Value::Object(echo)
}

/// `null` without effort and summary. A stream shows a missing one of the two as `null`.
fn echo_reasoning(reasoning: &Value, stream: bool) -> Value {
    let given = |name: &str| reasoning.get(name).filter(|value| *value != "").cloned();
    let mut echo = Map::new();
    for (name, value) in ["effort", "summary"].map(|name| (name, given(name))) {
        if stream || value.is_some() {
            echo.insert(name.to_owned(), value.unwrap_or_default());
        }
    }
    if echo.values().all(Value::is_null) { Value::Null } else { Value::Object(echo) }
}
