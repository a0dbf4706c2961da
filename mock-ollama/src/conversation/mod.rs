//! A journal read as a conversation: what was asked and what was answered, whatever the dialect.
//!
//! It stands above the dialects, which read both; the journal stands below them and keeps bytes. Nothing is read until somebody
//! asks.
//!
//! | file | what |
//! | --- | --- |
//! | `asked` | what a request asks: prompt, messages, tools |
//! | `answered` | what its answer says: text, thinking, calls, an error |
//! | `display` | a journal as one line a request |
//! | `transcript` | a journal as a text for snapshots |
//! | `file` | a journal as JSON, with what was answered |

mod answered;
mod asked;
mod display;
mod file;
mod transcript;

pub use answered::CalledTool;
pub use file::JournalFile;

use crate::dialect::{self, WireFormat};
use crate::journal::{Answer, Entry, Fate};

/// Returns the path of a request, without its query.
fn path_of(entry: &Entry) -> &str {
    entry.request.target.split(['?', '#']).next().unwrap_or_default()
}

/// Returns the dialect of a request for an answer; `None` for any other request.
fn format_of(entry: &Entry) -> Option<&'static dyn WireFormat> {
    dialect::at(path_of(entry))
}

/// Returns who answered, in the words of both text forms.
fn who_answered(answer: &Answer) -> String {
    match answer {
        Answer::Matched { recording, exchange: 0 } => format!("recording {recording:?}"),
        Answer::Matched { recording, exchange } => format!("recording {recording:?} exchange {exchange}"),
        Answer::Rule { number, name, .. } if name.is_empty() => format!("rule {number}"),
        Answer::Rule { number, name, .. } => format!("rule {number} {name:?}"),
        Answer::Unexpected { .. } => "UNEXPECTED".to_owned(),
        Answer::Served => "served".to_owned(),
        Answer::Rejected => "UNEXPECTED (no request)".to_owned(),
    }
}

/// Returns why nothing answered, where that is so.
fn why_unexpected(answer: &Answer) -> Option<&str> {
    match answer {
        Answer::Unexpected { why } => Some(why),
        _ => None,
    }
}

/// Returns how an answer ended, without a count: that of chunks depends on when a client left.
fn how_it_ended(fate: Fate) -> &'static str {
    match fate {
        Fate::Open => "in progress",
        Fate::Complete => "complete",
        Fate::Aborted { .. } => "client hung up",
        Fate::Reset => "reset",
        Fate::Truncated => "cut off",
        Fate::Stopped => "open when the server stopped",
    }
}
