//! `/v1/messages`: events, or one object (Ollama `anthropic/anthropic.go`).
//!
//! An error in mid-stream leaves no trace here: the stream just ends.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::body::{Body, Framing, Timed};
use super::draft::{Draft, LATE, Said};
use super::values::{ErrorText, Usage, arguments};
use crate::generation::Generation;

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Event {
    ContentBlockStart {
        content_block: Block,
    },
    ContentBlockDelta {
        delta: Delta,
    },
    ContentBlockStop,
    MessageDelta {
        delta: Stop,
        usage: Usage,
    },
    Error {
        error: ErrorText,
    },
    #[serde(other)]
    Other,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Block {
    Thinking {
        thinking: String,
    },
    Text {
        text: String,
    },
    ToolUse {
        id: Option<String>,
        name: String,
        #[serde(default)]
        input: Map<String, Value>,
    },
    #[serde(other)]
    Other,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "type")]
enum Delta {
    #[serde(rename = "thinking_delta")]
    Thinking { thinking: String },
    #[serde(rename = "text_delta")]
    Text { text: String },
    #[serde(rename = "input_json_delta")]
    InputJson { partial_json: String },
    #[serde(other)]
    Other,
}

#[derive(Debug, Deserialize)]
struct Stop {
    stop_reason: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Answer {
    /// `null` where nothing was generated.
    content: Option<Vec<Block>>,
    stop_reason: Option<String>,
    usage: Usage,
}

/// A call whose block is open.
struct Call {
    id: Option<String>,
    name: String,
    input: Map<String, Value>,
    json: String,
}

pub(super) fn read(body: &Body) -> Option<Generation> {
    if body.framing() == Framing::Events { stream(body.events()?, body) } else { whole(body) }
}

fn whole(body: &Body) -> Option<Generation> {
    let Timed { at, value: answer, .. } = body.whole::<Answer>()?;
    let mut draft = Draft::of(body);
    let mut said = Said::default();
    for block in answer.content.into_iter().flatten() {
        match block {
            Block::Thinking { thinking } => said.thinking.push_str(&thinking),
            Block::Text { text } => said.text.push_str(&text),
            Block::ToolUse { id, name, input } => said.calls.push(draft.call(id, None, name, input)),
            Block::Other => {}
        }
    }
    draft.say(at, said);
    draft.end(answer.stop_reason.as_deref());
    answer.usage.tell(&mut draft);
    Some(draft.finish())
}

fn stream(events: Vec<Timed<Event>>, body: &Body) -> Option<Generation> {
    let mut draft = Draft::of(body);
    let mut open: Option<Call> = None;
    for Timed { at, value: event, .. } in events {
        match event {
            Event::ContentBlockStart { content_block: Block::ToolUse { id, name, input } } => {
                open = Some(Call { id, name, input, json: String::new() });
            }
            Event::ContentBlockDelta { delta } => match delta {
                Delta::Thinking { thinking } => draft.say(at, Said { thinking, ..Said::default() }),
                Delta::Text { text } => draft.say(at, Said { text, ..Said::default() }),
                Delta::InputJson { partial_json } => open.as_mut()?.json.push_str(&partial_json),
                Delta::Other => {}
            },
            Event::ContentBlockStop => {
                if let Some(Call { id, name, input, json }) = open.take() {
                    let input = if json.is_empty() { input } else { arguments(&json)? };
                    let calls = vec![draft.call(id, None, name, input)];
                    draft.say(at, Said { calls, ..Said::default() });
                }
            }
            Event::MessageDelta { delta, usage } => {
                draft.done(at, Said::default(), delta.stop_reason.as_deref());
                usage.tell(&mut draft);
            }
            Event::Error { error } => draft.failed(at, LATE, error.into_text()),
            Event::ContentBlockStart { .. } | Event::Other => {}
        }
    }
    Some(draft.finish())
}
