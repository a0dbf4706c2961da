//! `/v1/responses` (Ollama `openai/responses.go`, `middleware/openai.go`).

pub(crate) mod fold;
pub(crate) mod read;
pub(crate) mod render;
pub(crate) mod request;
pub(crate) mod search;

use serde_json::Value;

use super::format::WireFormat;
use super::ids::Ids;
use super::openai::refuse::refuse;
use super::recorded::body::RecordedBody;
use super::render::Render;
use super::unreadable::Unreadable;
use super::web_search::SEARCH;
use crate::generation::{Dialect, Generation, ParsedRequest, Refusal};
use crate::http::Reply;

/// `/v1/responses`
pub(crate) struct Responses;

impl WireFormat for Responses {
    fn name(&self) -> Dialect {
        Dialect::Responses
    }

    fn route(&self) -> &'static str {
        "/v1/responses"
    }

    fn decode(&self, _path: &str, body: &[u8]) -> Result<ParsedRequest, Refusal> {
        request::decode_responses(body)
    }

    fn read(&self, body: &RecordedBody) -> Result<Generation, Unreadable> {
        read::read(body)
    }

    fn fold(&self, body: &RecordedBody) -> Result<Reply, Unreadable> {
        fold::fold(body)
    }

    fn render(&self, request: &ParsedRequest, ids: Ids) -> Box<dyn Render> {
        let tools = request.echo.get("tools").and_then(Value::as_array);
        let searches = tools.is_some_and(|tools| tools.iter().any(|tool| tool["type"] == SEARCH));
        let renderer = render::ResponsesRenderer::new(&request.model, request.echo.clone(), ids);
        if searches { Box::new(search::SearchingResponses::new(renderer)) } else { Box::new(renderer) }
    }

    fn refuse(&self, refusal: &Refusal, _ids: Ids) -> Reply {
        refuse(refusal)
    }

    fn is_whole(&self, last: &Value) -> bool {
        matches!(last["type"].as_str(), Some("response.completed" | "response.incomplete"))
    }

    fn wrote(&self, begin: &str) -> bool {
        begin.contains("\"response.created\"") || begin.contains("\"object\":\"response\"")
    }

    fn shows(&self, object: &Value) -> bool {
        object["object"] == "response" || self.is_event(object)
    }

    fn is_event(&self, object: &Value) -> bool {
        object["type"].as_str().is_some_and(|kind| kind.starts_with("response."))
    }

    fn ends(&self, object: &Value) -> bool {
        self.is_whole(object) || object["type"] == "response.failed"
    }

    fn flushes_events(&self) -> bool {
        true
    }
}
