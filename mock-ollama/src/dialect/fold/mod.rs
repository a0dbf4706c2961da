//! A recorded stream folded into the answer of `"stream":false`, in its own dialect.
//!
//! Values keep the bytes that were recorded: texts are joined inside their quotes, so that no escape is written anew. What
//! no dialect of Ollama has stays too, such as ids, signatures and several choices.
//!
//! | file | dialect |
//! | --- | --- |
//! | `native` | `/api/generate` and `/api/chat` |
//! | `openai` | `/v1/chat/completions` and `/v1/completions` |
//! | `responses` | `/v1/responses` |
//! | `messages` | `/v1/messages` |

mod messages;
mod native;
mod openai;
mod responses;
#[cfg(test)]
mod tests;

use super::Unreadable;
use super::object::Object;
use super::read::Body;
use super::request::Dialect;
use crate::http::Reply;
use crate::recording::Exchange;

/// Folds the stream that `exchange` recorded in `dialect`, which has no error within it; a native one may, and then the
/// error is the answer, with status 500.
///
/// # Errors
///
/// [`Unreadable`] says why the stream makes no whole answer.
pub fn fold(dialect: Dialect, exchange: &Exchange) -> Result<Reply, Unreadable> {
    let body = Body::of(exchange);
    match dialect {
        Dialect::Generate | Dialect::Chat => native::fold(&body),
        Dialect::OpenAiChat | Dialect::OpenAiCompletions => openai::fold(dialect, &body),
        Dialect::Responses => responses::fold(&body),
        Dialect::Messages => messages::fold(&body),
    }
}

/// The objects of a stream.
fn parts(body: &Body) -> Result<Vec<Object>, Unreadable> {
    Ok(body.values()?.into_iter().map(|part| part.value).collect())
}
