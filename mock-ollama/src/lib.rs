//! An Ollama server for tests.
//!
//! It replays recorded token streams: the exact bytes, in the exact chunks, at the exact times.
//! Unmodified clients cannot tell it from Ollama, and it needs no GPU, no model and no network.
//!
//! The crate is built in floors; a module uses its own floor and the ones below it.
//!
//! | floor | modules | what |
//! | --- | --- | --- |
//! | 5 | [`server`] | the conductor: starts and stops the one thread |
//! | 4 | [`driver`] | moves bytes and time between sockets and the engine |
//! | 3 | [`engine`] | the whole server as a state machine: no socket, no clock |
//! | 2 | [`catalog`], [`dialect`], [`journal`] | what clients and people read |
//! | 1 | [`schedule`], [`http`] | pure mechanisms |
//! | 0 | [`recording`], [`files`], [`clock`], [`seed`] | data and time |

pub mod catalog;
pub mod clock;
pub mod dialect;
pub mod driver;
pub mod engine;
pub mod files;
pub mod http;
pub mod journal;
pub mod recording;
pub mod schedule;
pub mod seed;
pub mod server;

pub use server::{Builder, FinishError, MockOllama, StartError};
