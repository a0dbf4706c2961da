//! An Ollama server for tests.
//!
//! It replays recorded token streams: the exact bytes, in the exact chunks, at the exact times.
//! It speaks Ollama's own wire format (`docs/wire.md` says how much of it) and needs no GPU, no model and no network.
//!
//! The crate is built in floors; a module uses its own floor and the ones below it.
//!
//! | floor | modules | what |
//! | --- | --- | --- |
//! | 7 | [`server`], [`record`] | the conductors: they start and stop threads |
//! | 6 | [`driver`] | moves bytes and time between sockets and the engine |
//! | 5 | [`engine`] | the whole server as a state machine: no socket, no clock |
//! | 4 | [`catalog`], [`script`] | what a server offers |
//! | 3 | [`import`], [`scrub`], [`manage`] | what must know the dialects: foreign bodies, secrets, models |
//! | 2 | [`dialect`] | what clients and servers write |
//! | 1 | [`generation`], [`recording`], [`schedule`], [`http`], [`models`], [`backend`], `fault` | what was captured, and pure mechanisms |
//! | 0 | `go_json`, [`journal`], [`files`], [`clock`], [`seed`], [`terminal`] | data and time |
//!
//! A client of any kind, here a bare socket, against a recording that comes with the crate:
//!
//! ```
//! use std::io::{Read as _, Write as _};
//!
//! use mock_ollama::catalog::Matching;
//! use mock_ollama::{MockOllama, schedule::Pace};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let server =
//!     MockOllama::builder().builtin("tiny-emoji").matching(Matching::Any).pace(Pace::instant()).start()?;
//! let mut client = std::net::TcpStream::connect(server.addr())?;
//! let body = r#"{"model":"any","prompt":"hello"}"#;
//! write!(client, "POST /api/generate HTTP/1.0\r\nContent-Length: {}\r\n\r\n{body}", body.len())?;
//! let mut answer = String::new();
//! client.read_to_string(&mut answer)?;
//! assert!(answer.contains("\"done\":true"));
//! assert_eq!(server.finish()?.entries[0].chunks.len(), 10);
//! # Ok(())
//! # }
//! ```

pub mod backend;
pub mod catalog;
pub mod clock;
pub mod dialect;
pub mod driver;
pub mod engine;
mod fault;
pub mod files;
pub mod generation;
mod go_json;
pub mod http;
pub mod import;
pub mod journal;
pub mod manage;
pub mod models;
pub mod record;
pub mod recording;
pub mod schedule;
pub mod script;
pub mod scrub;
pub mod seed;
pub mod server;
pub mod terminal;

pub use server::{Builder, FinishError, MAX_SERVERS, MockOllama, StartError};
