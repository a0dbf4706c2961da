//! The replies that a rule can give.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::incoming::IncomingRequest;
use super::speech::{Speech, SpeechEnd};
use crate::generation::{Arguments, Content, Reason, ToolCall};
use crate::recording::Recording;
use crate::schedule::Pace;

/// What a rule answers.
///
/// A function such as [`says`] begins a reply, and its methods state more of it. What a method means for another kind of
/// reply is a mistake of the test, and panics.
#[derive(Clone)]
pub struct Reply {
    pub(crate) kind: ReplyKind,
    /// The pace of this reply, in place of the server's.
    pub(crate) pace: Option<Pace>,
}

#[derive(Clone)]
pub(crate) enum ReplyKind {
    Speech(Speech),
    Status(StatusReply),
    /// The model is not there, in Ollama's words.
    ModelNotFound,
    Embedding(Vec<f32>),
    Recording(Arc<Recording>),
    /// The reply is computed from the request.
    Computed(Arc<dyn Fn(&IncomingRequest) -> Reply + Send + Sync>),
    /// What Ollama itself answers.
    AsOllama,
}

/// A status, and what comes with it.
#[derive(Clone, Debug)]
pub(crate) struct StatusReply {
    pub(crate) status: u16,
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) content: StatusContent,
}

/// The body of a reply with a status.
#[derive(Clone, Debug)]
pub(crate) enum StatusContent {
    /// An error in the dialect of the request.
    Error(String),
    /// These bytes.
    Bytes(Vec<u8>),
}

/// What [`says`] takes: one text, or several pieces.
pub trait IntoPieces {
    /// Returns the pieces, in order.
    fn into_pieces(self) -> Vec<String>;
}

impl IntoPieces for &str {
    fn into_pieces(self) -> Vec<String> {
        vec![self.to_owned()]
    }
}

impl IntoPieces for String {
    fn into_pieces(self) -> Vec<String> {
        vec![self]
    }
}

impl<T: Into<String>, const N: usize> IntoPieces for [T; N] {
    fn into_pieces(self) -> Vec<String> {
        self.into_iter().map(Into::into).collect()
    }
}

impl<T: Into<String>> IntoPieces for Vec<T> {
    fn into_pieces(self) -> Vec<String> {
        self.into_iter().map(Into::into).collect()
    }
}

/// Answers with this text, piece by piece.
///
/// ```
/// use mock_ollama::{MockOllama, chat, says};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = MockOllama::start()?;
/// server.on(chat()).reply(says(["Hello", " world"]));
/// # server.finish()?;
/// # Ok(())
/// # }
/// ```
pub fn says(pieces: impl IntoPieces) -> Reply {
    let pieces = pieces.into_pieces().into_iter().map(|piece| Content::Text(piece.into_bytes())).collect();
    Reply::of_speech(Speech { pieces, ..Speech::default() })
}

/// Answers with a call of a tool. More calls follow with [`Reply::call`].
///
/// ```
/// use mock_ollama::call;
///
/// let reply = call("get_weather", serde_json::json!({ "city": "Paris" }));
/// # let _ = reply;
/// ```
pub fn call(name: impl Into<String>, arguments: Value) -> Reply {
    Reply::of_speech(Speech::default()).call(name, arguments)
}

/// Answers with this value as a text of JSON, in one piece.
///
/// ```
/// use mock_ollama::json_text;
///
/// let reply = json_text(&serde_json::json!({ "city": "Paris" }));
/// # let _ = reply;
/// ```
pub fn json_text(value: &Value) -> Reply {
    says(value.to_string())
}

/// Answers a request for embeddings: every text has this vector, scaled to unit length where Ollama does so.
///
/// ```
/// use mock_ollama::embedding;
///
/// let reply = embedding([0.1, 0.2]);
/// # let _ = reply;
/// ```
pub fn embedding(vector: impl IntoIterator<Item = f32>) -> Reply {
    Reply::of(ReplyKind::Embedding(vector.into_iter().collect()))
}

/// Answers with this status, and an error that says its reason in the dialect of the request.
///
/// ```
/// use mock_ollama::status;
///
/// let reply = status(429).retry_after(1);
/// # let _ = reply;
/// ```
///
/// # Panics
/// Where it is no status: 200 to 599.
#[track_caller]
pub fn status(status: u16) -> Reply {
    assert!((200..=599).contains(&status), "{status} is no status of an answer; state one of 200 to 599");
    let reason = crate::http::reason(status).to_lowercase();
    let content = StatusContent::Error(if reason.is_empty() { format!("status {status}") } else { reason });
    Reply::of(ReplyKind::Status(StatusReply { status, fields: Vec::new(), content }))
}

/// Answers with this status, and this error in the dialect of the request.
///
/// ```
/// use mock_ollama::error;
///
/// let reply = error(500, "model runner has unexpectedly stopped");
/// # let _ = reply;
/// ```
///
/// # Panics
/// Where it is no status: 200 to 599.
#[track_caller]
pub fn error(code: u16, text: impl Into<String>) -> Reply {
    let mut reply = status(code);
    if let ReplyKind::Status(stated) = &mut reply.kind {
        stated.content = StatusContent::Error(text.into());
    }
    reply
}

/// Answers that the queue of the server is full: 503, in Ollama's words.
///
/// ```
/// use mock_ollama::{busy, says};
///
/// let replies = [busy(), busy(), says(["Hello"])];
/// # let _ = replies;
/// ```
pub fn busy() -> Reply {
    error(503, crate::backend::BUSY)
}

/// Answers that there is no such model: 404, in Ollama's words.
pub fn model_not_found() -> Reply {
    Reply::of(ReplyKind::ModelNotFound)
}

/// Answers as Ollama itself does: a request that would be unexpected is expected.
///
/// ```
/// use mock_ollama::{MockOllama, as_ollama, request};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = MockOllama::start()?;
/// server.on(request("POST", "/api/pull")).reply(as_ollama());
/// # server.finish()?;
/// # Ok(())
/// # }
/// ```
pub fn as_ollama() -> Reply {
    Reply::of(ReplyKind::AsOllama)
}

impl From<Recording> for Reply {
    fn from(recording: Recording) -> Self {
        Self::of(ReplyKind::Recording(Arc::new(recording)))
    }
}

impl<F> From<F> for Reply
where
    F: Fn(&IncomingRequest) -> Reply + Send + Sync + 'static,
{
    /// Computes the reply from the request.
    fn from(compute: F) -> Self {
        Self::of(ReplyKind::Computed(Arc::new(compute)))
    }
}

impl Reply {
    pub(crate) fn of(kind: ReplyKind) -> Self {
        Self { kind, pace: None }
    }

    pub(crate) fn of_speech(speech: Speech) -> Self {
        Self::of(ReplyKind::Speech(speech))
    }

    #[track_caller]
    fn with_speech(mut self, what: &str, change: impl FnOnce(&mut Speech)) -> Self {
        match &mut self.kind {
            ReplyKind::Speech(speech) => change(speech),
            other => panic!("{what} is for what a model says, not for {}", other.name()),
        }
        self
    }

    #[track_caller]
    fn with_status(mut self, what: &str, change: impl FnOnce(&mut StatusReply)) -> Self {
        match &mut self.kind {
            ReplyKind::Status(status) => change(status),
            other => panic!("{what} is for a status, not for {}", other.name()),
        }
        self
    }

    /// Says this thinking first.
    #[must_use]
    #[track_caller]
    pub fn thinking(self, pieces: impl IntoPieces) -> Self {
        self.with_speech("thinking", |speech| {
            let thinking = pieces.into_pieces().into_iter().map(Content::Thinking);
            speech.pieces.splice(0..0, thinking);
        })
    }

    /// Calls a tool after what was said so far. The arguments are an object, or a text that is passed on as it stands.
    #[must_use]
    #[track_caller]
    pub fn call(self, name: impl Into<String>, arguments: Value) -> Self {
        self.with_speech("call", |speech| {
            let arguments = match arguments {
                Value::Object(object) => Arguments::Object(object),
                Value::String(text) => Arguments::Text(text),
                other => panic!("the arguments of a call are an object, or a text, not {other}"),
            };
            let index = speech.calls();
            speech.pieces.push(Content::Calls(vec![ToolCall { id: None, index, name: name.into(), arguments }]));
        })
    }

    /// Gives the last call this id.
    #[must_use]
    #[track_caller]
    pub fn id(self, id: impl Into<String>) -> Self {
        self.with_speech("id", |speech| {
            let Some(Content::Calls(calls)) = speech.pieces.last_mut() else {
                panic!("an id is for a call; state it after one");
            };
            if let Some(call) = calls.last_mut() {
                call.id = Some(id.into());
            }
        })
    }

    /// Takes this time from the request to the first piece.
    #[must_use]
    #[track_caller]
    pub fn ttft(self, ttft: Duration) -> Self {
        self.with_speech("ttft", |speech| speech.ttft = Some(ttft))
    }

    /// Takes this time from one piece to the next.
    #[must_use]
    #[track_caller]
    pub fn gap(self, gap: Duration) -> Self {
        self.with_speech("gap", |speech| speech.gap = Some(gap))
    }

    /// Is served at this pace, whatever that of the server is.
    #[must_use]
    pub fn pace(mut self, pace: Pace) -> Self {
        self.pace = Some(pace);
        self
    }

    /// Ends because a limit was reached (`done_reason` is `length`).
    #[must_use]
    #[track_caller]
    pub fn cut_short(self) -> Self {
        self.with_speech("cut_short", |speech| speech.end = SpeechEnd::Done(Reason::Length))
    }

    /// Ends without a final object.
    #[must_use]
    #[track_caller]
    pub fn without_end(self) -> Self {
        self.with_speech("without_end", |speech| speech.end = SpeechEnd::Silent)
    }

    /// Fails with this error after this number of pieces.
    #[must_use]
    #[track_caller]
    pub fn error_after(self, pieces: usize, text: impl Into<String>) -> Self {
        self.with_speech("error_after", |speech| {
            speech.end = SpeechEnd::Failed { status: None, text: text.into(), after: pieces };
        })
    }

    /// Counts this number of tokens in the prompt, and this number in the answer.
    #[must_use]
    #[track_caller]
    pub fn tokens(self, prompt: u64, answer: u64) -> Self {
        self.with_speech("tokens", |speech| {
            (speech.prompt_tokens, speech.tokens) = (Some(prompt), Some(answer));
        })
    }

    /// Adds a header.
    #[must_use]
    #[track_caller]
    pub fn header(self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.with_status("header", |status| status.fields.push((name.into(), value.into())))
    }

    /// Tells the client to come again after this number of seconds (`Retry-After`).
    #[must_use]
    #[track_caller]
    pub fn retry_after(self, seconds: u64) -> Self {
        self.header("Retry-After", seconds.to_string())
    }

    /// Sends this body in place of an error.
    #[must_use]
    #[track_caller]
    pub fn body(self, body: impl Into<Vec<u8>>) -> Self {
        self.with_status("body", |status| status.content = StatusContent::Bytes(body.into()))
    }
}

impl Speech {
    /// Returns the number of its calls.
    fn calls(&self) -> u32 {
        let calls = self.pieces.iter().map(|piece| if let Content::Calls(calls) = piece { calls.len() } else { 0 });
        u32::try_from(calls.sum::<usize>()).unwrap_or(u32::MAX)
    }
}

impl ReplyKind {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Speech(_) => "what a model says",
            Self::Status(_) => "a status",
            Self::ModelNotFound => "a model that is not found",
            Self::Embedding(_) => "an embedding",
            Self::Recording(_) => "a recording",
            Self::Computed(_) => "a reply that is computed",
            Self::AsOllama => "the answer of Ollama",
        }
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reply({})", self.kind.name())
    }
}
