//! `/v1/messages` (Ollama `anthropic/anthropic.go`, `middleware/anthropic.go`).

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::dialect::ids::Ids;
use crate::dialect::render::Render;
use crate::dialect::shared::{arguments, arguments_text, sse_fields};
use crate::generation::{Done, Part, Reason, ToolCall};
use crate::go_json::{lossy_text, to_string};
use crate::http::Reply;

/// Renders one message.
#[derive(Debug)]
pub(crate) struct MessagesRenderer {
    pub(super) id: String,
    model: String,
    estimated_tokens: u64,
    begun: bool,
    /// The kind of the block that is open.
    open: Option<Kind>,
    /// How many blocks there were before it.
    pub(super) index: usize,
    /// Whether a block of thinking was closed; thinking after it is dropped.
    thought: bool,
    /// The ids of the calls so far; a second call with one of them is dropped.
    called: BTreeSet<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Thinking,
    Text,
}

#[derive(Clone, Copy, Serialize)]
pub(super) struct Usage {
    pub(super) input_tokens: u64,
    output_tokens: u64,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Block<'a> {
    Thinking { thinking: &'a str },
    Text { text: String },
    ToolUse { id: &'a str, name: &'a str, input: Cow<'a, Map<String, Value>> },
    ServerToolUse { id: String, name: &'static str, input: Query },
    WebSearchToolResult { tool_use_id: String, content: SearchError },
}

/// What the server searched for.
#[derive(Serialize)]
pub(super) struct Query {
    pub(super) query: String,
}

#[derive(Serialize)]
pub(super) struct SearchError {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) error_code: &'static str,
}

#[derive(Serialize)]
pub(super) struct Message<'a> {
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
pub(super) enum Event<'a> {
    MessageStart { message: Message<'a> },
    ContentBlockStart { index: usize, content_block: Block<'a> },
    ContentBlockDelta { index: usize, delta: Delta },
    ContentBlockStop { index: usize },
    MessageDelta { delta: Stop, usage: Usage },
    MessageStop,
}

#[derive(Serialize)]
#[serde(tag = "type")]
pub(super) enum Delta {
    #[serde(rename = "thinking_delta")]
    Thinking { thinking: String },
    #[serde(rename = "text_delta")]
    Text { text: String },
    #[serde(rename = "input_json_delta")]
    InputJson { partial_json: String },
}

#[derive(Serialize)]
pub(super) struct Stop {
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

    pub(super) fn encode(&self) -> Vec<u8> {
        format!("event: {}\ndata: {}\n\n", self.name(), to_string(self)).into_bytes()
    }
}

impl MessagesRenderer {
    pub(crate) fn new(model: &str, estimated_tokens: u64, ids: Ids) -> Self {
        Self {
            id: format!("msg_{}", ids.hex("msg", 24)),
            model: model.to_owned(),
            estimated_tokens,
            begun: false,
            open: None,
            index: 0,
            thought: false,
            called: BTreeSet::new(),
        }
    }

    pub(super) fn message<'a>(
        &'a self,
        content: Option<Vec<Block<'a>>>,
        stop: Option<&'static str>,
        usage: Usage,
    ) -> Message<'a> {
        let (kind, role) = ("message", "assistant");
        Message { id: &self.id, kind, role, model: &self.model, content, stop_reason: stop, usage }
    }

    /// `message_start`, before anything else; the count is an estimate unless it is known.
    pub(super) fn begin(&mut self, known_tokens: u64, out: &mut Vec<Vec<u8>>) {
        if std::mem::replace(&mut self.begun, true) {
            return;
        }
        let input_tokens = if known_tokens > 0 { known_tokens } else { self.estimated_tokens };
        let usage = Usage { input_tokens, output_tokens: 0 };
        out.push(Event::MessageStart { message: self.message(Some(Vec::new()), None, usage) }.encode());
    }

    pub(super) fn close(&mut self, out: &mut Vec<Vec<u8>>) {
        if let Some(kind) = self.open.take() {
            out.push(Event::ContentBlockStop { index: self.index }.encode());
            self.index += 1;
            self.thought |= kind == Kind::Thinking;
        }
    }

    fn say(&mut self, kind: Kind, text: String, out: &mut Vec<Vec<u8>>) {
        if kind == Kind::Thinking && self.thought {
            return;
        }
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

    fn call(&mut self, call: &ToolCall, out: &mut Vec<Vec<u8>>) {
        let id = call.id.as_deref().unwrap_or_default();
        if !self.called.insert(id.to_owned()) {
            return;
        }
        self.close(out);
        let (index, input) = (self.index, Cow::default());
        let content_block = Block::ToolUse { id, name: &call.name, input };
        out.push(Event::ContentBlockStart { index, content_block }.encode());
        let delta = Delta::InputJson { partial_json: arguments_text(call) };
        out.push(Event::ContentBlockDelta { index, delta }.encode());
        out.push(Event::ContentBlockStop { index }.encode());
        self.index += 1;
    }

    pub(super) fn end(&mut self, stop_reason: &'static str, usage: Usage, out: &mut Vec<Vec<u8>>) {
        self.close(out);
        out.push(Event::MessageDelta { delta: Stop { stop_reason }, usage }.encode());
        out.push(Event::MessageStop.encode());
    }
}

/// `mapStopReason`
fn stop_reason(done: Option<&Done>, has_calls: bool) -> Option<&'static str> {
    if has_calls {
        return Some("tool_use");
    }
    Some(match done?.reason {
        Reason::Stop => "end_turn",
        Reason::Length => "max_tokens",
        Reason::Load | Reason::Unload => "stop_sequence",
    })
}

pub(super) fn usage(done: Option<&Done>) -> Usage {
    let metrics = done.and_then(|done| done.metrics).unwrap_or_default();
    Usage { input_tokens: metrics.prompt_eval_count, output_tokens: metrics.eval_count }
}

impl Render for MessagesRenderer {
    fn stream_fields(&self) -> Vec<(String, String)> {
        sse_fields(true)
    }

    fn part(&mut self, part: &Part) -> Vec<Vec<u8>> {
        let mut out = Vec::new();
        let usage = usage(part.done.as_ref());
        self.begin(usage.input_tokens, &mut out);
        if !part.thinking.is_empty() {
            self.say(Kind::Thinking, part.thinking.clone(), &mut out);
        }
        if !part.text.is_empty() {
            self.say(Kind::Text, lossy_text(&part.text), &mut out);
        }
        for call in &part.calls {
            self.call(call, &mut out);
        }
        if let Some(reason) = part.done.as_ref().and_then(|done| stop_reason(Some(done), !self.called.is_empty())) {
            self.end(reason, usage, &mut out);
        }
        out
    }

    /// The stream just ends.
    fn failure(&mut self, _text: &str) -> Vec<Vec<u8>> {
        Vec::new()
    }

    fn whole(&mut self, part: &Part) -> Reply {
        let mut blocks = Vec::new();
        if !part.thinking.is_empty() {
            blocks.push(Block::Thinking { thinking: &part.thinking });
        }
        if !part.text.is_empty() {
            blocks.push(Block::Text { text: lossy_text(&part.text) });
        }
        blocks.extend(part.calls.iter().map(|call| Block::ToolUse {
            id: call.id.as_deref().unwrap_or_default(),
            name: &call.name,
            input: arguments(call),
        }));
        let content = (!blocks.is_empty()).then_some(blocks);
        let stop = stop_reason(part.done.as_ref(), !part.calls.is_empty());
        let mut message = self.message(content, stop, usage(part.done.as_ref()));
        if part.is_blank {
            message.model = "";
        }
        Reply::wrapped(200, &to_string(&message))
    }
}
