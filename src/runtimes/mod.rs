//! How to run agents on each executor.
//!
//! - [`Runtime`]: the entry that they all share; [`of`] finds the one of a variant
//! - [`Environment`]: which clock and which transport agents have
//! - [`AgentGroup`]: the agents of a run and what they share, neutral of executor
//! - [`Witnessed`]: where a task was polled and woken, and which task it was
//! - a file per variant: how its executor is made, how agents are spawned on it, how its sockets connect

mod agent_group;
#[cfg(feature = "runtime-async-std")]
pub(crate) mod async_std;
mod contract;
mod environment;
mod registry;
#[cfg(any(feature = "runtime-smol", feature = "runtime-smol-1kb"))]
pub(crate) mod smol;
#[cfg(feature = "runtime-smol-1kb")]
pub(crate) mod smol_1kb;
mod threads;
#[cfg(feature = "runtime-tokio-default")]
pub(crate) mod tokio_default;
#[cfg(feature = "runtime-tokio-localset")]
pub(crate) mod tokio_localset;
#[cfg(any(feature = "runtime-tokio-default", feature = "runtime-tokio-localset"))]
mod tokio_tasks;
mod witness;

pub use agent_group::{AgentGroup, BuiltAgents, in_order};
pub use contract::{RunError, Runtime};
pub use environment::Environment;
pub use registry::of;
pub use threads::{on_thread, thread_names};
pub use witness::{Sighting, Tasks, Witnessed};
