//! `/v1/messages` (Ollama `anthropic/anthropic.go`, `middleware/anthropic.go`).

use std::collections::BTreeSet;

use serde_json::Map;

use super::wire::{Block, Delta, Event, Message, Stop};
use crate::dialect::ids::Ids;
use crate::dialect::recorded::values::TokenCounts;
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
    pub(super) index: u64,
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

    pub(super) fn message(&self, content: Option<Vec<Block>>, stop: Option<&str>, usage: TokenCounts) -> Message {
        Message {
            id: self.id.clone(),
            kind: "message".to_owned(),
            role: "assistant".to_owned(),
            model: self.model.clone(),
            content,
            stop_reason: stop.map(str::to_owned),
            usage: Some(usage),
        }
    }

    /// `message_start`, before anything else; the count is an estimate unless it is known.
    pub(super) fn begin(&mut self, known_tokens: Option<u64>, out: &mut Vec<Vec<u8>>) {
        if std::mem::replace(&mut self.begun, true) {
            return;
        }
        let input_tokens = known_tokens.filter(|tokens| *tokens > 0).or(Some(self.estimated_tokens));
        let usage = TokenCounts { input_tokens, output_tokens: Some(0) };
        out.push(Event::MessageStart { message: self.message(Some(Vec::new()), None, usage) }.encode());
    }

    pub(super) fn close(&mut self, out: &mut Vec<Vec<u8>>) {
        if let Some(kind) = self.open.take() {
            out.push(Event::ContentBlockStop { index: Some(self.index) }.encode());
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
                Kind::Thinking => Block::Thinking { thinking: String::new() },
                Kind::Text => Block::Text { text: String::new() },
            };
            out.push(Event::ContentBlockStart { index: Some(self.index), content_block }.encode());
        }
        let delta = match kind {
            Kind::Thinking => Delta::Thinking { thinking: text },
            Kind::Text => Delta::Text { text },
        };
        out.push(Event::ContentBlockDelta { index: Some(self.index), delta }.encode());
    }

    fn call(&mut self, call: &ToolCall, out: &mut Vec<Vec<u8>>) {
        let id = call.id.as_deref().unwrap_or_default();
        if !self.called.insert(id.to_owned()) {
            return;
        }
        self.close(out);
        let index = Some(self.index);
        let content_block = Block::ToolUse { id: Some(id.to_owned()), name: call.name.clone(), input: Map::new() };
        out.push(Event::ContentBlockStart { index, content_block }.encode());
        let delta = Delta::InputJson { partial_json: arguments_text(call) };
        out.push(Event::ContentBlockDelta { index, delta }.encode());
        out.push(Event::ContentBlockStop { index }.encode());
        self.index += 1;
    }

    pub(super) fn end(&mut self, stop_reason: &str, usage: TokenCounts, out: &mut Vec<Vec<u8>>) {
        self.close(out);
        let delta = Stop { stop_reason: Some(stop_reason.to_owned()) };
        out.push(Event::MessageDelta { delta, usage: Some(usage) }.encode());
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

pub(super) fn usage(done: Option<&Done>) -> TokenCounts {
    let metrics = done.and_then(|done| done.metrics).unwrap_or_default();
    TokenCounts { input_tokens: Some(metrics.prompt_eval_count), output_tokens: Some(metrics.eval_count) }
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
            blocks.push(Block::Thinking { thinking: part.thinking.clone() });
        }
        if !part.text.is_empty() {
            blocks.push(Block::Text { text: lossy_text(&part.text) });
        }
        blocks.extend(part.calls.iter().map(|call| Block::ToolUse {
            id: Some(call.id.clone().unwrap_or_default()),
            name: call.name.clone(),
            input: arguments(call).into_owned(),
        }));
        let content = (!blocks.is_empty()).then_some(blocks);
        let stop = stop_reason(part.done.as_ref(), !part.calls.is_empty());
        let mut message = self.message(content, stop, usage(part.done.as_ref()));
        if part.is_blank {
            message.model.clear();
        }
        Reply::wrapped(200, &to_string(&message))
    }
}
