//! The notation of a rule in TOML and JSON.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::matcher::{Matcher, any, chat, embed, generate, request};
use super::pieces::{CallForm, PieceForm, contents, tool_call};
use super::reply::{Reply, as_ollama, busy, embedding, json_text, model_not_found, status};
use super::rule::{Expectation, Per, Rule, Window};
use super::speech::{Speech, SpeechEnd, StatedLogprobs};
use super::text::TextMatcher;
use crate::generation::{Dialect, Reason};
use crate::models::ModelName;

/// A key with something wrong in it: which, and what to write instead.
pub(crate) type Wrong = (&'static str, String);

/// `[[rule]]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RuleForm {
    pub(crate) name: String,
    pub(crate) when: MatcherForm,
    reply: Option<ReplyForm>,
    replies: Vec<ReplyForm>,
    /// Whether the rule is used up when each reply was given; otherwise the last one stays.
    then_unexpected: bool,
    first: Option<u64>,
    nth: Option<u64>,
    every: Option<u64>,
    per: PerForm,
    expect: Option<ExpectationForm>,
}

/// Conditions; all of those that are stated must hold.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct MatcherForm {
    endpoint: Option<EndpointForm>,
    /// A method and a path, such as `POST /api/pull`.
    request: Option<String>,
    dialect: Option<DialectForm>,
    pub(crate) model: OneOrMany<String>,
    prompt: OneOrMany<TextForm>,
    message: OneOrMany<TextForm>,
    system: OneOrMany<TextForm>,
    offers: OneOrMany<String>,
    tools: Option<bool>,
    result_of: Option<String>,
    result: Option<TextForm>,
    images: Option<usize>,
    format: Option<bool>,
    stream: Option<bool>,
    think: Option<bool>,
    header: BTreeMap<String, TextForm>,
    json: BTreeMap<String, Value>,
    body: OneOrMany<TextForm>,
    turn: Option<usize>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum EndpointForm {
    Any,
    Chat,
    Generate,
    Embed,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum DialectForm {
    Generate,
    Chat,
    OpenaiChat,
    OpenaiCompletions,
    Responses,
    Messages,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum PerForm {
    #[default]
    Server,
    Caller,
    Conversation,
}

/// One value, or a list.
#[derive(Clone, Debug, Deserialize)]
#[serde(
    untagged,
    expecting = "a value that is none; write a text, a table with one of regex and equals, or a list of them"
)]
pub(crate) enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

/// A text that is to be contained, or a table with what else is wanted of it.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged, expecting = "a text that is none; write a text, or a table with one of regex and equals")]
enum TextForm {
    Contains(String),
    Regex { regex: String },
    Equals { equals: String },
}

/// How often a rule must be used.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(untagged, expecting = "a number of uses that is none; write a number, or a table with at_least and at_most")]
enum ExpectationForm {
    Times(u64),
    Range {
        #[serde(default)]
        at_least: u64,
        at_most: Option<u64>,
    },
}

/// What is answered. A reply is what a model says, or exactly one of the others.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct ReplyForm {
    pieces: Option<Vec<PieceForm>>,
    /// What the model sampled, where parsers made the pieces of it.
    raw: Option<Vec<PieceForm>>,
    /// Calls that the final object carries.
    final_calls: Vec<CallForm>,
    /// Tokens sampled, where they are not one more than the pieces.
    tokens: Option<u64>,
    prompt_tokens: Option<u64>,
    ttft: Option<String>,
    gap: Option<String>,
    pace: Option<String>,
    ends: Option<EndForm>,
    error: Option<ErrorForm>,
    logprobs: Option<StatedLogprobs>,
    json: Option<Value>,
    embedding: Option<Vec<f32>>,
    status: Option<u16>,
    headers: BTreeMap<String, String>,
    body: Option<String>,
    busy: bool,
    model_not_found: bool,
    as_ollama: bool,
}

/// How an answer ends that does not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum EndForm {
    Stop,
    Length,
    /// Without a final object.
    Silent,
}

/// A failure after `after` pieces.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ErrorForm {
    text: String,
    #[serde(default)]
    status: Option<u16>,
    #[serde(default)]
    after: usize,
}

impl<T> Default for OneOrMany<T> {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

impl<T> OneOrMany<T> {
    pub(crate) fn as_slice(&self) -> &[T] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }
}

impl RuleForm {
    /// Returns the rule that is stated. One that names no model is for `models`, or for every model where these are none.
    pub(crate) fn rule(&self, models: &[ModelName]) -> Result<Rule, Wrong> {
        let mut matcher = self.when.matcher()?;
        if self.when.model.as_slice().is_empty() && !models.is_empty() && self.when.request.is_none() {
            matcher = matcher.models(models.to_vec());
        }
        let replies = match (&self.reply, self.replies.as_slice()) {
            (Some(reply), []) => vec![reply.reply().map_err(|what| ("reply", what))?],
            (None, []) => return Err(("", "replies nothing; state reply or replies".to_owned())),
            (None, replies) => {
                replies.iter().map(ReplyForm::reply).collect::<Result<_, _>>().map_err(|what| ("replies", what))?
            }
            (Some(_), _) => return Err(("replies", "states both `reply` and `replies`; keep one".to_owned())),
        };
        let window = match (self.first, self.nth, self.every) {
            (None, None, None) => Window::All,
            (Some(first), None, None) => Window::First(first),
            (None, Some(nth), None) => Window::Nth(nth),
            (None, None, Some(0)) => return Err(("every", "takes every 0th request; state 1 or more".to_owned())),
            (None, None, Some(every)) => Window::Every(every),
            _ => return Err(("nth", "states several of first, nth and every; keep one".to_owned())),
        };
        let per = match self.per {
            PerForm::Server => Per::Server,
            PerForm::Caller => Per::Caller,
            PerForm::Conversation => Per::Conversation,
        };
        let expectation = self.expect.map(|expect| match expect {
            ExpectationForm::Times(times) => Expectation::from(times),
            ExpectationForm::Range { at_least, at_most: None } => Expectation::from(at_least..),
            ExpectationForm::Range { at_least, at_most: Some(most) } => Expectation::from(at_least..=most),
        });
        let ends = self.then_unexpected;
        Ok(Rule { ends, window, per, expectation, ..Rule::new(self.name.clone(), matcher, replies) })
    }
}

impl MatcherForm {
    fn matcher(&self) -> Result<Matcher, Wrong> {
        let wrong = |what: String| ("when", what);
        let start = match (&self.request, self.endpoint) {
            (Some(line), None) => {
                let (method, path) = line.split_once(' ').ok_or_else(|| {
                    wrong(format!("bad request {line:?}; write a method and a path, such as \"POST /api/pull\""))
                })?;
                request(method, path)
            }
            (Some(_), Some(_)) => return Err(wrong("states both `request` and `endpoint`; keep one".to_owned())),
            (None, Some(EndpointForm::Chat)) => chat(),
            (None, Some(EndpointForm::Generate)) => generate(),
            (None, Some(EndpointForm::Embed)) => embed(),
            (None, Some(EndpointForm::Any) | None) => any(),
        };
        let start = self.dialect.map_or(start.clone(), |dialect| start.dialect(dialect.into()));
        let start = match self.model.as_slice() {
            [] => start,
            [one] => start.model(one),
            many => {
                let names = many.iter().map(|name| {
                    ModelName::parse(name).ok_or_else(|| wrong(format!("bad model name {name:?}; write model[:tag]")))
                });
                start.models(names.collect::<Result<_, _>>()?)
            }
        };
        self.with_texts(start).map_err(wrong).map(|matcher| self.with_flags(matcher))
    }

    fn with_texts(&self, mut matcher: Matcher) -> Result<Matcher, String> {
        for text in self.prompt.as_slice() {
            matcher = matcher.prompt(text.matcher()?);
        }
        for text in self.message.as_slice() {
            matcher = matcher.message(text.matcher()?);
        }
        for text in self.system.as_slice() {
            matcher = matcher.system(text.matcher()?);
        }
        for text in self.body.as_slice() {
            matcher = matcher.body(text.matcher()?);
        }
        if let Some(text) = &self.result {
            matcher = matcher.result(text.matcher()?);
        }
        for (name, text) in &self.header {
            matcher = matcher.header(name, text.matcher()?);
        }
        Ok(matcher)
    }

    fn with_flags(&self, mut matcher: Matcher) -> Matcher {
        for tool in self.offers.as_slice() {
            matcher = matcher.offers(tool);
        }
        for (pointer, value) in &self.json {
            matcher = matcher.json(pointer, value.clone());
        }
        matcher = self.tools.map_or(matcher.clone(), |tools| matcher.tools(tools));
        matcher = self.result_of.iter().fold(matcher, Matcher::result_of);
        matcher = self.images.map_or(matcher.clone(), |images| matcher.images(images));
        matcher = self.format.map_or(matcher.clone(), |given| matcher.format(given));
        matcher = self.stream.map_or(matcher.clone(), |stream| matcher.stream(stream));
        matcher = self.think.map_or(matcher.clone(), |think| matcher.thinks(think));
        self.turn.map_or(matcher.clone(), |turn| matcher.turn(turn))
    }
}

impl From<DialectForm> for Dialect {
    fn from(form: DialectForm) -> Self {
        match form {
            DialectForm::Generate => Self::Generate,
            DialectForm::Chat => Self::Chat,
            DialectForm::OpenaiChat => Self::OpenAiChat,
            DialectForm::OpenaiCompletions => Self::OpenAiCompletions,
            DialectForm::Responses => Self::Responses,
            DialectForm::Messages => Self::Messages,
        }
    }
}

impl TextForm {
    fn matcher(&self) -> Result<TextMatcher, String> {
        Ok(match self {
            Self::Contains(part) => TextMatcher::Contains(part.clone()),
            Self::Equals { equals } => TextMatcher::Equals(equals.clone()),
            Self::Regex { regex } => TextMatcher::Matches(
                regex::Regex::new(regex)
                    .map_err(|_| format!("bad regex {regex:?}; write one as the crate regex has it"))?,
            ),
        })
    }
}

impl ReplyForm {
    fn reply(&self) -> Result<Reply, String> {
        let mut others = Vec::new();
        if let Some(code) = self.status {
            others.push(self.with_status(code)?);
        }
        others.extend(self.json.as_ref().map(json_text));
        others.extend(self.embedding.clone().map(embedding));
        others.extend(self.busy.then(busy));
        others.extend(self.model_not_found.then(model_not_found));
        others.extend(self.as_ollama.then(as_ollama));
        let speaks = self.pieces.is_some() || self.raw.is_some() || !self.final_calls.is_empty();
        let fails = self.error.is_some() || self.ends.is_some();
        let mut reply = match (others.len(), speaks || fails) {
            (1, false) => others.remove(0),
            (0, true) => Reply::of_speech(self.speech()?),
            (0, false) => {
                return Err("says nothing; state pieces, error, status, json, embedding or busy".to_owned());
            }
            _ => return Err("states several kinds of reply; keep one".to_owned()),
        };
        if let Some(pace) = &self.pace {
            reply = reply.pace(pace.parse().map_err(|why: crate::schedule::PaceError| why.to_string())?);
        }
        Ok(reply)
    }

    fn with_status(&self, code: u16) -> Result<Reply, String> {
        if !(200..=599).contains(&code) {
            return Err(format!("status {code} is no status of an answer; state one of 200 to 599"));
        }
        let start = match &self.body {
            Some(body) => status(code).body(body.as_str()),
            None => status(code),
        };
        Ok(self.headers.iter().fold(start, |reply, (name, value)| reply.header(name, value)))
    }

    fn speech(&self) -> Result<Speech, String> {
        let end = match (&self.error, self.ends) {
            (Some(_), Some(_)) => return Err("states both `ends` and `error`; keep one".to_owned()),
            (Some(failure), None) => {
                if let Some(status) = failure.status.filter(|status| !(400..=599).contains(status)) {
                    return Err(format!("status {status} is no failure; state one of 400 to 599"));
                }
                SpeechEnd::Failed { status: failure.status, text: failure.text.clone(), after: failure.after }
            }
            (None, Some(EndForm::Silent)) => SpeechEnd::Silent,
            (None, Some(EndForm::Length)) => SpeechEnd::Done(Reason::Length),
            (None, Some(EndForm::Stop) | None) => SpeechEnd::Done(Reason::Stop),
        };
        let raw = self.raw.as_deref().map(contents).transpose()?;
        let pieces = match &self.pieces {
            Some(pieces) => contents(pieces)?,
            None if !self.final_calls.is_empty() => Vec::new(),
            None => raw.clone().unwrap_or_default(),
        };
        let calls = self.final_calls.iter().zip(0..).map(|(call, index)| tool_call(call, index));
        Ok(Speech {
            pieces,
            raw,
            final_calls: calls.collect::<Result<_, _>>()?,
            end,
            tokens: self.tokens,
            prompt_tokens: self.prompt_tokens,
            ttft: self.ttft.as_deref().map(duration).transpose()?,
            gap: self.gap.as_deref().map(duration).transpose()?,
            logprobs: self.logprobs,
        })
    }
}

/// Returns a time with its unit, such as `20ms`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("bad time {text:?}; write a whole number with ns, us, ms or s");
    let end = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
    let number: u64 = text[..end].parse().map_err(|_| wrong())?;
    let unit = match &text[end..] {
        "ns" => 1,
        "us" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        _ => return Err(wrong()),
    };
    number.checked_mul(unit).map(Duration::from_nanos).ok_or_else(wrong)
}
