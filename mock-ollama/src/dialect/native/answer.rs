//! The objects inside a native answer, as far as times and counts need them (Ollama `api/types.go`,
//! `GenerateResponse` and `ChatResponse`).

use serde::Deserialize;
use serde::de::IgnoredAny;

/// One object of an NDJSON stream, or the one object of an answer that was not streamed.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Answer {
    pub(crate) model: Option<String>,
    response: Option<String>,
    message: Option<Message>,
    thinking: Option<String>,
    tool_calls: Option<Vec<IgnoredAny>>,
    pub(crate) done_reason: Option<String>,
    pub(crate) eval_count: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
struct Message {
    content: Option<String>,
    thinking: Option<String>,
    tool_calls: Option<Vec<IgnoredAny>>,
}

impl Answer {
    /// Returns whether this object carries something of the answer: text, thinking or a tool call.
    pub(crate) fn has_token(&self) -> bool {
        let content = self.message.as_ref().and_then(|message| message.content.as_ref());
        let has_text = self.response.iter().chain(content).any(|text| !text.is_empty());
        has_text || self.has_thinking() || self.has_tool_call()
    }

    /// Returns whether this object carries thinking.
    pub(crate) fn has_thinking(&self) -> bool {
        let inner = self.message.as_ref().and_then(|message| message.thinking.as_ref());
        self.thinking.iter().chain(inner).any(|text| !text.is_empty())
    }

    /// Returns whether this object carries a tool call.
    pub(crate) fn has_tool_call(&self) -> bool {
        let inner = self.message.as_ref().and_then(|message| message.tool_calls.as_ref());
        self.tool_calls.iter().chain(inner).any(|calls| !calls.is_empty())
    }

    /// Returns the endpoint that answers in this shape.
    pub(crate) fn path(&self) -> Option<&'static str> {
        match (&self.message, &self.response) {
            (Some(_), None) => Some("/api/chat"),
            (None, Some(_)) => Some("/api/generate"),
            _ => None,
        }
    }
}
