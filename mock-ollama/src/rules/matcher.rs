//! The requests that a rule is for.

use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use super::incoming::{Endpoint, IncomingRequest};
use super::text::TextMatcher;
use crate::generation::Dialect;
use crate::models::ModelName;

/// How much of a text is quoted in a report, in characters.
const MAX_QUOTED_CHARS: usize = 60;

/// The requests that a rule is for: an endpoint, and conditions of which all must hold.
#[derive(Clone)]
pub struct Matcher {
    scope: Scope,
    conditions: Vec<Condition>,
}

/// Which requests a matcher is asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Scope {
    /// Requests for an answer or an embedding.
    Model,
    Endpoint(Endpoint),
    /// Every request of this method and path, also one that Ollama refuses.
    Route {
        method: String,
        path: String,
    },
}

#[derive(Clone)]
enum Condition {
    Dialect(Dialect),
    Model(String),
    /// One of these models, by their canonical names.
    Models(Vec<ModelName>),
    Prompt(TextMatcher),
    Message(TextMatcher),
    System(TextMatcher),
    Offers(String),
    Tools(bool),
    ResultOf(String),
    Result(TextMatcher),
    Images(usize),
    Format(bool),
    Stream(bool),
    Thinks(bool),
    Header(String, TextMatcher),
    Json(String, Value),
    JsonText(String, TextMatcher),
    Body(TextMatcher),
    Turn(usize),
    Holds(Arc<dyn Fn(&IncomingRequest) -> bool + Send + Sync>),
}

/// What [`MockOllama::on`](crate::MockOllama::on) takes: a [`Matcher`], or a closure that looks at an [`IncomingRequest`].
pub trait IntoMatcher {
    /// Returns the matcher.
    fn into_matcher(self) -> Matcher;
}

impl IntoMatcher for Matcher {
    fn into_matcher(self) -> Matcher {
        self
    }
}

impl<F> IntoMatcher for F
where
    F: Fn(&IncomingRequest) -> bool + Send + Sync + 'static,
{
    fn into_matcher(self) -> Matcher {
        any().matches(self)
    }
}

/// Matches every request for an answer or an embedding.
///
/// ```
/// use mock_ollama::any;
///
/// let matcher = any().header("x-team", "embed");
/// # let _ = matcher;
/// ```
pub fn any() -> Matcher {
    Matcher { scope: Scope::Model, conditions: Vec::new() }
}

/// Matches requests for an answer to a conversation, in every dialect.
///
/// ```
/// use mock_ollama::chat;
///
/// let matcher = chat().model("llama3.2").prompt("weather").offers("get_weather");
/// # let _ = matcher;
/// ```
pub fn chat() -> Matcher {
    Matcher { scope: Scope::Endpoint(Endpoint::Chat), ..any() }
}

/// Matches requests for the completion of a prompt, in both dialects that have them.
///
/// ```
/// use mock_ollama::generate;
///
/// let matcher = generate().prompt("Once upon a time");
/// # let _ = matcher;
/// ```
pub fn generate() -> Matcher {
    Matcher { scope: Scope::Endpoint(Endpoint::Generate), ..any() }
}

/// Matches requests for embeddings, in every dialect.
///
/// ```
/// use mock_ollama::embed;
///
/// let matcher = embed().model("nomic-embed-text");
/// # let _ = matcher;
/// ```
pub fn embed() -> Matcher {
    Matcher { scope: Scope::Endpoint(Endpoint::Embed), ..any() }
}

/// Matches every request of this method and path, also one that Ollama refuses or has no route for.
///
/// ```
/// use mock_ollama::request;
///
/// let matcher = request("GET", "/api/tags");
/// # let _ = matcher;
/// ```
pub fn request(method: impl Into<String>, path: impl Into<String>) -> Matcher {
    let scope = Scope::Route { method: method.into(), path: path.into() };
    Matcher { scope, conditions: Vec::new() }
}

impl Matcher {
    fn and(mut self, condition: Condition) -> Self {
        self.conditions.push(condition);
        self
    }

    pub(crate) fn models(self, names: Vec<ModelName>) -> Self {
        self.and(Condition::Models(names))
    }

    /// Wants a request in this dialect.
    #[must_use]
    pub fn dialect(self, dialect: Dialect) -> Self {
        self.and(Condition::Dialect(dialect))
    }

    /// Wants a model of this name. `*` stands for any characters, and a name without a tag for every tag.
    ///
    /// ```
    /// use mock_ollama::chat;
    ///
    /// let matcher = chat().model("llama3*");
    /// # let _ = matcher;
    /// ```
    #[must_use]
    pub fn model(self, name: impl Into<String>) -> Self {
        self.and(Condition::Model(name.into()))
    }

    /// Wants this text in the prompt, or in the last message of the user or of a tool.
    #[must_use]
    pub fn prompt(self, text: impl Into<TextMatcher>) -> Self {
        self.and(Condition::Prompt(text.into()))
    }

    /// Wants this text in any message.
    #[must_use]
    pub fn message(self, text: impl Into<TextMatcher>) -> Self {
        self.and(Condition::Message(text.into()))
    }

    /// Wants this text in the system prompt.
    #[must_use]
    pub fn system(self, text: impl Into<TextMatcher>) -> Self {
        self.and(Condition::System(text.into()))
    }

    /// Wants a request that offers the tool of this name.
    #[must_use]
    pub fn offers(self, tool: impl Into<String>) -> Self {
        self.and(Condition::Offers(tool.into()))
    }

    /// Wants a request that offers tools, or one that offers none.
    #[must_use]
    pub fn tools(self, offered: bool) -> Self {
        self.and(Condition::Tools(offered))
    }

    /// Wants the result of the tool of this name as the newest message.
    #[must_use]
    pub fn result_of(self, tool: impl Into<String>) -> Self {
        self.and(Condition::ResultOf(tool.into()))
    }

    /// Wants this text in the result of a tool that is the newest message.
    #[must_use]
    pub fn result(self, text: impl Into<TextMatcher>) -> Self {
        self.and(Condition::Result(text.into()))
    }

    /// Wants this number of images.
    #[must_use]
    pub fn images(self, images: usize) -> Self {
        self.and(Condition::Images(images))
    }

    /// Wants a request that gives a format (`format`, `response_format`).
    #[must_use]
    pub fn format_given(self) -> Self {
        self.format(true)
    }

    pub(super) fn format(self, given: bool) -> Self {
        self.and(Condition::Format(given))
    }

    /// Wants a request for a stream, or one for a whole answer.
    #[must_use]
    pub fn stream(self, stream: bool) -> Self {
        self.and(Condition::Stream(stream))
    }

    /// Wants a request to think, or one not to. A model that can think does so where the request says nothing.
    #[must_use]
    pub fn thinks(self, thinks: bool) -> Self {
        self.and(Condition::Thinks(thinks))
    }

    /// Wants this text in a header.
    #[must_use]
    pub fn header(self, name: impl Into<String>, text: impl Into<TextMatcher>) -> Self {
        self.and(Condition::Header(name.into(), text.into()))
    }

    /// Wants this value at a JSON pointer (RFC 6901) into the body. Numbers are compared by their value.
    ///
    /// ```
    /// use mock_ollama::any;
    ///
    /// let matcher = any().json("/options/temperature", 0);
    /// # let _ = matcher;
    /// ```
    #[must_use]
    pub fn json(self, pointer: impl Into<String>, value: impl Into<Value>) -> Self {
        self.and(Condition::Json(pointer.into(), value.into()))
    }

    /// Wants this text at a JSON pointer (RFC 6901) into the body.
    #[must_use]
    pub fn json_text(self, pointer: impl Into<String>, text: impl Into<TextMatcher>) -> Self {
        self.and(Condition::JsonText(pointer.into(), text.into()))
    }

    /// Wants this text in the body as it was sent.
    #[must_use]
    pub fn body(self, text: impl Into<TextMatcher>) -> Self {
        self.and(Condition::Body(text.into()))
    }

    /// Wants the request for the `turn`-th answer of its conversation, counted from 1.
    #[must_use]
    pub fn turn(self, turn: usize) -> Self {
        self.and(Condition::Turn(turn))
    }

    /// Wants a request for which this returns true.
    #[must_use]
    pub fn matches(self, test: impl Fn(&IncomingRequest) -> bool + Send + Sync + 'static) -> Self {
        self.and(Condition::Holds(Arc::new(test)))
    }

    /// Returns whether it is asked about requests that Ollama would not pass to a model.
    pub(super) fn is_of_route(&self) -> bool {
        matches!(self.scope, Scope::Route { .. })
    }

    /// Returns how many conditions hold before the first that fails, and what that one wants; `None` where all hold.
    pub(super) fn first_failure(&self, request: &IncomingRequest) -> Option<(usize, String)> {
        if !self.scope.covers(request) {
            return Some((0, format!("it wants {}, got {} {}", self.scope, request.method(), request.path())));
        }
        self.conditions.iter().enumerate().find_map(|(place, condition)| {
            let got = condition.failure(request)?;
            Some((place + 1, format!("it wants {condition}, got {got}")))
        })
    }
}

impl Scope {
    fn covers(&self, request: &IncomingRequest) -> bool {
        match self {
            Self::Model => request.endpoint() != Endpoint::Other,
            Self::Endpoint(endpoint) => request.endpoint() == *endpoint,
            Self::Route { method, path } => request.method() == method && request.path() == path,
        }
    }
}

impl Condition {
    /// Returns what the request has in place of what is wanted; `None` where the condition holds.
    fn failure(&self, request: &IncomingRequest) -> Option<String> {
        let (fits, got) = match self {
            Self::Dialect(wanted) => (
                request.dialect() == Some(*wanted),
                request.dialect().map_or_else(String::new, |got| format!("{got:?}")),
            ),
            Self::Model(pattern) => {
                let copied = request.answers_as().is_some_and(|name| is_model(pattern, name.as_str()));
                (copied || is_model(pattern, request.model()), quoted(request.model()))
            }
            Self::Models(names) => {
                (request.answers_as().is_some_and(|name| names.contains(name)), quoted(request.model()))
            }
            Self::Prompt(text) => (text.fits(request.prompt()), quoted(request.prompt())),
            Self::Message(text) => {
                let fits = request.messages().iter().any(|message| text.fits(&message.text));
                (fits || request.messages().is_empty() && text.fits(request.prompt()), quoted(request.prompt()))
            }
            Self::System(text) => (text.fits(request.system()), quoted(request.system())),
            Self::Offers(tool) => (request.tools().contains(tool), listed(request.tools())),
            Self::Tools(wanted) => (request.tools().is_empty() != *wanted, listed(request.tools())),
            Self::ResultOf(tool) => {
                let results: Vec<String> = request.results().map(|message| message.result_of.clone()).collect();
                (results.contains(tool), listed(&results))
            }
            Self::Result(text) => {
                let fits = request.results().any(|message| text.fits(&message.text));
                (fits, request.results().next().map_or_else(|| "no result".to_owned(), |message| quoted(&message.text)))
            }
            Self::Images(images) => (request.images() == *images, request.images().to_string()),
            Self::Format(wanted) => (request.format().is_null() != *wanted, quoted(&request.format().to_string())),
            Self::Stream(wanted) => (request.is_stream() == *wanted, request.is_stream().to_string()),
            Self::Thinks(wanted) => {
                (request.thinks() == Some(*wanted), request.thinks().unwrap_or_default().to_string())
            }
            Self::Header(name, text) => {
                let value = request.header(name);
                // A header's value may be a credential: a report says no more than whether it is there.
                let got = if value.is_some() { "another value" } else { "no such header" };
                (value.is_some_and(|value| text.fits(value)), got.to_owned())
            }
            Self::Json(pointer, wanted) => {
                let value = request.json().pointer(pointer);
                (value.is_some_and(|value| is_same(value, wanted)), found(value))
            }
            Self::JsonText(pointer, text) => {
                let value = request.json().pointer(pointer);
                let fits = value.is_some_and(|value| match value {
                    Value::String(value) => text.fits(value),
                    other => text.fits(&other.to_string()),
                });
                (fits, found(value))
            }
            Self::Body(text) => {
                let body = String::from_utf8_lossy(request.body());
                (text.fits(&body), quoted(&body))
            }
            Self::Turn(turn) => (request.turn() == *turn, request.turn().to_string()),
            Self::Holds(test) => (test(request), "false".to_owned()),
        };
        (!fits).then_some(got)
    }
}

/// Returns whether a name is of a pattern: `*` stands for any characters, and a pattern without a tag for every tag.
fn is_model(pattern: &str, name: &str) -> bool {
    let untagged = name.rsplit_once(':').map_or(name, |(base, _)| base);
    is_glob(pattern, name) || (!pattern.contains(':') && is_glob(pattern, untagged))
}

fn is_glob(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut middle: Vec<&str> = parts.collect();
    let Some(last) = middle.pop() else { return rest.is_empty() };
    for part in middle {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

/// Returns whether two JSON values are the same; 0 and 0.0 are.
fn is_same(value: &Value, wanted: &Value) -> bool {
    value == wanted || value.is_number() && wanted.is_number() && value.as_f64() == wanted.as_f64()
}

fn found(value: Option<&Value>) -> String {
    value.map_or_else(|| "nothing".to_owned(), |value| cut(&value.to_string()))
}

fn quoted(text: &str) -> String {
    cut(&format!("{text:?}"))
}

fn cut(text: &str) -> String {
    let mut out: String = text.chars().take(MAX_QUOTED_CHARS).collect();
    if out.len() < text.len() {
        out.push('…');
    }
    out
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Model => f.write_str("a request for an answer or an embedding"),
            Self::Endpoint(Endpoint::Chat) => f.write_str("a chat"),
            Self::Endpoint(Endpoint::Generate) => f.write_str("a prompt to complete"),
            Self::Endpoint(Endpoint::Embed) => f.write_str("texts to embed"),
            Self::Endpoint(Endpoint::Other) => f.write_str("no request for a model"),
            Self::Route { method, path } => write!(f, "{method} {path}"),
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dialect(dialect) => write!(f, "dialect {dialect:?}"),
            Self::Model(name) => write!(f, "model {name:?}"),
            Self::Models(names) => {
                let names: Vec<&str> = names.iter().map(ModelName::as_str).collect();
                write!(f, "model {}", names.join(" or "))
            }
            Self::Prompt(text) => write!(f, "prompt {text}"),
            Self::Message(text) => write!(f, "a message {text}"),
            Self::System(text) => write!(f, "system prompt {text}"),
            Self::Offers(tool) => write!(f, "the tool {tool} to be offered"),
            Self::Tools(true) => f.write_str("tools to be offered"),
            Self::Tools(false) => f.write_str("no tools"),
            Self::ResultOf(tool) => write!(f, "the result of {tool}"),
            Self::Result(text) => write!(f, "a tool's result {text}"),
            Self::Images(images) => write!(f, "{images} images"),
            Self::Format(true) => f.write_str("a format"),
            Self::Format(false) => f.write_str("no format"),
            Self::Stream(stream) => write!(f, "stream {stream}"),
            Self::Thinks(thinks) => write!(f, "think {thinks}"),
            Self::Header(name, text) => write!(f, "header {name} {text}"),
            Self::Json(pointer, value) => write!(f, "{pointer} equal to {value}"),
            Self::JsonText(pointer, text) => write!(f, "{pointer} {text}"),
            Self::Body(text) => write!(f, "body {text}"),
            Self::Turn(turn) => write!(f, "turn {turn} of the conversation"),
            Self::Holds(_) => f.write_str("what its closure tests to be true"),
        }
    }
}

impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.scope)?;
        for (place, condition) in self.conditions.iter().enumerate() {
            write!(f, "{}{condition}", if place == 0 { " with " } else { " and " })?;
        }
        Ok(())
    }
}

impl fmt::Debug for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Matcher({self})")
    }
}
