//! `/v1/completions`: events, or one object (Ollama `openai/openai.go`).

use serde::Deserialize;

use super::read_chat::{LOST_ERROR, Numbered, lost_error, only};
use crate::dialect::recorded::body::{RecordedBody, Timed};
use crate::dialect::recorded::draft::{Draft, LATE, ModelOutput};
use crate::dialect::recorded::values::{ErrorText, TokenCounts};
use crate::dialect::unreadable::Unreadable;
use crate::generation::Generation;

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
    text: String,
    finish_reason: Option<String>,
}

impl Numbered for Choice {
    fn index(&self) -> u64 {
        self.index
    }
}

pub(crate) fn read(body: &RecordedBody) -> Result<Generation, Unreadable> {
    let is_stream = body.form().is_stream();
    let chunks: Vec<Timed<Chunk>> = if is_stream { body.values()? } else { vec![body.whole()?] };
    let lost_error = lost_error(chunks.iter().map(|chunk| chunk.value.model.as_deref()));
    let mut draft = Draft::of(body);
    for (number, Timed { at, value: chunk, .. }) in chunks.into_iter().enumerate() {
        if let Some(error) = chunk.error {
            draft.failed(at, LATE, error.into_text());
            continue;
        }
        if let Some(usage) = &chunk.usage {
            draft.usage(usage);
        }
        let choices = chunk.choices.or(chunk.usage.map(|_| Vec::new())).ok_or(Unreadable::NoAnswer)?;
        let Some(choice) = only(choices)? else { continue };
        let output = ModelOutput { text: choice.text, ..ModelOutput::default() };
        if draft.has_ended() {
            if output.is_empty() {
                continue;
            }
            return Err(Unreadable::AfterEnd);
        }
        match choice.finish_reason.as_deref().filter(|reason| !reason.is_empty()) {
            Some(reason) if is_stream => draft.done(at, output, Some(reason)),
            Some(reason) => {
                draft.add(at, output);
                draft.end(Some(reason));
            }
            None if lost_error == Some(number) => draft.failed(at, LATE, LOST_ERROR.to_owned()),
            None if output.is_empty() => draft.hold(at),
            None => draft.add(at, output),
        }
    }
    Ok(draft.finish())
}
