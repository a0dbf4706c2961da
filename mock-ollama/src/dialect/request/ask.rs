//! What every request for an answer comes down to, whatever its dialect.

use serde_json::{Map, Value};

use crate::models::{KeepAlive, ModelName};

/// The routes that ask a model for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dialect {
    /// `/api/generate`
    Generate,
    /// `/api/chat`
    Chat,
    /// `/v1/chat/completions`
    OpenAiChat,
    /// `/v1/completions`
    OpenAiCompletions,
    /// `/v1/responses`
    Responses,
    /// `/v1/messages`
    Messages,
}

/// What errors look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Envelope {
    /// `{"error":"…"}`
    Native,
    /// `{"error":{"message":…}}`, of every route of `OpenAI`.
    OpenAi,
    /// `{"type":"error",…}`
    Anthropic,
}

impl Dialect {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Generate, Self::Chat, Self::OpenAiChat, Self::OpenAiCompletions, Self::Responses, Self::Messages];

    /// The request path.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Generate => "/api/generate",
            Self::Chat => "/api/chat",
            Self::OpenAiChat => "/v1/chat/completions",
            Self::OpenAiCompletions => "/v1/completions",
            Self::Responses => "/v1/responses",
            Self::Messages => "/v1/messages",
        }
    }

    /// The dialect of this path.
    pub fn of_path(path: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dialect| dialect.path() == path)
    }

    /// Whether the native handler behind it is that of `/api/generate`; else it is that of `/api/chat`.
    pub const fn is_generate(self) -> bool {
        matches!(self, Self::Generate | Self::OpenAiCompletions)
    }

    /// Whether it is one of Ollama's own.
    pub const fn is_native(self) -> bool {
        matches!(self, Self::Generate | Self::Chat)
    }

    /// Whether its writer flushes every event that it writes, also of an answer that the handler writes at once.
    pub const fn flushes_events(self) -> bool {
        matches!(self, Self::Responses | Self::Messages)
    }

    /// What its errors look like.
    pub const fn envelope(self) -> Envelope {
        match self {
            Self::Generate | Self::Chat => Envelope::Native,
            Self::OpenAiChat | Self::OpenAiCompletions | Self::Responses => Envelope::OpenAi,
            Self::Messages => Envelope::Anthropic,
        }
    }
}

/// What is asked, in the form that the native handler gets.
#[derive(Clone, Debug, PartialEq)]
pub enum Question {
    /// The prompt of `/api/generate`.
    Prompt(String),
    /// The messages of `/api/chat`.
    Messages(Vec<Value>),
}

impl Question {
    /// Whether there is nothing to generate.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Prompt(prompt) => prompt.is_empty(),
            Self::Messages(messages) => messages.is_empty(),
        }
    }
}

/// A request for an answer, decoded; for a wrapped dialect as its wrapper hands it to the native handler.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a field of the request of its own")]
pub struct Ask {
    /// The dialect it came in.
    pub dialect: Dialect,
    /// The model as the request names it.
    pub model: String,
    /// The model's canonical name.
    pub name: ModelName,
    /// What is asked.
    pub question: Question,
    /// Of messages, the last text of the user or of a tool; see [`Ask::last_text`].
    pub said_last: String,
    /// Whether the answer is to be streamed.
    pub stream: bool,
    /// How long the model stays loaded, where the request says so.
    pub keep_alive: Option<KeepAlive>,
    /// Whether to think, where the request says so; a level is `true`.
    pub think: Option<bool>,
    /// Whether tools are offered.
    pub tools: bool,
    /// `raw` of `/api/generate`.
    pub raw: bool,
    /// The system text of `/api/generate`; empty where there is none.
    pub system: String,
    /// `template` of `/api/generate`; empty where there is none.
    pub template: String,
    /// `suffix` of `/api/generate`; empty where there is none.
    pub suffix: String,
    /// `context` of `/api/generate`.
    pub context: Vec<i64>,
    /// `format`, `Null` where there is none.
    pub format: Value,
    /// The options.
    pub options: Map<String, Value>,
    /// How many alternatives each token's logprob is to have; `None` where no logprobs are asked for.
    pub logprobs: Option<usize>,
    /// `_debug_render_only`
    pub debug_render_only: bool,
    /// What the answer takes over from the request.
    pub echo: Echo,
}

/// What an answer takes over from its request beside the model's name.
#[derive(Clone, Debug, PartialEq)]
pub enum Echo {
    /// Nothing.
    Nothing,
    /// `stream_options.include_usage`
    OpenAi {
        /// Whether the stream ends with a chunk of usage.
        include_usage: bool,
    },
    /// The fields of `/v1/responses` that stand in its answers as they were asked for or by default.
    Responses(Map<String, Value>),
    /// `/v1/messages`
    Messages {
        /// The estimate of `message_start`: request characters / 4, at least 1.
        estimated_tokens: u64,
        /// Whether the built-in web search is among the tools.
        web_search: bool,
    },
}

impl Ask {
    /// Whether there is nothing to generate: the request only loads or unloads the model.
    pub fn is_load(&self) -> bool {
        self.question.is_empty()
    }

    /// The prompt, or the last text of the user or of a tool: what a script looks for words in.
    pub fn last_text(&self) -> &str {
        match &self.question {
            Question::Prompt(prompt) => prompt,
            Question::Messages(_) => &self.said_last,
        }
    }
}

/// The text of the last message of a user or a tool, all of its parts together. One of the user without text, such as
/// an image, does not count; a tool that said nothing does.
pub(super) fn said_last(messages: &[Value]) -> String {
    for message in messages.iter().rev() {
        let text = text_of(&message["content"]);
        match message["role"].as_str().unwrap_or_default().to_lowercase().as_str() {
            "system" | "developer" | "assistant" => {}
            "tool" => return text,
            _ if text.is_empty() => {}
            _ => return text,
        }
    }
    String::new()
}

fn text_of(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            let texts = parts.iter().filter(|part| part["type"] == "text");
            texts.filter_map(|part| part["text"].as_str()).collect()
        }
        _ => String::new(),
    }
}
