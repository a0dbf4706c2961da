//! `/v1/responses` (Ollama `openai/responses.go`, `middleware/openai.go`).
//!
//! The events of a stream are built from maps, so their keys are sorted at every level; the whole answer is a struct.

use serde_json::{Map, Value, json};

use crate::dialect::ids::Ids;
use crate::dialect::render::Render;
use crate::dialect::shared::{arguments_text, sse_fields};
use crate::generation::{Done, Metrics, Part, ToolCall};
use crate::go_json::{lossy_text, to_string};
use crate::http::Reply;

/// Renders one response.
#[derive(Debug)]
pub(crate) struct ResponsesRenderer {
    pub(super) model: String,
    echo: Map<String, Value>,
    /// The number of its id.
    pub(super) number: u32,
    pub(super) ids: Ids,
    sequence: u64,
    /// Seconds since 1970 of the object that is rendered.
    pub(super) now: i64,
    begun: bool,
    /// The place of the next item. A text that calls follow keeps its place open, so that the first of them has it, too.
    pub(super) index: usize,
    /// The thinking so far while its item is open, and the item's id.
    thinking: Option<(String, String)>,
    /// The text so far while its item is open.
    text: Option<String>,
    /// The id of the next item of text.
    text_id: String,
    /// The items that are complete.
    output: Vec<Value>,
    /// Calls so far.
    calls: usize,
    /// Whether calls have come, after which text is dropped.
    has_called: bool,
}

/// The numbers of ids are below this.
const ID_BOUND: u32 = 999_999;

impl ResponsesRenderer {
    pub(crate) fn new(model: &str, echo: Map<String, Value>, ids: Ids) -> Self {
        Self {
            model: model.to_owned(),
            echo,
            number: ids.number("resp", ID_BOUND),
            ids,
            sequence: 0,
            now: 0,
            begun: false,
            index: 0,
            thinking: None,
            text: None,
            text_id: format!("msg_{}", ids.number("msg", ID_BOUND)),
            output: Vec::new(),
            calls: 0,
            has_called: false,
        }
    }

    pub(super) fn id(&self) -> String {
        format!("resp_{}", self.number)
    }

    /// The response object; of a stream its keys are sorted later.
    fn response(&self, status: &str, output: Value, completed_at: Option<i64>, usage: Value) -> Value {
        let mut response = Value::Object(self.echo.clone());
        response["id"] = json!(self.id());
        response["created_at"] = json!(self.now);
        response["completed_at"] = json!(completed_at);
        response["status"] = json!(status);
        response["model"] = json!(self.model);
        response["output"] = output;
        response["usage"] = usage;
        response
    }

    pub(super) fn event(&mut self, kind: &str, mut data: Value) -> Vec<u8> {
        data["sequence_number"] = json!(self.sequence);
        data["type"] = json!(kind);
        self.sequence += 1;
        // Go's encoder writes the keys of maps in ascending order.
        data.sort_all_objects();
        let data = to_string(&data);
        format!("event: {kind}\ndata: {data}\n\n").into_bytes()
    }

    pub(super) fn begin(&mut self, out: &mut Vec<Vec<u8>>) {
        if std::mem::replace(&mut self.begun, true) {
            return;
        }
        let response = self.response("in_progress", json!([]), None, Value::Null);
        for kind in ["response.created", "response.in_progress"] {
            out.push(self.event(kind, json!({ "response": response })));
        }
    }

    fn think(&mut self, text: &str, out: &mut Vec<Vec<u8>>) {
        let index = self.index;
        let mut open = self.thinking.take();
        if open.is_none() {
            let id = format!("rs_{}", self.ids.number(&format!("rs {index}"), ID_BOUND));
            let item = json!({ "id": id, "summary": [], "type": "reasoning" });
            out.push(self.event("response.output_item.added", json!({ "item": item, "output_index": index })));
            open = Some((id, String::new()));
        }
        let (id, thought) = open.unwrap_or_default();
        let data = json!({ "delta": text, "item_id": id, "output_index": index, "summary_index": 0 });
        out.push(self.event("response.reasoning_summary_text.delta", data));
        self.thinking = Some((id, thought + text));
    }

    pub(super) fn end_thinking(&mut self, out: &mut Vec<Vec<u8>>) {
        let Some((id, text)) = self.thinking.take() else { return };
        let data = json!({ "item_id": id, "output_index": self.index, "summary_index": 0, "text": text });
        out.push(self.event("response.reasoning_summary_text.done", data));
        self.item_done(reasoning(&id, &text), out);
    }

    /// Completes the item at the next place.
    fn item_done(&mut self, item: Value, out: &mut Vec<Vec<u8>>) {
        let data = json!({ "item": item, "output_index": self.index });
        out.push(self.event("response.output_item.done", data));
        self.output.push(item);
        self.index += 1;
    }

    fn say(&mut self, text: &str, out: &mut Vec<Vec<u8>>) {
        self.end_thinking(out);
        let (id, index) = (self.text_id.clone(), self.index);
        if self.text.is_none() {
            let item = message(&id, "in_progress", &json!([]));
            out.push(self.event("response.output_item.added", json!({ "item": item, "output_index": index })));
            let data = json!({ "content_index": 0, "item_id": id, "output_index": index, "part": part_of("") });
            out.push(self.event("response.content_part.added", data));
        }
        self.text.get_or_insert_default().push_str(text);
        let data = json!({ "content_index": 0, "delta": text, "item_id": id, "logprobs": [], "output_index": index });
        out.push(self.event("response.output_text.delta", data));
    }

    pub(super) fn end_text(&mut self, out: &mut Vec<Vec<u8>>) {
        let Some(text) = self.text.take() else { return };
        let (id, index) = (self.text_id.clone(), self.index);
        let data = json!({ "content_index": 0, "item_id": id, "logprobs": [], "output_index": index, "text": text });
        out.push(self.event("response.output_text.done", data));
        let data = json!({ "content_index": 0, "item_id": id, "output_index": index, "part": part_of(&text) });
        out.push(self.event("response.content_part.done", data));
        self.item_done(message(&id, "completed", &json!([part_of(&text)])), out);
        self.text_id = format!("msg_{}_{}", self.number, self.index);
    }

    /// The calls of one object, counted from zero in their ids.
    pub(super) fn call(&mut self, calls: &[&ToolCall], out: &mut Vec<Vec<u8>>) {
        for (place, call) in calls.iter().enumerate() {
            let number = self.ids.number(&format!("fc {}", self.calls), ID_BOUND);
            let (id, index) = (format!("fc_{number}_{place}"), self.index);
            self.calls += 1;
            let arguments = arguments_text(call);
            let item = function_call(&id, "in_progress", call, "");
            out.push(self.event("response.output_item.added", json!({ "item": item, "output_index": index })));
            let data = json!({ "delta": arguments, "item_id": id, "output_index": index });
            out.push(self.event("response.function_call_arguments.delta", data));
            let data = json!({ "arguments": arguments, "item_id": id, "output_index": index });
            out.push(self.event("response.function_call_arguments.done", data));
            self.item_done(function_call(&id, "completed", call, &arguments), out);
        }
    }

    pub(super) fn complete(&mut self, done: &Done, out: &mut Vec<Vec<u8>>) {
        self.end_thinking(out);
        if self.has_called {
            // A text before the calls is in the answer, behind them, but no event says that it is complete.
            let text = self.text.take().map(|text| message(&self.text_id, "completed", &json!([part_of(&text)])));
            self.output.extend(text);
        }
        self.end_text(out);
        // Go leaves a list that nothing was appended to as null.
        let output = if self.output.is_empty() { Value::Null } else { Value::from(self.output.clone()) };
        let usage = usage(done.metrics.unwrap_or_default());
        let response = self.response("completed", output, Some(self.now), usage);
        out.push(self.event("response.completed", json!({ "response": response })));
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

impl Render for ResponsesRenderer {
    fn stream_fields(&self) -> Vec<(String, String)> {
        sse_fields(true)
    }

    fn part(&mut self, part: &Part) -> Vec<Vec<u8>> {
        self.now = part.created_unix_s();
        let mut out = Vec::new();
        self.begin(&mut out);
        if !part.thinking.is_empty() {
            self.think(&part.thinking, &mut out);
        }
        if !part.calls.is_empty() {
            self.has_called = true;
            self.end_thinking(&mut out);
            self.call(&part.calls.iter().collect::<Vec<_>>(), &mut out);
        }
        if !part.text.is_empty() && !self.has_called {
            self.say(&lossy_text(&part.text), &mut out);
        }
        if let Some(done) = &part.done {
            self.complete(done, &mut out);
        }
        out
    }

    /// The stream just ends.
    fn failure(&mut self, _text: &str) -> Vec<Vec<u8>> {
        Vec::new()
    }

    fn whole(&mut self, part: &Part) -> Reply {
        self.now = part.created_unix_s();
        let mut output = Vec::new();
        if !part.thinking.is_empty() {
            output.push(reasoning(&format!("rs_{}", self.id()), &part.thinking));
        }
        if part.calls.is_empty() {
            let text = lossy_text(&part.text);
            output.push(message(&self.text_id, "completed", &json!([part_of(&text)])));
        }
        for (call, place) in part.calls.iter().zip(0..) {
            let arguments = arguments_text(call);
            output.push(function_call(&format!("fc_{}_{place}", self.id()), "completed", call, &arguments));
        }
        let metrics = part.done.as_ref().and_then(|done| done.metrics).unwrap_or_default();
        let completed_at = part.unix_nanos / 1_000_000_000;
        let completed_at = i64::try_from(completed_at).ok();
        let response = self.response("completed", Value::from(output), completed_at, usage(metrics));
        Reply::wrapped(200, &to_string(&response))
    }
}
