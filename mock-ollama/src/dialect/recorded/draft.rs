//! What has been read so far, and the rules that make a generation of it.

use std::time::Duration;

use serde::Deserialize;

use super::body::{RecordedBody, Timed};
use super::values::{ErrorText, TokenCounts};
use crate::dialect::unreadable::Unreadable;
use crate::generation::{Arguments, Content, Ending, Generation, Logprob, Piece, Reason, ToolCall};

/// The status of a failure that came when another had been sent already: what it is without a stream.
pub(crate) const LATE: u16 = 500;

/// The model output that one wire object carries.
#[derive(Debug, Default)]
pub(crate) struct ModelOutput {
    pub(crate) thinking: String,
    pub(crate) text: String,
    pub(crate) calls: Vec<ToolCall>,
    pub(crate) logprobs: Vec<Logprob>,
}

impl ModelOutput {
    pub(crate) fn is_empty(&self) -> bool {
        self.thinking.is_empty() && self.text.is_empty() && self.calls.is_empty() && self.logprobs.is_empty()
    }

    /// Takes over what `other` says, as far as this object says nothing of that kind; else gives it back.
    pub(crate) fn join(&mut self, other: Self) -> Result<(), Self> {
        let both = !self.thinking.is_empty() && !other.thinking.is_empty()
            || !self.text.is_empty() && !other.text.is_empty()
            || !self.calls.is_empty() && !other.calls.is_empty();
        if both {
            return Err(other);
        }
        self.thinking.push_str(&other.thinking);
        self.text.push_str(&other.text);
        self.calls.extend(other.calls);
        self.logprobs.extend(other.logprobs);
        Ok(())
    }

    /// The pieces of it, in the order in which a dialect shows them.
    fn pieces(self, at: Duration) -> Vec<Piece> {
        let mut contents = Vec::new();
        if !self.thinking.is_empty() {
            contents.push(Content::Thinking(self.thinking));
        }
        if !self.text.is_empty() {
            contents.push(Content::Text(self.text.into_bytes()));
        }
        if !self.calls.is_empty() {
            contents.push(Content::Calls(self.calls));
        }
        if contents.is_empty() && !self.logprobs.is_empty() {
            contents.push(Content::Held);
        }
        // The kind of each token is not known; clients look at those of the text.
        let owner = contents.iter().position(|content| matches!(content, Content::Text(_))).unwrap_or_default();
        let mut logprobs = Some(self.logprobs);
        let piece = |(n, content)| {
            let logprobs = if n == owner { logprobs.take() } else { None };
            Piece { at, content, logprobs: logprobs.unwrap_or_default() }
        };
        contents.into_iter().enumerate().map(piece).collect()
    }
}

/// A generation that is being read.
#[derive(Debug)]
pub(crate) struct Draft {
    generation: Generation,
    load: Option<Duration>,
    prompt_eval: Option<Duration>,
    calls: u32,
}

impl Draft {
    /// Nothing yet, of this body: as it stands, it just ends with its last chunk.
    pub(crate) fn of(body: &RecordedBody) -> Self {
        let last = Piece { at: body.end(), ..Piece::default() };
        Self { generation: Generation { last, ..Generation::default() }, load: None, prompt_eval: None, calls: 0 }
    }

    /// A call; without an index, it is the next one.
    pub(crate) fn call(
        &mut self,
        id: Option<String>,
        index: Option<u32>,
        name: String,
        arguments: Arguments,
    ) -> ToolCall {
        let index = index.unwrap_or(self.calls);
        self.calls = index.saturating_add(1);
        ToolCall { id: id.filter(|id| !id.is_empty()), index, name, arguments }
    }

    /// An object in the midst of the stream.
    pub(crate) fn add(&mut self, at: Duration, output: ModelOutput) {
        self.generation.pieces.extend(output.pieces(at));
    }

    /// An object without anything in it, where the dialect sends them.
    pub(crate) fn hold(&mut self, at: Duration) {
        self.generation.pieces.push(Piece { at, ..Piece::default() });
    }

    /// The final object of a stream.
    pub(crate) fn done(&mut self, at: Duration, output: ModelOutput, reason: Option<&str>) {
        let mut pieces = output.pieces(at);
        self.generation.last = pieces.pop().unwrap_or(Piece { at, ..Piece::default() });
        self.generation.pieces.extend(pieces);
        self.end(reason);
    }

    /// How it ends, where the final object says nothing.
    pub(crate) fn end(&mut self, reason: Option<&str>) {
        self.generation.ending = Ending::Done(reason_of(reason));
    }

    /// An error where the final object should have been.
    pub(crate) fn failed(&mut self, at: Duration, status: u16, text: String) {
        self.generation.last.at = at;
        self.generation.ending = Ending::Failed { status, text };
    }

    /// Sets the counts of tokens; a count that is absent stays.
    pub(crate) fn counts(&mut self, prompt: Option<u64>, eval: Option<u64>) {
        self.generation.prompt_count = prompt.unwrap_or(self.generation.prompt_count);
        self.generation.eval_count = eval.unwrap_or(self.generation.eval_count);
    }

    /// Sets the counts that a wire object has: none, one of them or both.
    pub(crate) fn usage(&mut self, counts: Option<&TokenCounts>) {
        self.counts(counts.and_then(|counts| counts.input_tokens), counts.and_then(|counts| counts.output_tokens));
    }

    pub(crate) fn durations(&mut self, load: Option<Duration>, prompt_eval: Option<Duration>) {
        (self.load, self.prompt_eval) = (load, prompt_eval);
    }

    pub(crate) fn context(&mut self, context: Vec<i64>) {
        self.generation.context = context;
    }

    /// Whether the final object or an error has been read.
    pub(crate) fn has_ended(&self) -> bool {
        self.generation.ending != Ending::Silent
    }

    pub(crate) fn finish(mut self) -> Generation {
        let first = self.generation.pieces.first().unwrap_or(&self.generation.last).at;
        self.generation.load = self.load.unwrap_or_default().min(first);
        let prompt_end = self.load.zip(self.prompt_eval).map(|(load, prompt_eval)| load.saturating_add(prompt_eval));
        self.generation.prompt_end = prompt_end.unwrap_or(first).min(first);
        self.generation
    }
}

/// The answer of a request that was refused, in any envelope and any form.
pub(crate) fn refused(status: u16, body: &RecordedBody) -> Result<Generation, Unreadable> {
    #[derive(Deserialize)]
    struct Refused {
        error: Option<ErrorText>,
        /// Where some servers of `OpenAI`'s dialect have it.
        message: Option<String>,
    }
    let values = body.values::<Refused>().map_err(|_| Unreadable::NoError { status })?;
    let found = values.into_iter().find_map(|Timed { at, value, .. }| {
        let text = value.error.map(ErrorText::into_text).or(value.message)?;
        Some((at, text))
    });
    let (at, text) = found.ok_or(Unreadable::NoError { status })?;
    let mut draft = Draft::of(body);
    draft.failed(at, status, text);
    Ok(draft.finish())
}

/// Old servers give none at a natural end; the wrappers under `/v1` have words of their own for it.
fn reason_of(word: Option<&str>) -> Reason {
    match word {
        Some("length" | "max_tokens" | "max_output_tokens" | "model_context_window_exceeded") => Reason::Length,
        Some("load") => Reason::Load,
        Some("unload") => Reason::Unload,
        _ => Reason::Stop,
    }
}
