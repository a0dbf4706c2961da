//! `/v1/responses` (Ollama `openai/responses.go`, `middleware/openai.go`).
//!
//! The events of a stream are built from maps, so their keys are sorted at every level; the whole answer is a struct.

use serde_json::{Map, Value, json};

use super::go_json::{go_lossy, to_string};
use super::objects::arguments_text;
use super::{Ids, Render, Reply, sse_fields};
use crate::generation::{Metrics, Part, ToolCall};

/// Renders one response.
#[derive(Debug)]
pub(super) struct Responses {
    model: String,
    echo: Map<String, Value>,
    response_id: String,
    ids: Ids,
    sequence: u64,
    created: u64,
    begun: bool,
    /// The thinking so far while its item is open.
    thinking: Option<String>,
    /// The text so far while its item is open.
    text: Option<String>,
    /// The items that are complete.
    output: Vec<Value>,
    calls: usize,
}

/// The fields of a response in the order of the struct.
const ORDER: &[&str] = &[
    "id",
    "object",
    "created_at",
    "completed_at",
    "status",
    "incomplete_details",
    "model",
    "previous_response_id",
    "instructions",
    "output",
    "error",
    "tools",
    "tool_choice",
    "truncation",
    "parallel_tool_calls",
    "text",
    "top_p",
    "presence_penalty",
    "frequency_penalty",
    "top_logprobs",
    "temperature",
    "reasoning",
    "usage",
    "max_output_tokens",
    "max_tool_calls",
    "store",
    "background",
    "service_tier",
    "metadata",
    "safety_identifier",
    "prompt_cache_key",
];

impl Responses {
    pub(super) fn new(model: &str, echo: Map<String, Value>, ids: Ids) -> Self {
        Self {
            model: model.to_owned(),
            echo,
            response_id: format!("resp_{}", ids.number("resp", 999_999)),
            ids,
            sequence: 0,
            created: 0,
            begun: false,
            thinking: None,
            text: None,
            output: Vec::new(),
            calls: 0,
        }
    }

    fn item(&self, prefix: &str) -> String {
        format!("{prefix}_{}", self.ids.number(prefix, 999_999))
    }

    /// The response object; of a stream its keys are sorted later.
    fn response(&self, status: &str, output: Value, completed_at: Option<u64>, usage: Value) -> Value {
        let mut fields = self.echo.clone();
        let mut set = |name: &str, value: Value| fields.insert(name.to_owned(), value);
        set("id", json!(self.response_id));
        set("object", json!("response"));
        set("created_at", json!(self.created));
        set("completed_at", json!(completed_at));
        set("status", json!(status));
        set("incomplete_details", Value::Null);
        set("model", json!(self.model));
        set("output", output);
        set("error", Value::Null);
        set("usage", usage);
        let ordered = ORDER.iter().map(|name| ((*name).to_owned(), fields.remove(*name).unwrap_or_default()));
        Value::Object(ordered.collect())
    }

    fn event(&mut self, kind: &str, mut data: Value) -> Vec<u8> {
        data["sequence_number"] = json!(self.sequence);
        data["type"] = json!(kind);
        self.sequence += 1;
        let data = to_string(&sorted(data)).unwrap_or_default();
        format!("event: {kind}\ndata: {data}\n\n").into_bytes()
    }

    fn begin(&mut self, out: &mut Vec<Vec<u8>>) {
        if std::mem::replace(&mut self.begun, true) {
            return;
        }
        let response = self.response("in_progress", json!([]), None, Value::Null);
        for kind in ["response.created", "response.in_progress"] {
            out.push(self.event(kind, json!({ "response": response })));
        }
    }

    fn think(&mut self, text: &str, out: &mut Vec<Vec<u8>>) {
        let (id, index) = (self.item("rs"), self.output.len());
        if self.thinking.is_none() {
            self.thinking = Some(String::new());
            let item = json!({ "id": id, "summary": [], "type": "reasoning" });
            out.push(self.event("response.output_item.added", json!({ "item": item, "output_index": index })));
        }
        if let Some(thinking) = &mut self.thinking {
            thinking.push_str(text);
        }
        let data = json!({ "delta": text, "item_id": id, "output_index": index, "summary_index": 0 });
        out.push(self.event("response.reasoning_summary_text.delta", data));
    }

    fn end_thinking(&mut self, out: &mut Vec<Vec<u8>>) {
        let Some(text) = self.thinking.take() else { return };
        let (id, index) = (self.item("rs"), self.output.len());
        let data = json!({ "item_id": id, "output_index": index, "summary_index": 0, "text": text });
        out.push(self.event("response.reasoning_summary_text.done", data));
        let item = reasoning(&id, &text);
        out.push(self.event("response.output_item.done", json!({ "item": item, "output_index": index })));
        self.output.push(item);
    }

    fn say(&mut self, text: &str, out: &mut Vec<Vec<u8>>) {
        self.end_thinking(out);
        let (id, index) = (self.item("msg"), self.output.len());
        if self.text.is_none() {
            self.text = Some(String::new());
            let item = message(&id, "in_progress", &json!([]));
            out.push(self.event("response.output_item.added", json!({ "item": item, "output_index": index })));
            let data = json!({ "content_index": 0, "item_id": id, "output_index": index, "part": part_of("") });
            out.push(self.event("response.content_part.added", data));
        }
        if let Some(said) = &mut self.text {
            said.push_str(text);
        }
        let data = json!({ "content_index": 0, "delta": text, "item_id": id, "logprobs": [], "output_index": index });
        out.push(self.event("response.output_text.delta", data));
    }

    fn end_text(&mut self, out: &mut Vec<Vec<u8>>) {
        let Some(text) = self.text.take() else { return };
        let (id, index) = (self.item("msg"), self.output.len());
        let data = json!({ "content_index": 0, "item_id": id, "logprobs": [], "output_index": index, "text": text });
        out.push(self.event("response.output_text.done", data));
        let data = json!({ "content_index": 0, "item_id": id, "output_index": index, "part": part_of(&text) });
        out.push(self.event("response.content_part.done", data));
        let item = message(&id, "completed", &json!([part_of(&text)]));
        out.push(self.event("response.output_item.done", json!({ "item": item, "output_index": index })));
        self.output.push(item);
    }

    fn call(&mut self, call: &ToolCall, out: &mut Vec<Vec<u8>>) {
        let (id, index) = (format!("{}_{}", self.item("fc"), self.calls), self.output.len());
        self.calls += 1;
        let arguments = arguments_text(call);
        let item = function_call(&id, "in_progress", call, "");
        out.push(self.event("response.output_item.added", json!({ "item": item, "output_index": index })));
        let data = json!({ "delta": arguments, "item_id": id, "output_index": index });
        out.push(self.event("response.function_call_arguments.delta", data));
        let data = json!({ "arguments": arguments, "item_id": id, "output_index": index });
        out.push(self.event("response.function_call_arguments.done", data));
        let item = function_call(&id, "completed", call, &arguments);
        out.push(self.event("response.output_item.done", json!({ "item": item, "output_index": index })));
        self.output.push(item);
    }
}

fn usage(metrics: Metrics) -> Value {
    json!({
        "input_tokens": metrics.prompt_eval_count,
        "output_tokens": metrics.eval_count,
        "total_tokens": metrics.prompt_eval_count + metrics.eval_count,
        "input_tokens_details": { "cached_tokens": 0 },
        "output_tokens_details": { "reasoning_tokens": 0 },
    })
}

fn reasoning(id: &str, text: &str) -> Value {
    json!({
        "id": id,
        "type": "reasoning",
        "summary": [{ "type": "summary_text", "text": text }],
        "encrypted_content": text,
    })
}

fn message(id: &str, status: &str, content: &Value) -> Value {
    json!({ "id": id, "type": "message", "status": status, "role": "assistant", "content": content })
}

fn part_of(text: &str) -> Value {
    json!({ "type": "output_text", "text": text, "annotations": [], "logprobs": [] })
}

fn function_call(id: &str, status: &str, call: &ToolCall, arguments: &str) -> Value {
    json!({
        "id": id,
        "type": "function_call",
        "status": status,
        "call_id": call.id.as_deref().unwrap_or_default(),
        "name": call.name,
        "arguments": arguments,
    })
}

/// The same with the keys of every object in ascending order, as Go's encoder writes maps.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<(String, Value)> = map.into_iter().map(|(key, value)| (key, sorted(value))).collect();
            entries.sort_by(|(one, _), (other, _)| one.cmp(other));
            Value::Object(entries.into_iter().collect())
        }
        Value::Array(values) => values.into_iter().map(sorted).collect(),
        other => other,
    }
}

impl Render for Responses {
    fn stream_fields(&self) -> Vec<(String, String)> {
        sse_fields(true)
    }

    fn part(&mut self, part: &Part) -> Vec<Vec<u8>> {
        let seconds = part.unix_nanos / 1_000_000_000;
        if !self.begun {
            self.created = seconds;
        }
        let mut out = Vec::new();
        self.begin(&mut out);
        if !part.thinking.is_empty() {
            self.think(&part.thinking, &mut out);
        }
        if !part.text.is_empty() {
            self.say(&go_lossy(&part.text), &mut out);
        }
        for call in &part.calls {
            self.end_thinking(&mut out);
            self.end_text(&mut out);
            self.call(call, &mut out);
        }
        if let Some(done) = &part.done {
            self.end_thinking(&mut out);
            self.end_text(&mut out);
            // Go leaves a list that nothing was appended to as null.
            let output = if self.output.is_empty() { Value::Null } else { Value::from(self.output.clone()) };
            let usage = usage(done.metrics.unwrap_or_default());
            let response = self.response("completed", output, Some(seconds), usage);
            out.push(self.event("response.completed", json!({ "response": response })));
        }
        out
    }

    /// The stream just ends.
    fn failure(&mut self, _text: &str) -> Vec<Vec<u8>> {
        Vec::new()
    }

    fn whole(&mut self, part: &Part) -> Reply {
        self.created = part.unix_nanos / 1_000_000_000;
        let mut output = Vec::new();
        if !part.thinking.is_empty() {
            output.push(reasoning(&format!("rs_{}", self.response_id), &part.thinking));
        }
        if part.calls.is_empty() {
            let text = go_lossy(&part.text);
            output.push(message(&self.item("msg"), "completed", &json!([part_of(&text)])));
        }
        for (call, number) in part.calls.iter().zip(0..) {
            let arguments = arguments_text(call);
            output.push(function_call(&format!("fc_{}_{number}", self.response_id), "completed", call, &arguments));
        }
        let metrics = part.done.as_ref().and_then(|done| done.metrics).unwrap_or_default();
        let response = self.response("completed", Value::from(output), Some(self.created), usage(metrics));
        Reply::new(200, "application/json", to_string(&response).unwrap_or_default() + "\n")
    }
}
