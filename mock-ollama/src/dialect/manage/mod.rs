//! The routes that change which models there are, and those of the account.
//!
//! | file | what |
//! | --- | --- |
//! | `progress` | statuses and when they come, streamed or as one answer |
//! | `pull` | `/api/pull` |
//! | `push` | `/api/push` |
//! | `create` | `/api/create`: what is asked for, and its checks |
//! | `derive` | the model that a create makes |
//! | `files` | `/api/copy`, `/api/delete` and `/api/blobs` |
//! | `account` | the account and the cloud, neither of which there is |

mod account;
mod create;
mod derive;
mod files;
mod progress;
mod pull;
mod push;

#[cfg(test)]
mod capture_tests;

pub use account::{me, recommendations, signout, transcriptions, web_fetch, web_search};
pub use create::{NewModel, Source, create};
pub use files::{blob_head, blob_put, copy, delete};
pub use progress::{Failure, Progress, Streamed};
pub use pull::{DEFAULT_SPEED, pull};
pub use push::push;

use serde::Serialize;

use super::Reply;
use super::listing::json;

const JSON: &str = "application/json; charset=utf-8";

/// `{"error":"…"}`
fn error_json(text: &str) -> String {
    #[derive(Serialize)]
    struct Error<'a> {
        error: &'a str,
    }
    json(&Error { error: text })
}

/// An error of a native handler.
fn refuse(status: u16, text: &str) -> Reply {
    Reply::new(status, JSON, error_json(text))
}
