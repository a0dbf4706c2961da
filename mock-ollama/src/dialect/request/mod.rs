//! Requests, read as Go reads them, and brought to one form.
//!
//! | file | what |
//! | --- | --- |
//! | `scan` | the first JSON value of a body, and the text of its first syntax error |
//! | `json` | a JSON value with its number texts |
//! | `go_decode` | values checked against Go types, with the texts of Go's decoder |
//! | `schemas` | the Go types of `/api/generate` and `/api/chat` |
//! | `fields` | decoded fields, taken out by name |
//! | `keep_alive` | seconds, or a Go duration |
//! | `named` | the model that a request names |
//! | `ask` | the common form |
//! | `native` | `/api/generate`, `/api/chat`, and the checks that every dialect goes through |
//! | `openai` | `/v1/chat/completions`, `/v1/completions` |
//! | `responses` | `/v1/responses` |
//! | `messages` | `/v1/messages` |
//! | `estimate` | the input tokens that `/v1/messages` begins with |
//! | `check` | what a request may ask of a model |
//! | `embed` | `/api/embed`, `/v1/embeddings`, `/api/embeddings` |
//! | `manage` | show, pull, push, delete, copy, create |

mod ask;
mod check;
mod embed;
mod estimate;
mod fields;
mod go_decode;
mod json;
mod keep_alive;
mod manage;
mod messages;
mod named;
mod native;
mod openai;
mod responses;
mod scan;
mod schemas;
#[cfg(test)]
mod search_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tool_tests;

pub use ask::{Ask, Dialect, Echo, Envelope, Question};
pub use check::{check, check_options};
pub use embed::{EmbedAsk, EmbeddingsAsk};
pub use keep_alive::keep_alive_of;
pub use manage::{CopyAsk, CreateAsk, NameAsk, ShowAsk};
pub use scan::is_cut;
