//! `/v1/chat/completions` and `/v1/completions` (Ollama `openai/openai.go`, `middleware/openai.go`).

pub(crate) mod fold;
pub(crate) mod read_chat;
pub(crate) mod read_completions;
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

/// `/v1/chat/completions`
pub(crate) struct OpenAiChat;

/// `/v1/completions`
pub(crate) struct OpenAiCompletions;

/// Whether the last chunk of a stream, which may have lost its `[DONE]`, ends it.
fn ends(last: &Value) -> bool {
    last["usage"].is_object() || last["choices"][0]["finish_reason"].is_string()
}

impl WireFormat for OpenAiChat {
    fn name(&self) -> Dialect {
        Dialect::OpenAiChat
    }

    fn route(&self) -> &'static str {
        "/v1/chat/completions"
    }

    fn decode(&self, _path: &str, body: &[u8]) -> Result<ParsedRequest, Refusal> {
        request::chat(body)
    }

    fn read(&self, body: &RecordedBody) -> Result<Generation, Unreadable> {
        read_chat::read(body)
    }

    fn fold(&self, body: &RecordedBody) -> Result<Reply, Unreadable> {
        fold::fold(Dialect::OpenAiChat, body)
    }

    fn render(&self, request: &ParsedRequest, ids: Ids) -> Box<dyn Render> {
        Box::new(render_chat::ChatRenderer::new(request, ids))
    }

    fn refuse(&self, refusal: &Refusal, _ids: Ids) -> Reply {
        refuse::refuse(refusal)
    }

    fn is_whole(&self, last: &Value) -> bool {
        ends(last)
    }

    fn wrote(&self, begin: &str) -> bool {
        begin.contains("\"chat.completion")
    }
}

impl WireFormat for OpenAiCompletions {
    fn name(&self) -> Dialect {
        Dialect::OpenAiCompletions
    }

    fn route(&self) -> &'static str {
        "/v1/completions"
    }

    fn decode(&self, _path: &str, body: &[u8]) -> Result<ParsedRequest, Refusal> {
        request::completions(body)
    }

    fn read(&self, body: &RecordedBody) -> Result<Generation, Unreadable> {
        read_completions::read(body)
    }

    fn fold(&self, body: &RecordedBody) -> Result<Reply, Unreadable> {
        fold::fold(Dialect::OpenAiCompletions, body)
    }

    fn render(&self, request: &ParsedRequest, ids: Ids) -> Box<dyn Render> {
        Box::new(render_completions::CompletionsRenderer::new(request, ids))
    }

    fn refuse(&self, refusal: &Refusal, _ids: Ids) -> Reply {
        refuse::refuse(refusal)
    }

    fn is_whole(&self, last: &Value) -> bool {
        ends(last)
    }

    fn wrote(&self, begin: &str) -> bool {
        begin.contains("\"text_completion\"")
    }

    fn is_generate(&self) -> bool {
        true
    }
}
