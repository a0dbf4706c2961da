//! An Ollama server for tests.
//!
//! It replays recorded token streams: the exact bytes, in the exact chunks, at the exact times.
//! It speaks Ollama's own wire format (`docs/wire.md` says how much of it) and needs no GPU, no model and no network.
//!
//! What a test needs stands here, at the crate's root. The modules are for the programs of this workspace: they are hidden,
//! and exempt from semantic versioning.
//!
//! A client of any kind, here a bare socket, against a recording that comes with the crate:
//!
//! ```
//! use std::io::{Read as _, Write as _};
//!
//! use mock_ollama::{Matching, MockOllama, Pace};
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

#![cfg_attr(docsrs, feature(doc_cfg))]

// The crate is built in floors; a module uses its own floor and the ones below it.
//
// | floor | modules | what |
// | --- | --- | --- |
// | 7 | `server`, `record` | the conductors: they start and stop threads |
// | 6 | `driver` | moves bytes and time between sockets and the engine |
// | 5 | `engine` | the whole server as a state machine: no socket, no clock |
// | 4 | `catalog`, `script` | what a server offers |
// | 3 | `import`, `scrub`, `manage`, `rules` | what must know the dialects: foreign bodies, secrets, models; what a test states |
// | 3 | `conversation`, `summary` | a journal and a recording, for people |
// | 2 | `dialect` | what clients and servers write |
// | 1 | `generation`, `recording`, `schedule`, `http`, `models`, `backend`, `fault` | what was captured, and pure mechanisms |
// | 0 | `go_json`, `journal`, `files`, `clock`, `seed`, `terminal` | data and time |

#[doc(hidden)]
pub mod backend;
#[doc(hidden)]
pub mod catalog;
#[doc(hidden)]
pub mod clock;
#[doc(hidden)]
pub mod conversation;
#[doc(hidden)]
pub mod dialect;
#[doc(hidden)]
pub mod driver;
#[doc(hidden)]
pub mod engine;
mod fault;
#[doc(hidden)]
pub mod files;
#[doc(hidden)]
pub mod generation;
mod go_json;
#[doc(hidden)]
pub mod http;
#[cfg(feature = "import")]
#[doc(hidden)]
pub mod import;
#[doc(hidden)]
pub mod journal;
#[doc(hidden)]
pub mod manage;
#[doc(hidden)]
pub mod models;
#[cfg(feature = "record")]
#[doc(hidden)]
pub mod record;
#[doc(hidden)]
pub mod recording;
#[doc(hidden)]
pub mod rules;
#[doc(hidden)]
pub mod schedule;
#[doc(hidden)]
pub mod script;
#[doc(hidden)]
pub mod scrub;
#[doc(hidden)]
pub mod seed;
#[doc(hidden)]
pub mod server;
#[doc(hidden)]
pub mod summary;
#[doc(hidden)]
pub mod terminal;

pub use backend::{Curve, Settings as BackendSettings};
pub use catalog::{Matching, builtin, recording};
pub use clock::Instant;
pub use conversation::CalledTool;
pub use driver::{SocketOptions, Wait, WaitError};
pub use engine::{CreatedAt, Limits};
pub use generation::Dialect;
pub use http::Origins;
pub use journal::{
    Answer, BodyError, Caller, ChunkSent, ConnId, Entry, Fate, Journal, RequestSeen, ServerId, StreamId,
};
pub use models::KeepAlive;
pub use recording::{
    Chunk, Details, End, Exchange, Method, Model, Origin, ReadError, Recording, RecordingProblem, Request, RequestBody,
    Response, read, read_file,
};
pub use regex::Regex;
pub use rules::{
    ChatMessage, Endpoint, Expectation, IncomingRequest, IntoMatcher, IntoPieces, Matcher, Per, Reply, TextMatcher,
    any, as_ollama, busy, call, chat, embed, embedding, error, exactly, generate, json_text, model_not_found, request,
    says, status,
};
pub use schedule::{Pace, PaceError};
pub use script::{Script, ScriptError, Scripted};
pub use seed::Seed;
pub use server::{Builder, FinishError, MockOllama, RuleDraft, ScopedRule, StartError, StatedRule};

/// The Rust snippets of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;
