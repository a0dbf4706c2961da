//! Recorded bodies, read into generations that any dialect can render.
//!
//! Bodies of old servers read too: the role in every delta, no finish chunk of its own, calls without ids.
//!
//! | file | what |
//! | --- | --- |
//! | `body` | a body cut into the JSON values of its lines or events, each with its time |
//! | `draft` | what has been read so far, and the rules that make a generation of it |
//! | `calls` | calls of tools, each in one object or in pieces |
//! | `values` | the values that several dialects share: errors, logprobs, usage |
//! | `native` | `/api/generate` and `/api/chat` |
//! | `openai_chat` | `/v1/chat/completions` |
//! | `openai_completions` | `/v1/completions` |
//! | `responses` | `/v1/responses` |
//! | `messages` | `/v1/messages` |

mod body;
mod calls;
mod draft;
#[cfg(test)]
mod foreign_tests;
mod messages;
mod native;
mod openai_chat;
mod openai_completions;
mod responses;
#[cfg(test)]
mod tests;
mod values;

use crate::dialect::Unreadable;
use crate::dialect::request::Dialect;
use crate::generation::Generation;
use crate::recording::Exchange;

pub(super) use body::Body;
pub(super) use calls::{Joined, Joiner, WireCall, WireFunction};

/// Reads the answer of `exchange`, which is one of `dialect`.
///
/// Times are those of the chunks that complete an object. What the body does not say is zero, but for the end of the
/// prompt's evaluation: that is the time of the first piece.
///
/// # Errors
///
/// [`Unreadable`] says why the body is no answer of that dialect.
pub fn read(dialect: Dialect, exchange: &Exchange) -> Result<Generation, Unreadable> {
    let body = Body::of(exchange);
    if exchange.response.status != 200 {
        return draft::refused(exchange.response.status, &body);
    }
    match dialect {
        Dialect::Generate | Dialect::Chat => native::read(dialect, &body),
        Dialect::OpenAiChat => openai_chat::read(&body),
        Dialect::OpenAiCompletions => openai_completions::read(&body),
        Dialect::Responses => responses::read(&body),
        Dialect::Messages => messages::read(&body),
    }
}
