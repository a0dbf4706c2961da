//! `/v1/chat/completions`: events, or one object (Ollama `openai/openai.go`).

use serde::Deserialize;

use crate::dialect::recorded::body::{RecordedBody, Timed};
use crate::dialect::recorded::calls::{JoinedCall, Joiner, WireCall, WireFunction, calls};
use crate::dialect::recorded::draft::{Draft, LATE, ModelOutput};
use crate::dialect::recorded::values::{ErrorText, TokenCounts, WireLogprob, logprobs};
use crate::dialect::unreadable::Unreadable;
use crate::generation::{Generation, ToolCall};

/// What stands for the text of an error in mid-stream, which this dialect loses: how the real ones begin
/// (`llm/llama_server.go`).
pub(crate) const LOST_ERROR: &str = "an error was encountered while running the model";

#[derive(Debug, Deserialize)]
struct Chunk {
    model: Option<String>,
    choices: Option<Vec<Choice>>,
    usage: Option<TokenCounts>,
    error: Option<ErrorText>,
}

#[derive(Debug, Deserialize)]
struct Choice {
    #[serde(default)]
    index: u64,
    #[serde(alias = "message")]
    delta: Message,
    finish_reason: Option<String>,
    logprobs: Option<Logprobs>,
}

#[derive(Debug, Deserialize)]
struct Message {
    content: Option<String>,
    reasoning: Option<String>,
    /// What other servers call the reasoning.
    reasoning_content: Option<String>,
    /// The text in place of a content.
    refusal: Option<String>,
    tool_calls: Option<Vec<WireCall>>,
    function_call: Option<WireFunction>,
}

#[derive(Debug, Deserialize)]
struct Logprobs {
    content: Option<Vec<WireLogprob>>,
}

pub(crate) fn read(body: &RecordedBody) -> Result<Generation, Unreadable> {
    if body.form().is_stream() { stream(body.values()?, body) } else { whole(body) }
}

fn whole(body: &RecordedBody) -> Result<Generation, Unreadable> {
    let Timed { at, value: answer, .. } = body.whole::<Chunk>()?;
    let mut draft = Draft::of(body);
    let mut choice = only(answer.choices.unwrap_or_default())?.ok_or(Unreadable::NoAnswer)?;
    let calls = calls(Some(choice.delta.calls()), &mut draft)?;
    let reason = choice.finish_reason.take();
    draft.add(at, choice.output(calls));
    draft.end(reason.as_deref());
    if let Some(usage) = answer.usage {
        draft.usage(&usage);
    }
    Ok(draft.finish())
}

fn stream(mut chunks: Vec<Timed<Chunk>>, body: &RecordedBody) -> Result<Generation, Unreadable> {
    let finishing = chunks.iter().find(|chunk| chunk.value.finish_reason().is_some()).map(|chunk| chunk.chunk);
    let mut draft = Draft::of(body);
    let mut calls = joined(&mut chunks)?.into_iter().peekable();
    let mut last = ModelOutput::default();
    let lost_error = lost_error(chunks.iter().map(|chunk| chunk.value.model.as_deref()));
    for (number, Timed { at, chunk: http_chunk, value: chunk }) in chunks.into_iter().enumerate() {
        if let Some(error) = chunk.error {
            draft.failed(at, LATE, error.into_text());
            continue;
        }
        if let Some(usage) = &chunk.usage {
            draft.usage(usage);
        }
        let choices = chunk.choices.or(chunk.usage.map(|_| Vec::new())).ok_or(Unreadable::NoAnswer)?;
        let Some(mut choice) = only(choices)? else { continue };
        let reason = choice.finish_reason.take().filter(|reason| !reason.is_empty());
        let mut complete = Vec::new();
        while let Some(call) = calls.next_if(|call| call.complete == number) {
            complete.push(call.call(&mut draft));
        }
        let output = choice.output(complete);
        if draft.has_ended() {
            // Some servers send an empty delta after the finish.
            if output.is_empty() {
                continue;
            }
            return Err(Unreadable::AfterEnd);
        }
        let left = if Some(http_chunk) == finishing {
            // What shares an HTTP chunk with the finish comes from the final native object.
            last.join(output).err()
        } else {
            Some(output)
        };
        if let Some(output) = left {
            // Several of a kind: here the HTTP chunks are not those of the server.
            draft.add(at, std::mem::take(&mut last));
            draft.add(at, output);
        }
        if reason.is_some() {
            draft.done(at, std::mem::take(&mut last), reason.as_deref());
        } else if lost_error == Some(number) {
            draft.failed(at, LATE, LOST_ERROR.to_owned());
        }
    }
    Ok(draft.finish())
}

/// The chunk that stands for an error whose text is lost, given the models that all chunks name: the last one, when it
/// alone has no name.
pub(crate) fn lost_error<'a>(
    models: impl DoubleEndedIterator<Item = Option<&'a str>> + ExactSizeIterator,
) -> Option<usize> {
    let mut models = models;
    let last = models.len().checked_sub(1)?;
    let is_nameless = models.next_back() == Some(Some(""));
    (is_nameless && models.next().is_some_and(|first| first != Some(""))).then_some(last)
}

/// The calls of a stream, put together from their pieces.
fn joined(chunks: &mut [Timed<Chunk>]) -> Result<Vec<JoinedCall>, Unreadable> {
    let mut joiner = Joiner::default();
    for (number, chunk) in chunks.iter_mut().enumerate() {
        for choice in chunk.value.choices.iter_mut().flatten() {
            choice.delta.calls().into_iter().for_each(|piece| joiner.take(piece, number));
        }
    }
    joiner.finish()
}

/// The one choice; none in a chunk of usage.
pub(crate) fn only<C: Numbered>(choices: Vec<C>) -> Result<Option<C>, Unreadable> {
    let mut choices = choices.into_iter();
    match (choices.next(), choices.next()) {
        (Some(_), Some(_)) => Err(Unreadable::Choices),
        (Some(choice), None) if choice.index() > 0 => Err(Unreadable::Choices),
        (choice, _) => Ok(choice),
    }
}

/// A choice, which knows its place among others.
pub(crate) trait Numbered {
    fn index(&self) -> u64;
}

impl Numbered for Choice {
    fn index(&self) -> u64 {
        self.index
    }
}

impl Chunk {
    fn finish_reason(&self) -> Option<&str> {
        self.choices.as_ref()?.first()?.finish_reason.as_deref().filter(|reason| !reason.is_empty())
    }
}

impl Choice {
    /// What it says, with these calls.
    fn output(self, calls: Vec<ToolCall>) -> ModelOutput {
        let Message { content, reasoning, reasoning_content, refusal, .. } = self.delta;
        let thinking = reasoning.filter(|text| !text.is_empty()).or(reasoning_content);
        ModelOutput {
            thinking: thinking.unwrap_or_default(),
            text: content.unwrap_or_default() + &refusal.unwrap_or_default(),
            calls,
            logprobs: logprobs(self.logprobs.and_then(|logprobs| logprobs.content)),
        }
    }
}

impl Message {
    /// Takes the calls, or the pieces of them.
    fn calls(&mut self) -> Vec<WireCall> {
        let mut calls = self.tool_calls.take().unwrap_or_default();
        calls.extend(self.function_call.take().map(WireCall::from));
        calls
    }
}
