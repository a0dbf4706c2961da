//! The wire dialects: what requests mean and what answers look like.
//!
//! | file | what |
//! | --- | --- |
//! | `request` | requests of every route, brought to one form |
//! | `read` | recorded bodies, read into generations |
//! | `unreadable` | why a recorded answer cannot be told in another way |
//! | `created_at` | the time of a recorded object, put right in place |
//! | `fold` | a recorded stream folded into the answer of `"stream":false` |
//! | `render` | what a dialect does with an answer |
//! | `native`, `openai_chat`, `openai_completions`, `responses`, `messages` | the dialects |
//! | `web_search` | the search that two of them run for the model |
//! | `objects` | what their objects have in common |
//! | `object` | a JSON object whose values keep their bytes |
//! | `embed` | embeddings in their three forms |
//! | `refuse` | refusals in every envelope |
//! | `ids` | the ids that answers carry |

mod created_at;
mod embed;
mod fold;
mod ids;
mod messages;
mod native;
mod object;
mod objects;
mod openai_chat;
mod openai_completions;
mod read;
mod refuse;
mod render;
pub mod request;
mod responses;
mod unreadable;
mod web_search;

pub use created_at::patch_created_at;
pub use embed::{EmbedMetrics, embed_reply, embeddings_reply, openai_embeddings_reply, unit_vector};
pub use fold::fold;
pub use ids::Ids;
pub use native::debug_reply;
pub use objects::miss_text;
pub use read::read;
pub use refuse::{refuse, refuse_in};
pub use render::Render;
pub use unreadable::Unreadable;
use web_search::{SEARCH, search_call, search_query};

use request::{Ask, Dialect, Echo};
use serde_json::Value;

/// The renderer of one answer to `ask`; `ids` are those of its response.
pub fn renderer(ask: &Ask, ids: Ids) -> Box<dyn Render> {
    let model = ask.model.as_str();
    match (ask.dialect, &ask.echo) {
        (Dialect::Generate, _) => Box::new(native::Native::new(model, false)),
        (Dialect::Chat, _) => Box::new(native::Native::new(model, true)),
        (Dialect::OpenAiChat, echo) => {
            let include_usage = matches!(echo, Echo::OpenAi { include_usage: true });
            Box::new(openai_chat::OpenAiChat::new(model, include_usage, ids))
        }
        (Dialect::OpenAiCompletions, echo) => {
            let include_usage = matches!(echo, Echo::OpenAi { include_usage: true });
            Box::new(openai_completions::OpenAiCompletions::new(model, include_usage, ids))
        }
        (Dialect::Responses, echo) => {
            let echo = if let Echo::Responses(echo) = echo { echo.clone() } else { serde_json::Map::new() };
            let searches = echo.get("tools").and_then(Value::as_array).is_some_and(|tools| tools.iter().any(is_search));
            let responses = responses::Responses::new(model, echo, ids);
            if searches { Box::new(responses::SearchingResponses::new(responses)) } else { Box::new(responses) }
        }
        (Dialect::Messages, echo) => {
            let (estimated_tokens, searches) = match echo {
                Echo::Messages { estimated_tokens, web_search } => (*estimated_tokens, *web_search),
                _ => (1, false),
            };
            let messages = messages::Messages::new(model, estimated_tokens, ids);
            if searches { Box::new(messages::SearchingMessages::new(messages)) } else { Box::new(messages) }
        }
    }
}

/// Whether a tool of `/v1/responses` is the built-in search.
fn is_search(tool: &Value) -> bool {
    tool["type"] == SEARCH
}

/// The fields of the head of an SSE stream; two of the wrappers set more of them (`middleware/openai.go`,
/// `middleware/anthropic.go`).
fn sse_fields(all: bool) -> Vec<(String, String)> {
    let mut fields = objects::fields("text/event-stream");
    if all {
        fields.push(("Cache-Control".to_owned(), "no-cache".to_owned()));
        fields.push(("Connection".to_owned(), "keep-alive".to_owned()));
    }
    fields
}

/// One SSE event without a name.
fn event_data(data: &str) -> String {
    format!("data: {data}\n\n")
}
