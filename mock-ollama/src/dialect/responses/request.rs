//! `/v1/responses`, brought to the native form (`openai/responses.go`).

use serde_json::{Map, Value, json};

use crate::dialect::native::request::of_native;
use crate::dialect::native::schemas::{NO_OBJECT, TOOL_PARAMETERS};
use crate::dialect::openai::request::{NO_BODY, effort_of, image_data, object_of, take};
use crate::generation::{Dialect, ParsedRequest, Refusal};
use crate::go_json::fmt::quote;
use crate::go_json::{DecodeError, GoStruct, GoType, Json, Scanned, decode, decode_as, fields, parse, scan, to_string};

static REQUEST: GoStruct = GoStruct(
    "openai.ResponsesRequest",
    &[
        (GoType::Text, &["model", "instructions", "truncation"]),
        (GoType::Bool, &["background", "stream"]),
        (GoType::Raw, &["conversation"]),
        (GoType::List("[]string", &GoType::Text), &["include"]),
        (GoType::Custom(input), &["input"]),
        (GoType::Int, &["max_output_tokens"]),
        (GoType::Struct(&REASONING), &["reasoning"]),
        (GoType::Float("float64"), &["temperature", "top_p"]),
        (GoType::Struct(&TEXT), &["text"]),
        (GoType::List("[]openai.ResponsesTool", &GoType::Struct(&TOOL)), &["tools"]),
    ],
);

static REASONING: GoStruct =
    GoStruct("openai.ResponsesReasoning", &[(GoType::Text, &["effort", "generate_summary", "summary"])]);

static TEXT: GoStruct = GoStruct("openai.ResponsesText", &[(GoType::Struct(&TEXT_FORMAT), &["format"])]);

static TEXT_FORMAT: GoStruct = GoStruct(
    "openai.ResponsesTextFormat",
    &[(GoType::Text, &["type", "name"]), (GoType::Any, &["schema"]), (GoType::Bool, &["strict"])],
);

static TOOL: GoStruct = GoStruct(
    "openai.ResponsesTool",
    &[
        (GoType::Text, &["type", "name", "description"]),
        (GoType::Bool, &["strict"]),
        (GoType::Map, &["parameters"]),
        (GoType::List("[]openai.ResponsesTool", &GoType::Struct(&TOOL)), &["tools"]),
    ],
);

/// What an item is looked at for first.
static ITEM_TYPE: GoStruct = GoStruct(
    r#"struct { Type string "json:\"type\""; Role string "json:\"role\"" }"#,
    &[(GoType::Text, &["type", "role"])],
);

static MESSAGE: GoStruct = GoStruct("", &[(GoType::Text, &["type", "role"]), (GoType::Raw, &["content"])]);

static CALL: GoStruct =
    GoStruct("openai.ResponsesFunctionCall", &[(GoType::Text, &["id", "type", "call_id", "name", "arguments"])]);

static OUTPUT: GoStruct = GoStruct("", &[(GoType::Text, &["type", "call_id"]), (GoType::Raw, &["output"])]);

static THOUGHT: GoStruct = GoStruct(
    "openai.ResponsesReasoningInput",
    &[
        (GoType::Text, &["id", "type", "encrypted_content"]),
        (GoType::List("[]openai.ResponsesReasoningSummary", &GoType::Struct(&SUMMARY)), &["summary"]),
    ],
);

static SEARCH_CALL: GoStruct = GoStruct(
    "openai.ResponsesWebSearchCall",
    &[(GoType::Text, &["id", "type", "status"]), (GoType::Struct(&SEARCH_ACTION), &["action"])],
);

static SEARCH_ACTION: GoStruct = GoStruct("openai.ResponsesWebSearchAction", &[(GoType::Text, &["type", "query"])]);

static SUMMARY: GoStruct = GoStruct("openai.ResponsesReasoningSummary", &[(GoType::Text, &["type", "text"])]);

/// What a part of a message is looked at for first.
static PART_TYPE: GoStruct = GoStruct(r#"struct { Type string "json:\"type\"" }"#, &[(GoType::Text, &["type"])]);

static TEXT_PART: GoStruct = GoStruct("openai.ResponsesTextContent", &[(GoType::Text, &["type", "text"])]);

static SAID_PART: GoStruct = GoStruct("openai.ResponsesOutputTextContent", &[(GoType::Text, &["type", "text"])]);

static IMAGE_PART: GoStruct =
    GoStruct("openai.ResponsesImageContent", &[(GoType::Text, &["type", "detail", "file_id", "image_url"])]);

static FILE_PART: GoStruct = GoStruct(
    "openai.ResponsesFileContent",
    &[(GoType::Text, &["type", "file_data", "file_id", "file_url", "filename"])],
);

fn around(place: &str, fault: &DecodeError) -> DecodeError {
    DecodeError::Other(format!("{place}: {}", fault.text()))
}

/// A text, or a list of items.
fn input(json: &Json<'_>) -> Result<Value, DecodeError> {
    list_of(json, "input", item)
}

fn list_of(json: &Json<'_>, what: &str, of: fn(&Json<'_>) -> Result<Value, DecodeError>) -> Result<Value, DecodeError> {
    match json {
        Json::Null => Ok(Value::Null),
        Json::Text(text) => Ok(Value::String(text.clone())),
        Json::List(items) => {
            let items = items.iter().enumerate();
            let items = items.map(|(at, json)| of(json).map_err(|fault| around(&format!("{what}[{at}]"), &fault)));
            Ok(Value::Array(items.collect::<Result<_, _>>()?))
        }
        other => {
            let fault = DecodeError::mistyped(other.kind(), "[]json.RawMessage");
            Err(around(&format!("{what} must be a string or array"), &fault))
        }
    }
}

fn item(json: &Json<'_>) -> Result<Value, DecodeError> {
    let peeked = decode_as(json, &ITEM_TYPE)?;
    let text = |name: &str| peeked.get(name).and_then(Value::as_str).unwrap_or_default();
    let kind = if text("type").is_empty() && !text("role").is_empty() { "message" } else { text("type") };
    let schema = match kind {
        "message" => &MESSAGE,
        "function_call" => &CALL,
        "function_call_output" => &OUTPUT,
        "reasoning" => &THOUGHT,
        "web_search_call" => &SEARCH_CALL,
        "" => return Err(DecodeError::Other("input item missing required 'type' field".to_owned())),
        other => return Err(DecodeError::Other(format!("unknown input item type: {}", quote(other)))),
    };
    let mut item = decode_as(json, schema)?;
    if let Value::Object(fields) = &mut item {
        // Go takes these apart when it has the rest.
        for name in ["content", "output"] {
            if let Some(Value::String(raw)) = fields.get(name) {
                let parts = list_of(&parse(raw.as_bytes()), name, part)?;
                fields.insert(name.to_owned(), parts);
            }
        }
        fields.insert("type".to_owned(), Value::String(kind.to_owned()));
    }
    Ok(item)
}

fn part(json: &Json<'_>) -> Result<Value, DecodeError> {
    let peeked = decode_as(json, &PART_TYPE)?;
    let schema = match peeked.get("type").and_then(Value::as_str).unwrap_or_default() {
        "input_text" => &TEXT_PART,
        "output_text" => &SAID_PART,
        "input_image" => &IMAGE_PART,
        "input_file" => &FILE_PART,
        other => return Err(DecodeError::Other(format!("unknown content type: {other}"))),
    };
    decode_as(json, schema)
}

/// Reads a request of `/v1/responses`.
pub(crate) fn decode_responses(body: &[u8]) -> Result<ParsedRequest, Refusal> {
    let mut asked = decode(body, &REQUEST, NO_BODY).map_err(Refusal::by_parser)?;
    let echo = echo(&asked);
    let messages = messages(&asked).map_err(Refusal::by_parser)?;
    let mut options = take(&mut asked, &["top_p"]);
    options.insert("temperature".to_owned(), asked.remove("temperature").unwrap_or_else(|| json!(1.0)));
    if let Some(limit) = asked.remove("max_output_tokens") {
        options.insert("num_predict".to_owned(), limit);
    }
    let mut native = take(&mut asked, &["model"]);
    let effort = asked.get("reasoning").and_then(|reasoning| reasoning.get("effort")).and_then(Value::as_str);
    if let Some(think) = effort_of(effort.unwrap_or_default()).map_err(Refusal::by_parser)? {
        native.insert("think".to_owned(), Value::Bool(think));
    }
    native.insert(
        "tools".to_owned(),
        Value::Array(tools(fields::list(&mut asked, "tools")).map_err(Refusal::by_parser)?),
    );
    let format = asked.get("text").and_then(|text| text.get("format"));
    if let Some(format) = format.filter(|format| format["type"] == "json_schema")
        && let Some(schema) = format.get("schema")
    {
        native.insert("format".to_owned(), schema.clone());
    }
    native.insert("messages".to_owned(), Value::Array(messages));
    native.insert("options".to_owned(), Value::Object(options));
    native.insert("stream".to_owned(), Value::Bool(fields::flag(&asked, "stream").unwrap_or_default()));
    of_native(Dialect::Responses, false, native, echo)
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
        let text = to_string(&parameters);
        let checked = decode_as(&parse(text.as_bytes()), &TOOL_PARAMETERS);
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
    let cause = match scan(arguments.as_bytes()) {
        Scanned::Broken(text) if text != "unexpected EOF" => text,
        Scanned::Value(..) => NO_OBJECT.to_owned(),
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

/// The answer but for what its generation adds: everything that it repeats, in the order of Go's struct.
fn echo(asked: &Map<String, Value>) -> Map<String, Value> {
    let given = |name: &str| asked.get(name).cloned();
    let or_null = |value: Option<Value>| value.filter(|value| *value != "").unwrap_or_default();
    let stream = fields::flag(asked, "stream").unwrap_or_default();
    let tools = asked.get("tools").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let tools: Vec<Value> = tools.iter().map(|tool| echo_tool(tool, stream)).collect();
    let format = asked.get("text").and_then(|text| text.get("format")).map(echo_format);
    let echo = json!({
        "id": null,
        "object": "response",
        "created_at": null,
        "completed_at": null,
        "status": null,
        "incomplete_details": null,
        "model": null,
        "previous_response_id": null,
        "instructions": or_null(given("instructions")),
        "output": null,
        "error": null,
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
        "usage": null,
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
