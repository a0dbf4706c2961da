//! The same workload without tasks or HTTP, for scale.
//!
//! A discrete-event simulation of what agents, server and clock do in a run in memory. It makes exactly the events of
//! that run, in the same order, so that their digests agree; tests hold it to that on small workloads, and what it says
//! of a million agents is worth as much.
//!
//! What it takes from the rest of the program is what decides: which recording answers (`Catalog::choose`), how it is
//! framed (`Prepared`), when its chunks are due (`Schedule`), and what its lines are (`ndjson::Stream`). What it has of
//! its own is the order of events.
//!
//! An agent is taken to be given an HTTP chunk as one piece. Variants that cut pieces see the same lines at the same
//! instants; only an agent that hangs up after some tokens, in the middle of a chunk of several lines, may see fewer.
//!
//! | file | what |
//! | --- | --- |
//! | `script` | a recorded answer as an agent sees it |
//! | `scripts` | which script answers a request |
//! | `play` | the agents, and the order of events |
//! | `error` | why a workload cannot be modelled |

mod error;
mod play;
mod script;
mod scripts;

use mock_ollama::clock::Instant;
use mock_ollama::journal::StreamId;
use mock_ollama::schedule::Pace;
use mock_ollama::seed::Seed;

use self::play::Play;
use super::log::{EventDigest, EventLog, LoggedEvent};
use crate::workload::Workload;

pub use self::error::ModelError;

/// The result of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    /// The number of events.
    pub events: u64,
    /// When the last of them happened.
    pub ended: Instant,
    /// [`EventLog::digest`] of them.
    pub digest: String,
}

/// Plays a workload to its end and keeps nothing but the digest of its events.
///
/// # Errors
/// When the workload cannot be modelled, see [`ModelError`].
pub fn run(workload: &Workload, pace: Pace, seed: Seed) -> Result<Finished, ModelError> {
    let (mut events, mut ended, mut digest) = (0, Instant::ZERO, EventDigest::default());
    let tally = |at, agent: &str, exchange, event| {
        events += 1;
        // Events come in order, so the last one is the end.
        ended = at;
        digest.add_parts(at, agent.as_bytes(), exchange, &event);
    };
    Play::new(workload, pace, seed, tally)?.play();
    Ok(Finished { events, ended, digest: digest.finish() })
}

/// Plays a workload to its end and keeps every event.
///
/// # Errors
/// When the workload cannot be modelled, see [`ModelError`].
pub fn log(workload: &Workload, pace: Pace, seed: Seed) -> Result<EventLog, ModelError> {
    let mut log = EventLog::default();
    let keep = |at, agent: &str, exchange, event| {
        log.push(LoggedEvent { at, stream: StreamId::of(agent, exchange), event });
    };
    Play::new(workload, pace, seed, keep)?.play();
    Ok(log)
}
