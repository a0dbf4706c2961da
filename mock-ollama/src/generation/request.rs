//! The parsed form of every request for an answer, whatever its dialect.

use serde_json::{Map, Value};

use crate::models::{KeepAlive, ModelName};

/// The names of the wire dialects: one for each route that asks a model for an answer.
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
pub struct ParsedRequest {
    /// The dialect it came in.
    pub dialect: Dialect,
    /// The model as the request names it.
    pub model: String,
    /// The model's canonical name.
    pub name: ModelName,
    /// What is asked.
    pub question: Question,
    /// The prompt, or the last text of the user or of a tool: where a script looks for words.
    pub last_text: String,
    /// Whether the answer is to be streamed.
    pub stream: bool,
    /// How long the model stays loaded, where the request says so.
    pub keep_alive: Option<KeepAlive>,
    /// Whether to think, where the request says so; a level is `true`.
    pub think: Option<bool>,
    /// The names of the tools that are offered; empty for one without a name.
    pub tools: Vec<String>,
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
    /// The fields that the answer takes over from the request; only its dialect reads them.
    pub echo: Map<String, Value>,
}

impl ParsedRequest {
    /// Whether there is nothing to generate: the request only loads or unloads the model.
    pub fn is_load(&self) -> bool {
        self.question.is_empty()
    }

    /// Whether the native handler behind the dialect is that of `/api/generate`, and not that of `/api/chat`.
    pub fn is_generate(&self) -> bool {
        matches!(self.question, Question::Prompt(_))
    }
}

/// The text of the last message of a user or a tool, all of its parts together. One of the user without text, such as
/// an image, does not count; a tool that said nothing does.
pub(crate) fn last_said(messages: &[Value]) -> String {
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
