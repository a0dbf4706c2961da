//! `/v1/responses`: events, or one object (Ollama `openai/responses.go`).
//!
//! Of an error in mid-stream Ollama leaves no trace here: the stream just ends. Other servers send an event.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::dialect::recorded::body::{RecordedBody, Timed};
use crate::dialect::recorded::draft::{Draft, LATE, ModelOutput};
use crate::dialect::recorded::values::{ErrorText, TokenCounts};
use crate::dialect::unreadable::Unreadable;
use crate::generation::{Arguments, Generation};

#[derive(Debug, Deserialize)]
#[serde(tag = "type")]
enum Event {
    #[serde(rename = "response.reasoning_summary_text.delta", alias = "response.reasoning_text.delta")]
    Thinking { output_index: Option<u64>, delta: String },
    #[serde(rename = "response.output_text.delta", alias = "response.refusal.delta")]
    Text { output_index: Option<u64>, delta: String },
    #[serde(rename = "response.output_item.added")]
    Begun { output_index: Option<u64>, item: Item },
    #[serde(rename = "response.function_call_arguments.delta")]
    Piece { output_index: Option<u64>, delta: String },
    #[serde(rename = "response.output_item.done")]
    Item { output_index: Option<u64>, item: Item },
    #[serde(rename = "response.completed", alias = "response.incomplete")]
    Completed { response: Response },
    #[serde(rename = "response.failed")]
    Failed { response: Failure },
    #[serde(rename = "error")]
    Error { message: Option<String>, error: Option<ErrorText> },
    #[serde(other)]
    Other,
}

#[derive(Debug, Deserialize)]
struct Response {
    object: String,
    /// `null` where nothing was generated.
    output: Option<Vec<Item>>,
    incomplete_details: Option<Incomplete>,
    usage: Option<TokenCounts>,
}

#[derive(Debug, Deserialize)]
struct Incomplete {
    reason: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Failure {
    error: Option<ErrorText>,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Item {
    /// Its content is what is thought itself, where a server shows it.
    Reasoning { summary: Option<Vec<Part>>, content: Option<Vec<Part>> },
    /// What is said.
    Message { content: Option<Vec<Part>> },
    /// A call of a tool.
    FunctionCall { call_id: Option<String>, name: String, arguments: Option<String> },
    #[serde(other)]
    Other,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Part {
    text: String,
    refusal: String,
}

/// A call whose item is open.
struct Call {
    output_index: u64,
    id: Option<String>,
    name: String,
    arguments: String,
}

/// What is known of a stream so far.
struct Reader {
    draft: Draft,
    open: Vec<Call>,
    /// The items of which something came in a delta: they are not read again when they are complete.
    in_deltas: BTreeSet<u64>,
}

/// What stands for the text of a failure that has none.
const NO_TEXT: &str = "the response failed";

pub(crate) fn read(body: &RecordedBody) -> Result<Generation, Unreadable> {
    if body.form().is_stream() {
        let mut reader = Reader { draft: Draft::of(body), open: Vec::new(), in_deltas: BTreeSet::new() };
        for event in body.values::<Event>()? {
            reader.event(event)?;
        }
        return Ok(reader.draft.finish());
    }
    let mut draft = Draft::of(body);
    let Timed { at, value: response, .. } = body.whole::<Response>()?;
    let mut output = ModelOutput::default();
    for item in response.output.iter().flatten() {
        take(item, &mut output, &mut draft);
    }
    draft.add(at, output);
    response.end(&mut draft)?;
    Ok(draft.finish())
}

impl Reader {
    fn event(&mut self, event: Timed<Event>) -> Result<(), Unreadable> {
        let at = event.at;
        match event.value {
            Event::Thinking { output_index, delta } => {
                self.in_deltas.insert(output_index.unwrap_or_default());
                self.add(at, ModelOutput { thinking: delta, ..ModelOutput::default() })
            }
            Event::Text { output_index, delta } => {
                self.in_deltas.insert(output_index.unwrap_or_default());
                self.add(at, ModelOutput { text: delta, ..ModelOutput::default() })
            }
            Event::Begun { output_index, item: Item::FunctionCall { call_id, name, arguments } } => {
                let (output_index, arguments) = (output_index.unwrap_or_default(), arguments.unwrap_or_default());
                self.open.push(Call { output_index, id: call_id, name, arguments });
                Ok(())
            }
            Event::Piece { output_index, delta } => {
                let call = self.open.iter_mut().rfind(|call| call.output_index == output_index.unwrap_or_default());
                call.ok_or(Unreadable::StrayCall)?.arguments.push_str(&delta);
                Ok(())
            }
            Event::Item { output_index, item } => {
                let output_index = output_index.unwrap_or_default();
                self.open.retain(|call| call.output_index != output_index);
                let is_call = matches!(item, Item::FunctionCall { .. });
                if self.in_deltas.contains(&output_index) && !is_call {
                    return Ok(());
                }
                let mut output = ModelOutput::default();
                take(&item, &mut output, &mut self.draft);
                self.add(at, output)
            }
            Event::Completed { response } => {
                self.close(at)?;
                self.draft.done(at, ModelOutput::default(), None);
                response.end(&mut self.draft)
            }
            Event::Failed { response } => {
                let text = response.error.map_or_else(|| NO_TEXT.to_owned(), ErrorText::into_text);
                self.draft.failed(at, LATE, text);
                Ok(())
            }
            Event::Error { message, error } => {
                let text = message.or(error.map(ErrorText::into_text)).unwrap_or_else(|| NO_TEXT.to_owned());
                self.draft.failed(at, LATE, text);
                Ok(())
            }
            Event::Begun { .. } | Event::Other => Ok(()),
        }
    }

    fn add(&mut self, at: std::time::Duration, output: ModelOutput) -> Result<(), Unreadable> {
        if self.draft.has_ended() && !output.is_empty() {
            return Err(Unreadable::AfterEnd);
        }
        self.draft.add(at, output);
        Ok(())
    }

    /// Says the calls whose items were never output to be complete.
    fn close(&mut self, at: std::time::Duration) -> Result<(), Unreadable> {
        for Call { id, name, arguments, .. } in std::mem::take(&mut self.open) {
            let calls = vec![self.draft.call(id, None, name, Arguments::Text(arguments))];
            self.add(at, ModelOutput { calls, ..ModelOutput::default() })?;
        }
        Ok(())
    }
}

fn take(item: &Item, output: &mut ModelOutput, draft: &mut Draft) {
    let text = |part: &Part| part.text.clone() + &part.refusal;
    match item {
        Item::Reasoning { summary, content } => {
            let parts = summary.as_ref().filter(|summary| !summary.is_empty()).or(content.as_ref());
            output.thinking.extend(parts.into_iter().flatten().map(text));
        }
        Item::Message { content } => output.text.extend(content.iter().flatten().map(text)),
        Item::FunctionCall { call_id, name, arguments } => {
            let arguments = Arguments::Text(arguments.clone().unwrap_or_default());
            output.calls.push(draft.call(call_id.clone(), None, name.clone(), arguments));
        }
        Item::Other => {}
    }
}

impl Response {
    /// How it ends. Ollama states no reason, not even at a limit.
    fn end(self, draft: &mut Draft) -> Result<(), Unreadable> {
        let reason = self.incomplete_details.and_then(|details| details.reason);
        draft.end(reason.as_deref());
        draft.usage(self.usage.as_ref());
        if self.object == "response" { Ok(()) } else { Err(Unreadable::NoAnswer) }
    }
}
