//! `/v1/responses`: events, or one object (Ollama `openai/responses.go`).
//!
//! An error in mid-stream leaves no trace here: the stream just ends.

use serde::Deserialize;

use super::body::{Body, Framing, Timed};
use super::draft::{Draft, LATE, Said};
use super::values::{ErrorText, Usage, arguments};
use crate::generation::Generation;

#[derive(Debug, Deserialize)]
#[serde(tag = "type")]
enum Event {
    #[serde(rename = "response.reasoning_summary_text.delta")]
    Thinking { delta: String },
    #[serde(rename = "response.output_text.delta")]
    Text { delta: String },
    #[serde(rename = "response.output_item.done")]
    Item { item: Item },
    #[serde(rename = "response.completed", alias = "response.incomplete")]
    Completed { response: Response },
    #[serde(rename = "response.failed")]
    Failed { response: Failure },
    #[serde(other)]
    Other,
}

#[derive(Debug, Deserialize)]
struct Response {
    object: String,
    /// `null` where nothing was generated.
    output: Option<Vec<Item>>,
    incomplete_details: Option<Incomplete>,
    usage: Option<Usage>,
}

#[derive(Debug, Deserialize)]
struct Incomplete {
    reason: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Failure {
    error: ErrorText,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Item {
    Reasoning {
        summary: Vec<Part>,
    },
    Message {
        content: Vec<Part>,
    },
    FunctionCall {
        call_id: Option<String>,
        name: String,
        arguments: String,
    },
    #[serde(other)]
    Other,
}

#[derive(Debug, Deserialize)]
struct Part {
    #[serde(default)]
    text: String,
}

pub(super) fn read(body: &Body) -> Option<Generation> {
    let mut draft = Draft::of(body);
    if body.framing() == Framing::Events {
        for event in body.events::<Event>()? {
            read_event(event, &mut draft)?;
        }
    } else {
        let Timed { at, value: response, .. } = body.whole::<Response>()?;
        let mut said = Said::default();
        for item in response.output.iter().flatten() {
            take(item, &mut said, &mut draft)?;
        }
        draft.say(at, said);
        response.end(&mut draft)?;
    }
    Some(draft.finish())
}

fn read_event(event: Timed<Event>, draft: &mut Draft) -> Option<()> {
    let at = event.at;
    match event.value {
        Event::Thinking { delta } => draft.say(at, Said { thinking: delta, ..Said::default() }),
        Event::Text { delta } => draft.say(at, Said { text: delta, ..Said::default() }),
        // Texts and thinking have come in deltas already.
        Event::Item { item: item @ Item::FunctionCall { .. } } => {
            let mut said = Said::default();
            take(&item, &mut said, draft)?;
            draft.say(at, said);
        }
        Event::Completed { response } => {
            draft.done(at, Said::default(), None);
            response.end(draft)?;
        }
        Event::Failed { response } => draft.failed(at, LATE, response.error.into_text()),
        Event::Item { .. } | Event::Other => {}
    }
    Some(())
}

fn take(item: &Item, said: &mut Said, draft: &mut Draft) -> Option<()> {
    match item {
        Item::Reasoning { summary } => said.thinking.extend(summary.iter().map(|part| part.text.as_str())),
        Item::Message { content } => said.text.extend(content.iter().map(|part| part.text.as_str())),
        Item::FunctionCall { call_id, name, arguments: text } => {
            said.calls.push(draft.call(call_id.clone(), None, name.clone(), arguments(text)?));
        }
        Item::Other => {}
    }
    Some(())
}

impl Response {
    /// How it ends; `None` when this is no response. Ollama states no reason, not even at a limit.
    fn end(self, draft: &mut Draft) -> Option<()> {
        let reason = self.incomplete_details.and_then(|details| details.reason);
        draft.end(reason.as_deref());
        if let Some(usage) = self.usage {
            usage.tell(draft);
        }
        (self.object == "response").then_some(())
    }
}
