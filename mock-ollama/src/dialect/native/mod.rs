//! `/api/generate` and `/api/chat` (Ollama `server/routes.go`, `api/types.go`).

pub(crate) mod answer;
pub(crate) mod created_at;
pub(crate) mod fold;
pub(crate) mod read;
pub(crate) mod render;
pub(crate) mod request;
pub(crate) mod schemas;

use serde_json::Value;

use super::format::WireFormat;
use super::ids::Ids;
use super::recorded::body::RecordedBody;
use super::render::Render;
use super::unreadable::Unreadable;
use crate::generation::{Dialect, Generation, ParsedRequest, Refusal};
use crate::http::Reply;

/// The row of `/api/generate`.
pub(crate) static GENERATE: Native = Native { name: Dialect::Generate, route: "/api/generate" };

/// The row of `/api/chat`.
pub(crate) static CHAT: Native = Native { name: Dialect::Chat, route: "/api/chat" };

/// One of Ollama's own dialects.
pub(crate) struct Native {
    name: Dialect,
    route: &'static str,
}

impl WireFormat for Native {
    fn name(&self) -> Dialect {
        self.name
    }

    fn route(&self) -> &'static str {
        self.route
    }

    fn decode(&self, _path: &str, body: &[u8]) -> Result<ParsedRequest, Refusal> {
        request::decode_native(self.name, body)
    }

    fn read(&self, body: &RecordedBody) -> Result<Generation, Unreadable> {
        read::read(self.name, body)
    }

    fn fold(&self, body: &RecordedBody) -> Result<Reply, Unreadable> {
        fold::fold(body)
    }

    fn render(&self, request: &ParsedRequest, _ids: Ids) -> Box<dyn Render> {
        Box::new(render::NativeRenderer::new(&request.model, self.name == Dialect::Chat))
    }

    fn refuse(&self, refusal: &Refusal, _ids: Ids) -> Reply {
        Reply::error(refusal.status, &refusal.text)
    }

    fn is_whole(&self, last: &Value) -> bool {
        last["done"] == true
    }

    /// Objects of chat have a `message`; anything that no other dialect wrote is of `/api/generate`.
    fn wrote(&self, begin: &str) -> bool {
        self.is_generate() || begin.contains("\"message\":")
    }

    fn shows(&self, object: &Value) -> bool {
        match self.name {
            Dialect::Chat => object["message"].is_object() && object.get("response").is_none(),
            _ => object["response"].is_string() && object.get("message").is_none(),
        }
    }

    fn is_native(&self) -> bool {
        true
    }

    fn is_generate(&self) -> bool {
        self.name == Dialect::Generate
    }

    fn has_argument_objects(&self) -> bool {
        true
    }
}
