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
//! | `request` | the requests of these routes, decoded |
//! | `listing`, `show`, `modelfile` | the bodies that describe models |
//! | `account` | the account and the cloud, neither of which there is |

mod account;
mod create;
mod derive;
mod files;
pub mod listing;
mod modelfile;
mod progress;
mod pull;
mod push;
mod request;
mod show;

#[cfg(test)]
mod capture_tests;
#[cfg(test)]
mod refusal_tests;

pub use account::{me, recommendations, signout, transcriptions, web_fetch, web_search};
pub use create::create;
pub use files::{blob_head, blob_put, copy, delete};
pub use progress::{Progress, Streamed};
pub use pull::{DEFAULT_SPEED, pull};
pub use push::push;
pub use request::{CreateRequest, NameRequest, ShowRequest};
pub use show::show;
