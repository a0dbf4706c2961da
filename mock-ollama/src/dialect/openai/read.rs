//! `/v1/chat/completions` and `/v1/completions`: events, or one object (Ollama `openai/openai.go`).

use serde::Deserialize;

use crate::dialect::recorded::body::{RecordedBody, Timed};
use crate::dialect::recorded::calls::{JoinedCall, Joiner, WireCall, WireFunction, calls};
use crate::dialect::recorded::draft::{Draft, LATE, ModelOutput};
use crate::dialect::recorded::values::{ErrorText, TokenCounts, WireLogprob, logprobs};
use crate::dialect::unreadable::Unreadable;
use crate::generation::{Generation, ToolCall};

/// What stands for the text of an error in mid-stream, which this dialect loses: how the real ones begin
/// (`llm/llama_server.go`).
const LOST_ERROR: &str = "an error was encountered while running the model";

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
    /// What a chat says.
    #[serde(alias = "message")]
    delta: Option<Message>,
    /// What a completion says.
    text: Option<String>,
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

pub(crate) fn read(is_chat: bool, body: &RecordedBody) -> Result<Generation, Unreadable> {
    if body.form().is_stream() {
        stream(is_chat, body.values()?, body)
    } else if is_chat {
        whole(body)
    } else {
        stream(is_chat, vec![body.whole()?], body)
    }
}

fn whole(body: &RecordedBody) -> Result<Generation, Unreadable> {
    let Timed { at, value: answer, .. } = body.whole::<Chunk>()?;
    let mut draft = Draft::of(body);
    let mut choice = only(answer.choices.unwrap_or_default())?.ok_or(Unreadable::NoAnswer)?;
    let calls = calls(Some(choice.calls()), &mut draft)?;
    let reason = choice.finish_reason.take();
    draft.add(at, choice.output(true, calls).ok_or_else(|| speechless(0))?);
    draft.end(reason.as_deref());
    draft.usage(answer.usage.as_ref());
    Ok(draft.finish())
}

fn stream(is_chat: bool, mut chunks: Vec<Timed<Chunk>>, body: &RecordedBody) -> Result<Generation, Unreadable> {
    let finishing = chunks.iter().find(|chunk| chunk.value.finish_reason().is_some()).map(|chunk| chunk.chunk);
    let mut draft = Draft::of(body);
    let mut calls = joined(&mut chunks)?.into_iter().peekable();
    let mut last = ModelOutput::default();
    let lost_error = lost_error(&chunks);
    for (number, Timed { at, chunk: http_chunk, value: chunk }) in chunks.into_iter().enumerate() {
        if let Some(error) = chunk.error {
            draft.failed(at, LATE, error.into_text());
            continue;
        }
        draft.usage(chunk.usage.as_ref());
        let choices = chunk.choices.or(chunk.usage.map(|_| Vec::new())).ok_or(Unreadable::NoAnswer)?;
        let Some(mut choice) = only(choices)? else { continue };
        let reason = choice.finish_reason.take().filter(|reason| !reason.is_empty());
        let mut complete = Vec::new();
        while let Some(call) = calls.next_if(|call| call.complete == number) {
            complete.push(call.call(&mut draft));
        }
        let output = choice.output(is_chat, complete).ok_or_else(|| speechless(number))?;
        if draft.has_ended() {
            // Some servers send an empty delta after the finish.
            if output.is_empty() {
                continue;
            }
            return Err(Unreadable::AfterEnd);
        }
        let stands_for_error = reason.is_none() && lost_error == Some(number);
        // What shares an HTTP chunk with the finish of a chat comes from the final native object.
        let is_last = if is_chat { Some(http_chunk) == finishing } else { reason.is_some() };
        let left = if is_last { last.join(output).err() } else { Some(output) };
        if let Some(output) = left {
            // Several of a kind: here the HTTP chunks are not those of the server.
            draft.add(at, std::mem::take(&mut last));
            if !is_chat && !stands_for_error && output.is_empty() {
                draft.hold(at);
            }
            draft.add(at, output);
        }
        if stands_for_error {
            draft.failed(at, LATE, LOST_ERROR.to_owned());
        } else if reason.is_some() && body.form().is_stream() {
            draft.done(at, std::mem::take(&mut last), reason.as_deref());
        } else if reason.is_some() {
            draft.add(at, std::mem::take(&mut last));
            draft.end(reason.as_deref());
        }
    }
    Ok(draft.finish())
}

/// The chunk that stands for an error whose text is lost: the last one, when it alone has no name.
fn lost_error(chunks: &[Timed<Chunk>]) -> Option<usize> {
    let is_nameless = |chunk: &Timed<Chunk>| chunk.value.model.as_deref() == Some("");
    let (last, before) = chunks.split_last()?;
    (is_nameless(last) && before.first().is_some_and(|first| !is_nameless(first))).then_some(before.len())
}

/// Of the value with this number, counted from zero, a choice lacks what its dialect says.
fn speechless(number: usize) -> Unreadable {
    Unreadable::Value { number: number + 1, message: "a choice lacks its text or its delta".to_owned() }
}

/// The calls of a stream, put together from their pieces.
fn joined(chunks: &mut [Timed<Chunk>]) -> Result<Vec<JoinedCall>, Unreadable> {
    let mut joiner = Joiner::default();
    for (number, chunk) in chunks.iter_mut().enumerate() {
        for choice in chunk.value.choices.iter_mut().flatten() {
            choice.calls().into_iter().for_each(|piece| joiner.take(piece, number));
        }
    }
    joiner.finish()
}

/// The one choice; none in a chunk of usage.
fn only(choices: Vec<Choice>) -> Result<Option<Choice>, Unreadable> {
    let mut choices = choices.into_iter();
    match (choices.next(), choices.next()) {
        (Some(_), Some(_)) => Err(Unreadable::Choices),
        (Some(choice), None) if choice.index > 0 => Err(Unreadable::Choices),
        (choice, _) => Ok(choice),
    }
}

impl Chunk {
    fn finish_reason(&self) -> Option<&str> {
        self.choices.as_ref()?.first()?.finish_reason.as_deref().filter(|reason| !reason.is_empty())
    }
}

impl Choice {
    /// What it says, with these calls; `None` for a choice of the other dialect.
    fn output(self, is_chat: bool, calls: Vec<ToolCall>) -> Option<ModelOutput> {
        if !is_chat {
            return Some(ModelOutput { text: self.text?, ..ModelOutput::default() });
        }
        let Message { content, reasoning, reasoning_content, refusal, .. } = self.delta?;
        let thinking = reasoning.filter(|text| !text.is_empty()).or(reasoning_content);
        Some(ModelOutput {
            thinking: thinking.unwrap_or_default(),
            text: content.unwrap_or_default() + &refusal.unwrap_or_default(),
            calls,
            logprobs: logprobs(self.logprobs.and_then(|logprobs| logprobs.content)),
        })
    }

    /// Takes the calls, or the pieces of them.
    fn calls(&mut self) -> Vec<WireCall> {
        let Some(delta) = &mut self.delta else { return Vec::new() };
        let mut calls = delta.tool_calls.take().unwrap_or_default();
        calls.extend(delta.function_call.take().map(WireCall::from));
        calls
    }
}
