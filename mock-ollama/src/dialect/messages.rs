//! `/v1/messages` (Ollama `anthropic/anthropic.go`, `middleware/anthropic.go`).

use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Map, Value};

use super::go_json::go_lossy;
use super::objects::{arguments, arguments_text, json};
use super::{Ids, Render, Reply, sse_fields};
use crate::generation::{Done, Part, Reason};

/// Renders one message.
#[derive(Debug)]
pub(super) struct Messages {
    id: String,
    model: String,
    estimated_tokens: u64,
    begun: bool,
    /// The kind of the block that is open.
    open: Option<Kind>,
    /// How many blocks there were before it.
    index: usize,
    has_calls: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Thinking,
    Text,
}

#[derive(Clone, Copy, Serialize)]
struct Usage {
    input_tokens: u64,
    output_tokens: u64,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Block<'a> {
    Thinking { thinking: &'a str },
    Text { text: String },
    ToolUse { id: &'a str, name: &'a str, input: Cow<'a, Map<String, Value>> },
}

#[derive(Serialize)]
struct Message<'a> {
    id: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    role: &'static str,
    model: &'a str,
    content: Option<Vec<Block<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stop_reason: Option<&'static str>,
    usage: Usage,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Event<'a> {
    MessageStart { message: Message<'a> },
    ContentBlockStart { index: usize, content_block: Block<'a> },
    ContentBlockDelta { index: usize, delta: Delta },
    ContentBlockStop { index: usize },
    MessageDelta { delta: Stop, usage: Usage },
    MessageStop,
}

#[derive(Serialize)]
#[serde(tag = "type")]
enum Delta {
    #[serde(rename = "thinking_delta")]
    Thinking { thinking: String },
    #[serde(rename = "text_delta")]
    Text { text: String },
    #[serde(rename = "input_json_delta")]
    InputJson { partial_json: String },
}

#[derive(Serialize)]
struct Stop {
    stop_reason: &'static str,
}

impl Event<'_> {
    fn name(&self) -> &'static str {
        match self {
            Self::MessageStart { .. } => "message_start",
            Self::ContentBlockStart { .. } => "content_block_start",
            Self::ContentBlockDelta { .. } => "content_block_delta",
            Self::ContentBlockStop { .. } => "content_block_stop",
            Self::MessageDelta { .. } => "message_delta",
            Self::MessageStop => "message_stop",
        }
    }

    fn encode(&self) -> Vec<u8> {
        format!("event: {}\ndata: {}\n\n", self.name(), json(self)).into_bytes()
    }
}

impl Messages {
    pub(super) fn new(model: &str, estimated_tokens: u64, ids: Ids) -> Self {
        Self {
            id: format!("msg_{}", ids.hex("msg", 24)),
            model: model.to_owned(),
            estimated_tokens,
            begun: false,
            open: None,
            index: 0,
            has_calls: false,
        }
    }

    fn message<'a>(&'a self, content: Option<Vec<Block<'a>>>, stop: Option<&'static str>, usage: Usage) -> Message<'a> {
        let (kind, role) = ("message", "assistant");
        Message { id: &self.id, kind, role, model: &self.model, content, stop_reason: stop, usage }
    }

    fn close(&mut self, out: &mut Vec<Vec<u8>>) {
        if self.open.take().is_some() {
            out.push(Event::ContentBlockStop { index: self.index }.encode());
            self.index += 1;
        }
    }

    fn say(&mut self, kind: Kind, text: String, out: &mut Vec<Vec<u8>>) {
        if self.open != Some(kind) {
            self.close(out);
            self.open = Some(kind);
            let content_block = match kind {
                Kind::Thinking => Block::Thinking { thinking: "" },
                Kind::Text => Block::Text { text: String::new() },
            };
            out.push(Event::ContentBlockStart { index: self.index, content_block }.encode());
        }
        let delta = match kind {
            Kind::Thinking => Delta::Thinking { thinking: text },
            Kind::Text => Delta::Text { text },
        };
        out.push(Event::ContentBlockDelta { index: self.index, delta }.encode());
    }

    fn stop_reason(&self, done: &Done) -> &'static str {
        match done.reason {
            Reason::Stop if self.has_calls => "tool_use",
            Reason::Stop => "end_turn",
            Reason::Length => "max_tokens",
            Reason::Load | Reason::Unload => "stop_sequence",
        }
    }
}

fn usage(done: Option<&Done>) -> Usage {
    let metrics = done.and_then(|done| done.metrics).unwrap_or_default();
    Usage { input_tokens: metrics.prompt_eval_count, output_tokens: metrics.eval_count }
}

impl Render for Messages {
    fn stream_fields(&self) -> Vec<(String, String)> {
        sse_fields(true)
    }

    fn part(&mut self, part: &Part) -> Vec<Vec<u8>> {
        let mut out = Vec::new();
        if !std::mem::replace(&mut self.begun, true) {
            // The count is an estimate unless the first object already has it.
            let counted = usage(part.done.as_ref()).input_tokens;
            let input_tokens = if counted > 0 { counted } else { self.estimated_tokens };
            let usage = Usage { input_tokens, output_tokens: 0 };
            out.push(Event::MessageStart { message: self.message(Some(Vec::new()), None, usage) }.encode());
        }
        if !part.thinking.is_empty() {
            self.say(Kind::Thinking, part.thinking.clone(), &mut out);
        }
        if !part.text.is_empty() {
            self.say(Kind::Text, go_lossy(&part.text), &mut out);
        }
        for call in &part.calls {
            self.has_calls = true;
            self.close(&mut out);
            let (index, input) = (self.index, Cow::default());
            let id = call.id.as_deref().unwrap_or_default();
            let content_block = Block::ToolUse { id, name: &call.name, input };
            out.push(Event::ContentBlockStart { index, content_block }.encode());
            let delta = Delta::InputJson { partial_json: arguments_text(call) };
            out.push(Event::ContentBlockDelta { index, delta }.encode());
            out.push(Event::ContentBlockStop { index }.encode());
            self.index += 1;
        }
        if let Some(done) = &part.done {
            self.close(&mut out);
            let delta = Stop { stop_reason: self.stop_reason(done) };
            out.push(Event::MessageDelta { delta, usage: usage(Some(done)) }.encode());
            out.push(Event::MessageStop.encode());
        }
        out
    }

    /// The stream just ends.
    fn failure(&mut self, _text: &str) -> Vec<Vec<u8>> {
        Vec::new()
    }

    fn whole(&mut self, part: &Part) -> Reply {
        self.has_calls = !part.calls.is_empty();
        let mut blocks = Vec::new();
        if !part.thinking.is_empty() {
            blocks.push(Block::Thinking { thinking: &part.thinking });
        }
        if !part.text.is_empty() {
            blocks.push(Block::Text { text: go_lossy(&part.text) });
        }
        blocks.extend(part.calls.iter().map(|call| Block::ToolUse {
            id: call.id.as_deref().unwrap_or_default(),
            name: &call.name,
            input: arguments(call),
        }));
        let content = (!blocks.is_empty()).then_some(blocks);
        let stop = part.done.as_ref().map(|done| self.stop_reason(done));
        let message = self.message(content, stop, usage(part.done.as_ref()));
        Reply::new(200, "application/json", json(&message) + "\n")
    }
}
