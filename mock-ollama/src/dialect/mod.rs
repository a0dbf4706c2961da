//! The wire dialects: one folder and one row of the table each.
//!
//! | file | what |
//! | --- | --- |
//! | `format` | the trait that each dialect implements |
//! | `native`, `openai`, `responses`, `messages` | the dialects, each with its request, reader and renderer |
//! | `embed` | embeddings in their three forms |
//! | `render` | what a renderer of a dialect does |
//! | `recorded` | recorded bodies, and what their readers share |
//! | `unreadable` | why a recorded answer can only be served as it was recorded |
//! | `check` | what a request may ask of a model |
//! | `refuse` | the framing of a refused request |
//! | `web_search` | the search that two of them run for the model |
//! | `shared` | wire objects that several dialects have |
//! | `ids` | the ids that answers carry |

mod check;
mod embed;
mod format;
mod ids;
mod messages;
pub(crate) mod native;
mod openai;
mod recorded;
mod refuse;
mod render;
mod responses;
mod shared;
#[cfg(test)]
mod tests;
mod unreadable;
mod web_search;

use serde_json::Value;

pub use check::{check, check_options};
pub use embed::{EmbedRequest, embed_reply, embeddings_reply, openai_embeddings_reply, unit_vector};
pub use format::WireFormat;
pub use ids::Ids;
pub use native::created_at::patch_created_at;
pub use native::render::debug_reply;
pub use openai::refuse::refuse as refuse_openai;
pub use recorded::body::RecordedBody;
pub use render::Render;
pub use unreadable::Unreadable;

use crate::generation::{Dialect, Generation, ParsedRequest, Refusal, RefusedBy, named};
use crate::http::{BARE_JSON, Reply};
use crate::recording::{End, Exchange, Form};

/// The table. `wrote` is asked row by row, so the one that takes any body stands last.
pub static DIALECTS: [&dyn WireFormat; 6] =
    [&openai::CHAT, &openai::COMPLETIONS, &messages::Messages, &responses::Responses, &native::CHAT, &native::GENERATE];

/// Returns the paths of all routes.
pub fn routes() -> [&'static str; 6] {
    DIALECTS.map(WireFormat::route)
}

/// Returns the wire format of this name.
pub fn of(name: Dialect) -> &'static dyn WireFormat {
    DIALECTS.into_iter().find(|row| row.name() == name).unwrap_or(&native::GENERATE)
}

/// Returns the wire format whose route has this path.
pub fn at(path: &str) -> Option<&'static dyn WireFormat> {
    DIALECTS.into_iter().find(|row| row.route() == path)
}

/// Returns the wire format of a body that begins with these bytes.
pub fn of_body(begin: &[u8]) -> &'static dyn WireFormat {
    let begin = String::from_utf8_lossy(begin);
    DIALECTS.into_iter().find(|row| row.wrote(&begin)).unwrap_or(&native::GENERATE)
}

/// Decodes a request body as far as that needs no knowledge of models: rows 1 to 12 of the checks.
///
/// # Errors
/// The refusal of the real server, with its status, text and who refuses.
pub fn decode(format: &dyn WireFormat, path: &str, body: &[u8]) -> Result<ParsedRequest, Refusal> {
    if !format.is_native() && named::names_cloud(body) {
        return Err(named::cloud_refused("remote model is"));
    }
    format.decode(path, body)
}

/// Reads the answer of `exchange`, which is one of this dialect.
///
/// Times are those of the chunks that complete an object. Counts that the body does not have are zero. The end of the
/// prompt's evaluation is then the time of the first piece.
///
/// # Errors
/// [`Unreadable`] says why the body is no answer of that dialect.
pub fn read(format: &dyn WireFormat, exchange: &Exchange) -> Result<Generation, Unreadable> {
    let body = RecordedBody::of(exchange);
    match exchange.response.status {
        200 => format.read(&body),
        status => recorded::draft::refused(status, &body),
    }
}

/// Whether a recorded answer of this dialect came to its end with a final object, as far as its last one tells.
pub fn is_whole(format: &dyn WireFormat, exchange: &Exchange) -> bool {
    if exchange.response.status != 200 || exchange.end != End::Clean {
        return false;
    }
    let body = exchange.body();
    let last_line = || body.trim_ascii_end().rsplit(|&byte| byte == b'\n').next().unwrap_or_default();
    let form = Form::of(exchange);
    let last = match form {
        Form::Whole => body.as_slice(),
        Form::Lines => last_line(),
        Form::Events => last_line().strip_prefix(b"data:").unwrap_or_default().trim_ascii(),
    };
    if last == b"[DONE]" {
        return true;
    }
    let last: Value = serde_json::from_slice(last).unwrap_or_default();
    match form {
        Form::Events => format.is_whole(&last),
        _ => last["done"].as_bool().unwrap_or(last.is_object() && last["error"].is_null()),
    }
}

/// Returns the response to a refused request for an answer; `stream` is whether it asked for a stream.
pub fn refuse(format: &dyn WireFormat, refusal: &Refusal, stream: bool, ids: Ids) -> Reply {
    let mut reply = format.refuse(refusal, ids);
    if refusal.by == RefusedBy::Runner && stream {
        // By way of the stream writer, which flushes.
        BARE_JSON.clone_into(&mut reply.fields[0].1);
        reply.flushed = true;
    }
    if stream && format.flushes_events() && matches!(refusal.by, RefusedBy::Handler | RefusedBy::Runner) {
        reply.fields.extend(shared::sse_fields(true).into_iter().filter(|(name, _)| name != "Content-Type"));
    }
    reply
}
