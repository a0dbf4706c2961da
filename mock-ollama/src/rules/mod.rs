//! What a test states: when a rule applies, what it answers, and how often it must be used.
//!
//! | file | what |
//! | --- | --- |
//! | `incoming` | a request as rules see it, in one form for all dialects |
//! | `text` | how a text is matched |
//! | `matcher` | the requests that a rule is for |
//! | `speech` | what a model says in one answer |
//! | `reply` | the replies that a rule can give |
//! | `rule` | matcher, replies, limits and expectation |
//! | `pieces` | what is said, piece by piece, in TOML and JSON |
//! | `book` | the rules of a server, and how often each was used |
//! | `form` | the notation of a rule in TOML and JSON |

mod book;
pub(crate) mod form;
mod incoming;
mod matcher;
mod pieces;
mod reply;
mod rule;
mod speech;
mod text;

pub(crate) use book::{RuleBook, RuleId, Selected};
pub(crate) use incoming::RequestParts;
pub use incoming::{ChatMessage, Endpoint, IncomingRequest};
pub use matcher::{IntoMatcher, Matcher, any, chat, embed, generate, request};
pub use reply::{IntoPieces, Reply, as_ollama, busy, call, embedding, error, json_text, model_not_found, says, status};
pub(crate) use reply::{ReplyKind, StatusContent, StatusReply};
pub use rule::{Expectation, Per, Rule};
pub(crate) use rule::{Window, times};
pub(crate) use speech::{ModelDefaults, Speech, StatedLogprobs};
pub use text::{TextMatcher, exactly};
