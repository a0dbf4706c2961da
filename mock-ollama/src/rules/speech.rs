//! What a model says in one answer, and the answer that a request gets of it.

use std::time::Duration;

use crate::generation::{Content, Ending, Generation, Logprob, ParsedRequest, Piece, Question, Reason, ToolCall};
use crate::models::Card;

/// The most alternatives that a request may ask for.
const MAX_TOP_LOGPROBS: u32 = 20;

/// The first token id; every word has the next one.
const FIRST_TOKEN_ID: i64 = 100;

/// The status of a failure that states none.
const FAILED: u16 = 500;

/// What a model says in one answer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Speech {
    pub(crate) pieces: Vec<Content>,
    /// What was sampled, where it is not the pieces. With as many pieces, each is what the other was made of.
    pub(crate) raw: Option<Vec<Content>>,
    /// Calls that the final object carries.
    pub(crate) final_calls: Vec<ToolCall>,
    pub(crate) end: SpeechEnd,
    /// Tokens sampled, where they are not one more than the pieces.
    pub(crate) tokens: Option<u64>,
    pub(crate) prompt_tokens: Option<u64>,
    /// From the request to the first piece.
    pub(crate) ttft: Option<Duration>,
    /// From one piece to the next.
    pub(crate) gap: Option<Duration>,
    pub(crate) logprobs: Option<StatedLogprobs>,
}

/// How an answer ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SpeechEnd {
    Done(Reason),
    /// Without a final object.
    Silent,
    /// With an error after this number of pieces.
    Failed {
        status: Option<u16>,
        text: String,
        after: usize,
    },
}

impl Default for SpeechEnd {
    fn default() -> Self {
        Self::Done(Reason::Stop)
    }
}

/// The log probability of every token, and those of its alternatives: `first`, `first + step`, …
#[derive(Clone, Copy, Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StatedLogprobs {
    pub(crate) token: f64,
    pub(crate) first: f64,
    pub(crate) step: f64,
}

/// What an answer of a model has where its rule states nothing. By default no time and ten tokens of prompt.
#[derive(Clone, Debug)]
pub(crate) struct ModelDefaults {
    pub(crate) load: Duration,
    pub(crate) prompt_eval: Duration,
    /// From the first piece to the final object; absent where pieces have a gap instead.
    pub(crate) eval: Option<Duration>,
    pub(crate) gap: Duration,
    /// How a prompt is rendered, for counting its tokens: `{system}` and `{prompt}` stand for theirs.
    pub(crate) render: String,
    pub(crate) prompt_tokens: u64,
    pub(crate) logprobs: Option<StatedLogprobs>,
}

impl Default for ModelDefaults {
    fn default() -> Self {
        Self {
            load: Duration::ZERO,
            prompt_eval: Duration::ZERO,
            eval: None,
            gap: Duration::ZERO,
            render: "{prompt}".to_owned(),
            prompt_tokens: 10,
            logprobs: None,
        }
    }
}

impl ModelDefaults {
    /// Returns the prompt as the model's template renders it; of a conversation, its last text.
    pub(crate) fn rendered(&self, card: &Card, ask: &ParsedRequest) -> String {
        let prompt = &ask.last_text;
        if ask.raw {
            return prompt.clone();
        }
        let own = card.system.as_deref().unwrap_or_default();
        let system = if ask.system.is_empty() { own } else { &ask.system };
        self.render.replace("{system}", system).replace("{prompt}", prompt)
    }
}

impl Speech {
    /// Returns whether it states a time, which then holds also where the pace maps only stated times.
    pub(crate) fn has_time(&self) -> bool {
        self.ttft.is_some() || self.gap.is_some()
    }

    /// Returns the answer that `ask` gets of it.
    pub(crate) fn generation(&self, ask: &ParsedRequest, card: &Card, defaults: &ModelDefaults) -> Generation {
        // A raw prompt goes past the parsers: what was sampled is what is shown.
        let unparsed = (ask.raw && card.parser.is_some()).then(|| self.unparsed());
        let speech = unparsed.as_ref().unwrap_or(self);
        let count = speech.pieces.len();
        let shown = match &self.end {
            SpeechEnd::Failed { after, .. } => (*after).min(count),
            SpeechEnd::Done(_) | SpeechEnd::Silent => count,
        };
        let (load, prompt_end) = match self.ttft {
            Some(ttft) => (defaults.load.min(ttft), ttft),
            None => (defaults.load, defaults.load + defaults.prompt_eval),
        };
        let at = |place: usize| prompt_end + self.offset(place, count, defaults);
        let pieces = speech.pieces.iter().take(shown).enumerate().map(|(place, content)| Piece {
            at: at(place),
            content: content.clone(),
            logprobs: self.logprobs(ask, defaults, speech.sampled_for(place)),
        });
        let pieces = pieces.collect();
        let is_failed = matches!(self.end, SpeechEnd::Failed { .. });
        let last_at = match (self.gap, defaults.eval) {
            _ if is_failed && shown == 0 => prompt_end,
            _ if is_failed => at(shown),
            (None, Some(eval)) => prompt_end + eval,
            _ => at(count),
        };
        let calls = if is_failed { Vec::new() } else { speech.final_calls.clone() };
        let content = if calls.is_empty() { Content::Held } else { Content::Calls(calls) };
        let raw = speech.sampled();
        Generation {
            pieces,
            last: Piece { at: last_at, content, logprobs: Vec::new() },
            ending: self.end.ending(),
            load,
            prompt_end,
            prompt_count: self.prompt_tokens.unwrap_or(defaults.prompt_tokens),
            eval_count: self.tokens.unwrap_or(raw.len() as u64 + 1),
            context: context(ask, &defaults.rendered(card, ask), raw),
        }
    }

    /// Returns what was sampled.
    fn sampled(&self) -> &[Content] {
        self.raw.as_ref().unwrap_or(&self.pieces)
    }

    fn unparsed(&self) -> Self {
        Self { pieces: self.sampled().to_vec(), raw: None, final_calls: Vec::new(), ..self.clone() }
    }

    /// Returns what was sampled for one of the pieces.
    fn sampled_for(&self, place: usize) -> &[u8] {
        let aligned = self.sampled().len() == self.pieces.len();
        let from = if aligned { self.sampled() } else { &self.pieces };
        from.get(place).map(bytes_of).unwrap_or_default()
    }

    /// Returns the time from the end of the prompt to the `place`-th of `count` pieces, counted from zero.
    fn offset(&self, place: usize, count: usize, defaults: &ModelDefaults) -> Duration {
        if let (None, Some(eval)) = (self.gap, defaults.eval) {
            let nanos = eval.as_nanos() * place as u128 / count.max(1) as u128;
            return Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
        }
        // A time to the first piece alone states that the others follow at once.
        let default = if self.ttft.is_some() { Duration::ZERO } else { defaults.gap };
        self.gap.unwrap_or(default).saturating_mul(u32::try_from(place).unwrap_or(u32::MAX))
    }

    fn logprobs(&self, ask: &ParsedRequest, defaults: &ModelDefaults, token: &[u8]) -> Vec<Logprob> {
        let (Some(stated), Some(_)) = (self.logprobs.or(defaults.logprobs), ask.logprobs) else { return Vec::new() };
        if token.is_empty() {
            return Vec::new();
        }
        let token = token.to_vec();
        let top =
            (0..MAX_TOP_LOGPROBS).map(|place| (token.clone(), stated.first + f64::from(place) * stated.step)).collect();
        vec![Logprob { token, logprob: stated.token, top }]
    }
}

impl SpeechEnd {
    fn ending(&self) -> Ending {
        match self {
            Self::Done(reason) => Ending::Done(*reason),
            Self::Silent => Ending::Silent,
            Self::Failed { status, text, .. } => {
                Ending::Failed { status: status.unwrap_or(FAILED), text: text.clone() }
            }
        }
    }
}

/// Returns one token a word of what was rendered and sampled.
fn context(ask: &ParsedRequest, rendered: &str, sampled: &[Content]) -> Vec<i64> {
    if matches!(ask.question, Question::Messages(_)) {
        return Vec::new();
    }
    let mut bytes = (vec!["token"; ask.context.len()].join(" ") + rendered).into_bytes();
    for content in sampled {
        bytes.extend_from_slice(bytes_of(content));
    }
    let words = String::from_utf8_lossy(&bytes).split_whitespace().count();
    (FIRST_TOKEN_ID..).take(words).collect()
}

/// Returns what was sampled for a piece, in bytes.
fn bytes_of(content: &Content) -> &[u8] {
    match content {
        Content::Text(text) => text,
        Content::Thinking(text) => text.as_bytes(),
        Content::Held | Content::Calls(_) => &[],
    }
}
