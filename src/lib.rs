//! Runs multi-agent LLM-streaming workloads on async runtime variants against a replayed Ollama server.
//!
//! `README.md` shows the program, `docs/architecture.md` the house, `docs/measuring.md` what each number means. The server is the
//! crate [`mock_ollama`].
//!
//! The crate is built in floors; a module uses its own floor and the ones below it.
//!
//! | floor | modules | what |
//! | --- | --- | --- |
//! | 5 | [`run`], [`cost`], [`papers`] | child processes, blocks of runs, a report out; what a token costs the client; published runs replayed, and what a shared device predicts of recordings |
//! | 4 | [`runtimes`], [`clients`], [`sim`], `controls` | agents on executors, bytes through HTTP clients; virtual time; the known-bad variants (feature `controls`) |
//! | 2 | [`measure`], [`report`] | what a run cost, and what people and programs read of it |
//! | 1 | [`chunking`], [`ndjson`] | pure mechanisms: no clock, no I/O |
//! | 0 | [`workload`], [`variant`], [`transcript`], [`stats`] | who asks what, on which row of the table, and what was seen; one verdict and one median |
//!
//! A workload on every variant that is compiled in, against a server in this process:
//!
//! ```
//! use std::sync::Arc;
//!
//! use mock_ollama::catalog::builtin;
//! use mock_ollama::{MockOllama, driver::Monotonic, schedule::Pace};
//! use runtime_lab::workload::{Job, Library, select};
//! use runtime_lab::runtimes::{Environment, of};
//! use runtime_lab::variant::Variant;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let recordings: Vec<_> = builtin::names().filter_map(builtin::recording).collect::<Result<_, _>>()?;
//! let workload = select("duet", None, Library::of(&recordings))?;
//! let environment = Environment::Wall(Arc::new(Monotonic));
//! for variant in Variant::ALL {
//!     let server = MockOllama::builder().recordings(workload.recordings.clone()).pace(Pace::instant()).start()?;
//!     let job = Job { url: server.url(), agents: workload.agents.clone(), limit: workload.limit };
//!     let transcript = of(*variant).run(&job, &environment)?;
//!     let bytes: Vec<usize> = transcript.agents.iter().map(|agent| agent.exchanges[0].body.len()).collect();
//!     assert_eq!(bytes, [16106, 6667]);
//!     server.finish()?;
//! }
//! # Ok(())
//! # }
//! ```

pub mod chunking;
pub mod clients;
#[cfg(feature = "controls")]
pub mod controls;
#[cfg(target_os = "linux")]
pub mod cost;
pub mod measure;
pub mod ndjson;
pub mod papers;
pub mod report;
pub mod run;
pub mod runtimes;
pub mod sim;
pub mod stats;
pub mod transcript;
pub mod variant;
pub mod workload;

/// The Rust snippets of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;
