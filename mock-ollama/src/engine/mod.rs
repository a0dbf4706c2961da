//! The whole server as a state machine: bytes, instants and releases in; one action at a time out.
//!
//! It opens no socket and reads no clock. The socket driver runs it in real time; tests run it by hand. It may be several
//! servers ([`ServerId`](crate::journal::ServerId)) of one machine; and several engines, the shards, may be one server, each
//! with connections of its own, so that each can have a thread of its own.
//!
//! | file | what |
//! | --- | --- |
//! | `config` | what a server is set to |
//! | `action` | what a driver is told to do |
//! | `timeline` | what is going to happen, in order |
//! | `ahead` | a look at what the next events are going to use |
//! | `common` | what the shards of a server have in common |
//! | `callers` | what is remembered of those who ask |
//! | `conn` | the state of one connection |
//! | `answer` | which answer a request gets |
//! | `run` | the inputs, the timeline and the step |
//! | `stream` | a response on its way, chunk by chunk |
//! | `together` | chunks that leave together |
//! | `machine` | requests on their way through the machine behind the server |
//! | `limits` | how much of a client the server bears |
//! | `live` | an answer that is rendered while it is served |

mod action;
mod ahead;
mod answer;
mod callers;
mod common;
mod config;
mod conn;
mod limits;
mod live;
mod machine;
mod run;
mod stream;
mod timeline;
mod together;

#[cfg(test)]
mod tests;

pub use action::{Action, Closed, Release, Seq, Step, Turn};
pub use config::{Config, CreatedAt, CreatedAtError};
pub use limits::Limits;
pub use run::{Engine, LINGER};
