//! Requests, read as Go reads them, and brought to one form.
//!
//! | file | what |
//! | --- | --- |
//! | `ask` | what every request for an answer comes down to |
//! | `scan`, `go_decode` | JSON as Go reads it into structs, and its error texts |
//! | `types` | the request structs as tables |
//! | `fields`, `keep_alive` | decoded fields |
//! | `native`, `openai`, `responses`, `messages` | the dialects |
//! | `check` | the checks that need the model |
//! | `embed`, `manage` | the other routes |

mod ask;
mod check;
mod embed;
mod fields;
mod go_decode;
mod keep_alive;
mod manage;
mod messages;
mod native;
mod openai;
mod responses;
mod scan;
mod types;

#[cfg(test)]
mod tests;

pub use ask::{Ask, Dialect, Echo, Envelope, Question};
pub use check::check;
pub use embed::{EmbedAsk, EmbeddingsAsk};
pub use manage::{CreateRequest, NameRequest, ShowRequest, decode_copy};
