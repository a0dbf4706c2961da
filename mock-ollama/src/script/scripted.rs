//! A scripted model: which answer a request gets.

use std::sync::Arc;
use std::time::Duration;

use super::ScriptError;
use super::file::{EmbeddingForm, EndForm, EndpointForm, ErrorForm, LogprobForm};
use super::model::Times;
use super::pieces::sampled;
use crate::backend::BUSY;
use crate::generation::{Content, Ending, Generation, Logprob, Piece, Reason, Refusal, ToolCall};
use crate::generation::{ParsedRequest, Question};
use crate::models::{Card, ModelName};

/// The most alternatives that a request may ask for.
const MAX_TOP_LOGPROBS: u32 = 20;

/// The first token id; every word has the next one.
const FIRST_TOKEN_ID: i64 = 100;

/// A model whose answers are stated.
#[derive(Clone, Debug)]
pub struct Scripted {
    /// What listings say of it.
    pub card: Card,
    pub(super) times: Times,
    pub(super) rules: Arc<[AnswerRule]>,
    pub(super) render: String,
    pub(super) prompt_tokens: u64,
    pub(super) logprobs: Option<LogprobForm>,
    pub(super) embedding: Option<EmbeddingForm>,
}

/// Conditions, and what holds where they are met.
#[derive(Clone, Debug, Default)]
pub(super) struct AnswerRule {
    pub(super) models: Option<Vec<ModelName>>,
    pub(super) words: Vec<String>,
    pub(super) endpoint: Option<EndpointForm>,
    pub(super) think: Option<bool>,
    pub(super) tools: Option<bool>,
    pub(super) text: Option<AnswerText>,
    pub(super) gap: Option<Duration>,
    pub(super) ends: Option<EndForm>,
    pub(super) error: Option<ErrorForm>,
}

/// The text of an answer.
#[derive(Clone, Debug)]
pub(super) struct AnswerText {
    pub(super) pieces: Vec<Content>,
    /// What was sampled, where it is not the pieces. With as many pieces, each is what the other was made of.
    pub(super) raw: Option<Vec<Content>>,
    pub(super) final_calls: Vec<ToolCall>,
    pub(super) tokens: Option<u64>,
}

impl AnswerText {
    /// Returns what was sampled.
    fn sampled(&self) -> &[Content] {
        self.raw.as_ref().unwrap_or(&self.pieces)
    }

    /// Returns the same without the parsers: what was sampled is what is shown.
    fn unparsed(&self) -> Self {
        Self { pieces: self.sampled().to_vec(), raw: None, final_calls: Vec::new(), tokens: self.tokens }
    }

    /// Returns what was sampled for one of the pieces.
    fn sampled_for(&self, place: usize) -> &[u8] {
        let aligned = self.sampled().len() == self.pieces.len();
        let from = if aligned { self.sampled() } else { &self.pieces };
        from.get(place).map(sampled).unwrap_or_default()
    }
}

impl AnswerRule {
    /// Returns whether it has a text whatever is asked.
    pub(super) fn answers_all(&self) -> bool {
        let free = self.words.is_empty() && self.endpoint.is_none() && self.think.is_none() && self.tools.is_none();
        free && self.text.is_some()
    }

    fn holds(&self, ask: &ParsedRequest, think: bool) -> bool {
        let text = &ask.last_text;
        let endpoint = if ask.is_generate() { EndpointForm::Generate } else { EndpointForm::Chat };
        self.words.iter().all(|word| text.contains(word.as_str()))
            && self.endpoint.is_none_or(|wanted| wanted == endpoint)
            && self.think.is_none_or(|wanted| wanted == think)
            && self.tools.is_none_or(|wanted| wanted == ask.tools)
    }
}

impl Scripted {
    /// Returns a model that answers everything with these pieces, 20 ms apart after 100 ms.
    ///
    /// # Errors
    /// A name that breaks the grammar of model names.
    pub fn says(name: &str, pieces: impl IntoIterator<Item = impl Into<String>>) -> Result<Self, ScriptError> {
        let name = ModelName::parse(name).ok_or_else(|| ScriptError::bad_name("this script", name))?;
        let mut card = Card::named(name);
        card.capabilities = vec!["completion".to_owned()];
        let pieces = pieces.into_iter().map(|piece| Content::Text(piece.into().into_bytes())).collect();
        let text = AnswerText { pieces, raw: None, final_calls: Vec::new(), tokens: None };
        let rule = AnswerRule { text: Some(text), ..AnswerRule::default() };
        let gap = Duration::from_millis(20);
        let times = Times { load: Duration::from_millis(1), prompt_eval: Duration::from_millis(99), eval: None, gap };
        Ok(Self {
            card,
            times,
            rules: Arc::from([rule]),
            render: "{prompt}".to_owned(),
            prompt_tokens: 10,
            logprobs: None,
            embedding: None,
        })
    }

    /// Returns the answer to a request.
    ///
    /// The first rule that holds and has a text gives the text. The first that holds and states an ending gives the ending.
    ///
    /// # Errors
    /// The script says that the server is busy.
    pub fn answer(&self, ask: &ParsedRequest) -> Result<Generation, Refusal> {
        let think = ask.think.unwrap_or_else(|| self.has("thinking"));
        let holding = || self.rules.iter().filter(|rule| rule.holds(ask, think));
        let ending = holding().find(|rule| rule.ends.is_some() || rule.error.is_some());
        if ending.is_some_and(|rule| rule.ends == Some(EndForm::Busy)) {
            return Err(Refusal::by_handler(503, BUSY));
        }
        let speaking = holding().find(|rule| rule.text.is_some());
        let Some((rule, text)) = speaking.and_then(|rule| Some((rule, rule.text.as_ref()?))) else {
            return Ok(Generation::default());
        };
        let error = ending.and_then(|rule| rule.error.as_ref());
        let unparsed = (ask.raw && self.card.parser.is_some()).then(|| text.unparsed());
        let text = unparsed.as_ref().unwrap_or(text);
        let count = text.pieces.len();
        let shown = error.map_or(count, |error| error.after.min(count));
        let prompt_end = self.times.load + self.times.prompt_eval;
        let at = |place: usize| prompt_end + self.offset(place, count, rule.gap);
        let pieces = text.pieces.iter().take(shown).enumerate().map(|(place, content)| Piece {
            at: at(place),
            content: content.clone(),
            logprobs: self.logprobs(ask, text.sampled_for(place)),
        });
        let pieces: Vec<Piece> = pieces.collect();
        let last_at = match error {
            Some(_) if shown == 0 => prompt_end,
            Some(_) => at(shown),
            None => prompt_end + self.whole(count, rule.gap),
        };
        let calls = if error.is_none() { text.final_calls.clone() } else { Vec::new() };
        let content = if calls.is_empty() { Content::Held } else { Content::Calls(calls) };
        let raw = text.sampled();
        Ok(Generation {
            pieces,
            last: Piece { at: last_at, content, logprobs: Vec::new() },
            ending: ending_of(ending),
            load: self.times.load,
            prompt_end,
            prompt_count: self.prompt_tokens,
            eval_count: text.tokens.unwrap_or(raw.len() as u64 + 1),
            context: self.context(ask, raw),
        })
    }

    /// Returns the time from the end of the prompt to the final object.
    fn whole(&self, count: usize, gap: Option<Duration>) -> Duration {
        match (gap, self.times.eval) {
            (None, Some(eval)) => eval,
            _ => self.offset(count, count, gap),
        }
    }

    /// Returns the time from the end of the prompt to the `place`-th of `count` pieces, counted from zero.
    fn offset(&self, place: usize, count: usize, gap: Option<Duration>) -> Duration {
        let (place, count) = (place as u128, count.max(1) as u128);
        match (gap, self.times.eval) {
            (None, Some(eval)) => {
                let nanos = eval.as_nanos() * place / count;
                Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
            }
            (gap, _) => gap.unwrap_or(self.times.gap).saturating_mul(u32::try_from(place).unwrap_or(u32::MAX)),
        }
    }

    fn has(&self, capability: &str) -> bool {
        self.card.capabilities.iter().any(|known| known == capability)
    }

    fn logprobs(&self, ask: &ParsedRequest, token: &[u8]) -> Vec<Logprob> {
        let (Some(rule), Some(_)) = (self.logprobs, ask.logprobs) else { return Vec::new() };
        if token.is_empty() {
            return Vec::new();
        }
        let token = token.to_vec();
        let top =
            (0..MAX_TOP_LOGPROBS).map(|place| (token.clone(), rule.first + f64::from(place) * rule.step)).collect();
        vec![Logprob { token, logprob: rule.token, top }]
    }

    /// Returns the prompt as the model's template renders it; of a conversation, its last text.
    pub fn rendered(&self, ask: &ParsedRequest) -> String {
        let prompt = &ask.last_text;
        if ask.raw {
            return prompt.clone();
        }
        let own = self.card.system.as_deref().unwrap_or_default();
        let system = if ask.system.is_empty() { own } else { &ask.system };
        self.render.replace("{system}", system).replace("{prompt}", prompt)
    }

    /// Returns one token a word of what was rendered and sampled.
    fn context(&self, ask: &ParsedRequest, raw: &[Content]) -> Vec<i64> {
        if matches!(ask.question, Question::Messages(_)) {
            return Vec::new();
        }
        let text = vec!["token"; ask.context.len()].join(" ") + &self.rendered(ask);
        let mut bytes = text.into_bytes();
        for content in raw {
            bytes.extend_from_slice(sampled(content));
        }
        let words = String::from_utf8_lossy(&bytes).split_whitespace().count();
        (FIRST_TOKEN_ID..).take(words).collect()
    }

    /// Returns whether it states an embedding.
    pub(crate) fn embeds(&self) -> bool {
        self.embedding.is_some()
    }

    /// Returns the vector of a text, not normalised, and its tokens: one a word.
    ///
    /// # Errors
    /// The text of the runner's failure.
    pub fn embed(&self, text: &str) -> Result<(Vec<f32>, u64), String> {
        let Some(form) = &self.embedding else { return Ok((Vec::new(), 0)) };
        if form.fails_on.as_ref().is_some_and(|word| text.contains(word.as_str())) {
            return Err(form.error.clone());
        }
        Ok((form.vector.clone(), text.split_whitespace().count() as u64))
    }
}

fn ending_of(rule: Option<&AnswerRule>) -> Ending {
    let Some(rule) = rule else { return Ending::Done(Reason::Stop) };
    match (&rule.error, rule.ends) {
        (Some(error), _) => Ending::Failed { status: error.status.unwrap_or(500), text: error.text.clone() },
        (None, Some(EndForm::Length)) => Ending::Done(Reason::Length),
        (None, Some(EndForm::Silent)) => Ending::Silent,
        (None, _) => Ending::Done(Reason::Stop),
    }
}
