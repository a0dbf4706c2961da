//! The trait that each wire dialect implements.

use serde_json::Value;

use super::ids::Ids;
use super::recorded::body::RecordedBody;
use super::render::Render;
use super::unreadable::Unreadable;
use crate::generation::{Dialect, Generation, ParsedRequest, Refusal};
use crate::http::Reply;

/// The wire format of one dialect.
pub trait WireFormat: Sync {
    /// Returns its name.
    fn name(&self) -> Dialect;

    /// Returns the path of its route, whose method is POST.
    fn route(&self) -> &'static str;

    /// Decodes the body of a request. A dialect may carry the model in `path`.
    ///
    /// # Errors
    /// The refusal of the real server, with its status, text and who refuses.
    fn decode(&self, path: &str, body: &[u8]) -> Result<ParsedRequest, Refusal>;

    /// Reads a recorded answer with status 200.
    ///
    /// # Errors
    /// [`Unreadable`] says why the body is no answer of this dialect.
    fn read(&self, body: &RecordedBody) -> Result<Generation, Unreadable>;

    /// Folds a recorded stream into the answer of `"stream":false`. An error within a native stream becomes the answer,
    /// with status 500; streams of the others must have none.
    ///
    /// # Errors
    /// [`Unreadable`] says why the stream makes no whole answer.
    fn fold(&self, body: &RecordedBody) -> Result<Reply, Unreadable>;

    /// Returns the renderer of one answer to `request`; `ids` are those of its response.
    fn render(&self, request: &ParsedRequest, ids: Ids) -> Box<dyn Render>;

    /// Returns the response to a refused request.
    fn refuse(&self, refusal: &Refusal, ids: Ids) -> Reply;

    /// Whether `last`, the last event of a stream, says that its answer is whole.
    fn is_whole(&self, last: &Value) -> bool;

    /// Whether a body that begins with these bytes is of this dialect.
    fn wrote(&self, begin: &str) -> bool;

    /// Whether `object`, a whole answer or one object of a stream, is of this dialect.
    fn shows(&self, object: &Value) -> bool;

    /// Whether `object` is one of a stream of events.
    fn is_event(&self, _object: &Value) -> bool {
        false
    }

    /// Whether a stream ends with `object`, be its answer whole or not.
    fn ends(&self, object: &Value) -> bool {
        self.is_whole(object)
    }

    /// Whether it is one of Ollama's own.
    fn is_native(&self) -> bool {
        false
    }

    /// Whether the native handler behind it is that of `/api/generate`, and not that of `/api/chat`.
    fn is_generate(&self) -> bool {
        false
    }

    /// Whether its writer flushes every event that it writes, also of an answer that the handler writes at once.
    fn flushes_events(&self) -> bool {
        false
    }

    /// Whether a request to think is refused where the model cannot.
    fn refuses_thinking(&self) -> bool {
        true
    }

    /// Whether its calls of tools have objects as arguments; the others have texts.
    fn has_argument_objects(&self) -> bool {
        false
    }
}
