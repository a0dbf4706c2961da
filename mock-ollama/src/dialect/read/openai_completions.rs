//! `/v1/completions`: events, or one object (Ollama `openai/openai.go`).

use serde::Deserialize;

use super::body::{Body, Framing, Timed};
use super::draft::{Draft, LATE, Said};
use super::openai_chat::LOST_ERROR;
use super::values::{ErrorText, Usage};
use crate::generation::Generation;

#[derive(Debug, Deserialize)]
struct Chunk {
    model: Option<String>,
    choices: Option<Vec<Choice>>,
    usage: Option<Usage>,
    error: Option<ErrorText>,
}

#[derive(Debug, Deserialize)]
struct Choice {
    text: String,
    finish_reason: Option<String>,
}

pub(super) fn read(body: &Body) -> Option<Generation> {
    let is_stream = body.framing() == Framing::Events;
    let chunks: Vec<Timed<Chunk>> = if is_stream { body.events()? } else { vec![body.whole()?] };
    let mut draft = Draft::of(body);
    for Timed { at, value: chunk, .. } in chunks {
        if let Some(error) = chunk.error {
            draft.failed(at, LATE, error.into_text());
            continue;
        }
        if let Some(usage) = &chunk.usage {
            usage.tell(&mut draft);
        }
        // The chunk of usage has none.
        let Some(choice) = chunk.choices?.into_iter().next() else { continue };
        if draft.has_ended() {
            return None;
        }
        let said = Said { text: choice.text, ..Said::default() };
        match choice.finish_reason.as_deref() {
            Some(reason) if is_stream => draft.done(at, said, Some(reason)),
            Some(reason) => {
                draft.say(at, said);
                draft.end(Some(reason));
            }
            None if chunk.model.as_deref() == Some("") => draft.failed(at, LATE, LOST_ERROR.to_owned()),
            None if said.is_empty() => draft.hold(at),
            None => draft.say(at, said),
        }
    }
    Some(draft.finish())
}
