//! Requests, read as Go reads them, and brought to one form.
//!
//! | file | what |
//! | --- | --- |
//! | `schemas` | the Go types of `/api/generate` and `/api/chat` |
//! | `ask` | the common form |
//! | `native` | `/api/generate`, `/api/chat`, and the checks that every dialect goes through |
//! | `openai` | `/v1/chat/completions`, `/v1/completions` |
//! | `responses` | `/v1/responses` |
//! | `messages` | `/v1/messages` |
//! | `estimate` | the input tokens that `/v1/messages` begins with |
//! | `check` | what a request may ask of a model |
//! | `embed` | `/api/embed`, `/v1/embeddings`, `/api/embeddings` |

mod ask;
mod check;
mod embed;
mod estimate;
mod messages;
pub(crate) mod native;
mod openai;
mod responses;
pub(crate) mod schemas;
#[cfg(test)]
mod search_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tool_tests;

pub use ask::{Ask, Dialect, Echo, Envelope, Question};
pub use check::{check, check_options};
pub use embed::{EmbedAsk, EmbeddingsAsk};
