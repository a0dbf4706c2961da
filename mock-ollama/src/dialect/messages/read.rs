//! `/v1/messages`: events, or one object (Ollama `anthropic/anthropic.go`).
//!
//! Of an error in mid-stream Ollama leaves no trace here: the stream just ends. Other servers send an event.

use serde_json::{Map, Value};

use super::wire::{Block, Delta, Event, Message};
use crate::dialect::recorded::body::{RecordedBody, Timed};
use crate::dialect::recorded::draft::{Draft, LATE, ModelOutput};
use crate::dialect::unreadable::Unreadable;
use crate::generation::{Arguments, Generation};

/// A call whose block is open.
struct Call {
    block: Option<u64>,
    id: Option<String>,
    name: String,
    input: Map<String, Value>,
    json: String,
}

impl Call {
    /// The whole call.
    fn output(self, draft: &mut Draft) -> ModelOutput {
        let arguments = if self.json.is_empty() { Arguments::Object(self.input) } else { Arguments::Text(self.json) };
        ModelOutput { calls: vec![draft.call(self.id, None, self.name, arguments)], ..ModelOutput::default() }
    }

    fn is_of(&self, block: Option<u64>) -> bool {
        self.block == block || self.block.is_none() || block.is_none()
    }
}

pub(crate) fn read(body: &RecordedBody) -> Result<Generation, Unreadable> {
    if body.form().is_stream() { stream(body.values()?, body) } else { whole(body) }
}

fn whole(body: &RecordedBody) -> Result<Generation, Unreadable> {
    let Timed { at, value: answer, .. } = body.whole::<Message>()?;
    let usage = answer.usage.ok_or(Unreadable::NoAnswer)?;
    let mut draft = Draft::of(body);
    let mut output = ModelOutput::default();
    for block in answer.content.into_iter().flatten() {
        match block {
            Block::Thinking { thinking } => output.thinking.push_str(&thinking),
            Block::Text { text } => output.text.push_str(&text),
            Block::ToolUse { id, name, input } => {
                output.calls.push(draft.call(id, None, name, Arguments::Object(input)));
            }
            _ => {}
        }
    }
    draft.add(at, output);
    draft.end(answer.stop_reason.as_deref());
    draft.usage(Some(&usage));
    Ok(draft.finish())
}

fn stream(events: Vec<Timed<Event>>, body: &RecordedBody) -> Result<Generation, Unreadable> {
    let mut draft = Draft::of(body);
    let mut open: Vec<Call> = Vec::new();
    for Timed { at, value: event, .. } in events {
        let output = match event {
            Event::MessageStart { message } => {
                draft.usage(message.usage.as_ref());
                continue;
            }
            Event::ContentBlockStart { index, content_block } => match content_block {
                Block::ToolUse { id, name, input } => {
                    open.push(Call { block: index, id, name, input, json: String::new() });
                    continue;
                }
                Block::Thinking { thinking } => ModelOutput { thinking, ..ModelOutput::default() },
                Block::Text { text } => ModelOutput { text, ..ModelOutput::default() },
                _ => continue,
            },
            Event::ContentBlockDelta { index, delta } => match delta {
                Delta::Thinking { thinking } => ModelOutput { thinking, ..ModelOutput::default() },
                Delta::Text { text } => ModelOutput { text, ..ModelOutput::default() },
                Delta::InputJson { partial_json } => {
                    // Blocks of other kinds, such as the server's own tools, have pieces as well.
                    if let Some(call) = open.iter_mut().rfind(|call| call.is_of(index)) {
                        call.json.push_str(&partial_json);
                    }
                    continue;
                }
                Delta::Other => continue,
            },
            Event::ContentBlockStop { index } => {
                let Some(place) = open.iter().rposition(|call| call.is_of(index)) else { continue };
                open.remove(place).output(&mut draft)
            }
            Event::MessageDelta { delta, usage } => {
                // Calls whose blocks were left open.
                for call in std::mem::take(&mut open) {
                    let output = call.output(&mut draft);
                    draft.add(at, output);
                }
                if delta.stop_reason.is_some() {
                    draft.done(at, ModelOutput::default(), delta.stop_reason.as_deref());
                }
                draft.usage(usage.as_ref());
                continue;
            }
            Event::Error { error } => {
                draft.failed(at, LATE, error.into_text());
                continue;
            }
            Event::MessageStop | Event::Other => continue,
        };
        if draft.has_ended() && !output.is_empty() {
            return Err(Unreadable::AfterEnd);
        }
        draft.add(at, output);
    }
    Ok(draft.finish())
}
