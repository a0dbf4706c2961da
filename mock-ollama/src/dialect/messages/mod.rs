//! `/v1/messages` (Ollama `anthropic/anthropic.go`, `middleware/anthropic.go`).

pub(crate) mod estimate;
pub(crate) mod fold;
pub(crate) mod read;
pub(crate) mod refuse;
pub(crate) mod render;
pub(crate) mod request;
pub(crate) mod search;
mod wire;

use serde_json::Value;

use super::format::WireFormat;
use super::ids::Ids;
use super::recorded::body::RecordedBody;
use super::render::Render;
use super::unreadable::Unreadable;
use crate::generation::{Dialect, Generation, ParsedRequest, Refusal};
use crate::http::Reply;

/// The events of a stream but for its error.
const EVENTS: &[&str] = &[
    "message_start",
    "content_block_start",
    "content_block_delta",
    "content_block_stop",
    "message_delta",
    "message_stop",
];

/// `/v1/messages`
pub(crate) struct Messages;

impl WireFormat for Messages {
    fn name(&self) -> Dialect {
        Dialect::Messages
    }

    fn route(&self) -> &'static str {
        "/v1/messages"
    }

    fn decode(&self, _path: &str, body: &[u8]) -> Result<ParsedRequest, Refusal> {
        request::decode_messages(body)
    }

    fn read(&self, body: &RecordedBody) -> Result<Generation, Unreadable> {
        read::read(body)
    }

    fn fold(&self, body: &RecordedBody) -> Result<Reply, Unreadable> {
        fold::fold(body)
    }

    fn render(&self, request: &ParsedRequest, ids: Ids) -> Box<dyn Render> {
        let estimated_tokens = request.echo.get("estimated_tokens").and_then(Value::as_u64).unwrap_or(1);
        let renderer = render::MessagesRenderer::new(&request.model, estimated_tokens, ids);
        if request.echo.get("web_search") == Some(&Value::Bool(true)) {
            Box::new(search::SearchingMessages::new(renderer))
        } else {
            Box::new(renderer)
        }
    }

    fn refuse(&self, refusal: &Refusal, ids: Ids) -> Reply {
        refuse::refuse(refusal, ids)
    }

    fn is_whole(&self, last: &Value) -> bool {
        last["type"] == "message_stop"
    }

    fn wrote(&self, begin: &str) -> bool {
        begin.contains("message_start\"") || begin.contains("\"type\":\"message\"")
    }

    /// An error of this dialect names itself; those of the others do not tell their route.
    fn shows(&self, object: &Value) -> bool {
        matches!(object["type"].as_str(), Some("message" | "error")) || self.is_event(object)
    }

    fn is_event(&self, object: &Value) -> bool {
        object["type"].as_str().is_some_and(|kind| EVENTS.contains(&kind))
    }

    fn ends(&self, object: &Value) -> bool {
        self.is_whole(object) || object["type"] == "error"
    }

    fn flushes_events(&self) -> bool {
        true
    }

    /// The wrapper drops it.
    fn refuses_thinking(&self) -> bool {
        false
    }

    fn has_argument_objects(&self) -> bool {
        true
    }
}
