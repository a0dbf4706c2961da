//! `/v1/chat/completions`: events, or one object (Ollama `openai/openai.go`).

use serde::Deserialize;

use super::body::{Body, Framing, Timed};
use super::draft::{Draft, LATE, Said};
use super::values::{ErrorText, Usage, WireCall, WireLogprob, calls, logprobs};
use crate::generation::Generation;

/// What stands for the text of an error in mid-stream, which this dialect loses: how the real ones begin
/// (`llm/llama_server.go`).
pub(super) const LOST_ERROR: &str = "an error was encountered while running the model";

#[derive(Debug, Deserialize)]
struct Chunk {
    model: Option<String>,
    choices: Option<Vec<Choice>>,
    usage: Option<Usage>,
    error: Option<ErrorText>,
}

#[derive(Debug, Deserialize)]
struct Choice {
    #[serde(alias = "message")]
    delta: Message,
    finish_reason: Option<String>,
    logprobs: Option<Logprobs>,
}

#[derive(Debug, Deserialize)]
struct Message {
    content: Option<String>,
    reasoning: Option<String>,
    tool_calls: Option<Vec<WireCall>>,
}

#[derive(Debug, Deserialize)]
struct Logprobs {
    content: Option<Vec<WireLogprob>>,
}

pub(super) fn read(body: &Body) -> Option<Generation> {
    if body.framing() == Framing::Events { stream(body.events()?, body) } else { whole(body) }
}

fn whole(body: &Body) -> Option<Generation> {
    let Timed { at, value: answer, .. } = body.whole::<Chunk>()?;
    let mut draft = Draft::of(body);
    let choice = answer.choices?.into_iter().next()?;
    let reason = choice.finish_reason.clone();
    let said = said(choice, &mut draft)?;
    draft.say(at, said);
    draft.end(reason.as_deref());
    if let Some(usage) = answer.usage {
        usage.tell(&mut draft);
    }
    Some(draft.finish())
}

fn stream(chunks: Vec<Timed<Chunk>>, body: &Body) -> Option<Generation> {
    let finishing = chunks.iter().find(|chunk| chunk.value.finish_reason().is_some()).map(|chunk| chunk.chunk);
    let mut draft = Draft::of(body);
    let mut last = Said::default();
    for Timed { at, chunk: http_chunk, value: chunk } in chunks {
        if let Some(error) = chunk.error {
            draft.failed(at, LATE, error.into_text());
            continue;
        }
        if let Some(usage) = &chunk.usage {
            usage.tell(&mut draft);
        }
        let Some(choice) = chunk.choices?.into_iter().next() else { continue };
        if draft.has_ended() {
            return None;
        }
        let reason = choice.finish_reason.clone();
        let said = said(choice, &mut draft)?;
        let left = if Some(http_chunk) == finishing {
            // What shares an HTTP chunk with the finish comes from the final native object.
            last.join(said).err()
        } else {
            Some(said)
        };
        if let Some(said) = left {
            // Several of a kind: here the HTTP chunks are not those of the server.
            draft.say(at, std::mem::take(&mut last));
            draft.say(at, said);
        }
        if reason.is_some() {
            draft.done(at, std::mem::take(&mut last), reason.as_deref());
        } else if chunk.model.as_deref() == Some("") {
            draft.failed(at, LATE, LOST_ERROR.to_owned());
        }
    }
    Some(draft.finish())
}

impl Chunk {
    fn finish_reason(&self) -> Option<&str> {
        self.choices.as_ref()?.first()?.finish_reason.as_deref()
    }
}

fn said(choice: Choice, draft: &mut Draft) -> Option<Said> {
    Some(Said {
        thinking: choice.delta.reasoning.unwrap_or_default(),
        text: choice.delta.content.unwrap_or_default(),
        calls: calls(choice.delta.tool_calls, draft)?,
        logprobs: logprobs(choice.logprobs.and_then(|logprobs| logprobs.content)),
    })
}
