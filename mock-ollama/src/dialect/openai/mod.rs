//! `/v1/chat/completions` and `/v1/completions` (Ollama `openai/openai.go`, `middleware/openai.go`).

pub(crate) mod fold;
pub(crate) mod read;
pub(crate) mod refuse;
pub(crate) mod render_chat;
pub(crate) mod render_completions;
pub(crate) mod request;

use serde_json::Value;

use super::format::WireFormat;
use super::ids::Ids;
use super::recorded::body::RecordedBody;
use super::render::Render;
use super::unreadable::Unreadable;
use crate::generation::{Dialect, Generation, ParsedRequest, Refusal};
use crate::http::Reply;

/// The row of `/v1/chat/completions`.
pub(crate) static CHAT: OpenAi = OpenAi { name: Dialect::OpenAiChat, route: "/v1/chat/completions" };

/// The row of `/v1/completions`.
pub(crate) static COMPLETIONS: OpenAi = OpenAi { name: Dialect::OpenAiCompletions, route: "/v1/completions" };

/// One of the two older dialects of `OpenAI`.
pub(crate) struct OpenAi {
    name: Dialect,
    route: &'static str,
}

impl WireFormat for OpenAi {
    fn name(&self) -> Dialect {
        self.name
    }

    fn route(&self) -> &'static str {
        self.route
    }

    fn decode(&self, _path: &str, body: &[u8]) -> Result<ParsedRequest, Refusal> {
        if self.is_generate() { request::completions(body) } else { request::chat(body) }
    }

    fn read(&self, body: &RecordedBody) -> Result<Generation, Unreadable> {
        read::read(!self.is_generate(), body)
    }

    fn fold(&self, body: &RecordedBody) -> Result<Reply, Unreadable> {
        fold::fold(self.name, body)
    }

    fn render(&self, request: &ParsedRequest, ids: Ids) -> Box<dyn Render> {
        if self.is_generate() {
            Box::new(render_completions::CompletionsRenderer::new(request, ids))
        } else {
            Box::new(render_chat::ChatRenderer::new(request, ids))
        }
    }

    fn refuse(&self, refusal: &Refusal, _ids: Ids) -> Reply {
        refuse::refuse(refusal)
    }

    /// The last chunk of a stream that lost its `[DONE]` has the usage or the reason.
    fn is_whole(&self, last: &Value) -> bool {
        last["usage"].is_object() || last["choices"][0]["finish_reason"].is_string()
    }

    fn wrote(&self, begin: &str) -> bool {
        begin.contains(if self.is_generate() { "\"text_completion\"" } else { "\"chat.completion" })
    }

    fn shows(&self, object: &Value) -> bool {
        match object["object"].as_str() {
            Some("text_completion") => self.is_generate(),
            Some("chat.completion" | "chat.completion.chunk") => !self.is_generate(),
            _ => false,
        }
    }

    fn is_event(&self, object: &Value) -> bool {
        object["object"] == "chat.completion.chunk"
    }

    /// Its streams end with `[DONE]`, which is no object.
    fn ends(&self, _object: &Value) -> bool {
        false
    }

    fn is_generate(&self) -> bool {
        self.name == Dialect::OpenAiCompletions
    }
}
