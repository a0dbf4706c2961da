//! What the matrix runs: all that could come in another order.

use std::num::NonZeroU32;
use std::time::Duration;

use mock_ollama::recording::{Chunk, End, Exchange, Origin, Recording, Request, Response};
use mock_ollama::schedule::Pace;
use runtime_lab::workload::AgentBehavior;
use serde_json::json;

use crate::util::Scenario;

/// What is run, and what it is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Workload {
    /// Nothing happens at the same time: gaps that are no whole microseconds.
    GapsInNs,
    /// All streams have all their chunks at the same instants.
    TiesOnTheMs,
    /// Ties, and three permits for twelve agents.
    SharedSemaphore,
    /// The same over connections that any agent may get.
    SharedPool,
    /// Agents that hang up, time out at the very instant of a chunk, and ask again.
    Cancels,
    /// Answers that fail in every way, some of them asked for again.
    ServerErrors,
}

impl Workload {
    pub(super) const ALL: [Self; 6] =
        [Self::GapsInNs, Self::TiesOnTheMs, Self::SharedSemaphore, Self::SharedPool, Self::Cancels, Self::ServerErrors];

    /// The name of its snapshot.
    pub(super) const fn snapshot(self) -> &'static str {
        match self {
            Self::GapsInNs => "gaps_in_ns",
            Self::TiesOnTheMs => "ties_on_the_ms",
            Self::SharedSemaphore => "shared_semaphore",
            Self::SharedPool => "shared_pool",
            Self::Cancels => "cancels",
            Self::ServerErrors => "server_errors",
        }
    }

    pub(super) fn scenario(self) -> Scenario {
        let streams =
            |count: usize, tokens| (0..count).map(|index| stream(&format!("stream-{index}"), tokens)).collect();
        let recorded = Pace::recorded();
        match self {
            Self::GapsInNs => Scenario::each(8, streams(2, 20), recorded.jitter(0.5)),
            Self::TiesOnTheMs => Scenario::each(8, streams(2, 20), recorded),
            Self::SharedSemaphore | Self::SharedPool => {
                Scenario { limit: Some(3), ..Scenario::each(12, streams(3, 20), recorded) }
            }
            Self::Cancels => cancels(Scenario { limit: Some(5), ..Scenario::each(12, streams(2, 20), recorded) }),
            Self::ServerErrors => server_errors(Scenario { limit: Some(5), ..Scenario::each(8, failing(), recorded) }),
        }
    }
}

/// Every third agent hangs up, every third gives up early and tries again.
fn cancels(mut scenario: Scenario) -> Scenario {
    for (agent, index) in scenario.agents.iter_mut().zip(0_u32..) {
        agent.behavior = match index % 3 {
            0 => AgentBehavior { cancel_after: NonZeroU32::new(3 + index), ..AgentBehavior::default() },
            1 => AgentBehavior {
                timeout: Some(Duration::from_millis(7)),
                retries: 2,
                retry_pause: Duration::from_millis(1),
                ..AgentBehavior::default()
            },
            _ => AgentBehavior { think: Duration::from_millis(2), ..AgentBehavior::default() },
        };
    }
    scenario
}

/// Every other agent asks again at once.
fn server_errors(mut scenario: Scenario) -> Scenario {
    for agent in scenario.agents.iter_mut().step_by(2) {
        agent.behavior.retries = 1;
    }
    scenario
}

fn failing() -> Vec<Recording> {
    let mut busy = stream("busy", 0).exchanges.remove(0);
    busy.response = Response::new(503, [("Content-Type", "application/json; charset=utf-8")]);
    busy.chunks = vec![chunk(1, r#"{"error":"server busy, please try again"}"#)];
    let mut broken = stream("broken", 12).exchanges.remove(0);
    broken.chunks.truncate(9);
    broken.chunks.push(chunk(9, "{\"error\":\"an error was encountered while running the model\"}\n"));
    let cut = |name: &str, end| {
        let mut exchange = stream(name, 12).exchanges.remove(0);
        exchange.chunks.truncate(6);
        exchange.end = end;
        of(name, exchange)
    };
    vec![of("busy", busy), of("broken", broken), cut("reset", End::Reset), cut("closed", End::Eof), stream("whole", 12)]
}

/// One token on every millisecond, and a last line.
fn stream(name: &str, tokens: u64) -> Recording {
    let line = |at| chunk(at, &format!("{{\"model\":\"matrix\",\"response\":\"word {at} \",\"done\":false}}\n"));
    let last = "{\"model\":\"matrix\",\"response\":\"\",\"done\":true,\"done_reason\":\"stop\"}\n";
    let body = json!({"model": "matrix", "prompt": name});
    let chunks = (1..=tokens).map(line).chain([chunk(tokens + 1, last)]).collect();
    let response = Response::new(200, [("Content-Type", "application/x-ndjson")]);
    of(name, Exchange::new(Some(Request::post("/api/generate", body)), response, chunks))
}

fn of(name: &str, exchange: Exchange) -> Recording {
    Recording::new(name, Origin::Synthetic, "matrix", vec![exchange])
}

fn chunk(at_ms: u64, text: &str) -> Chunk {
    Chunk::new(at_ms * 1000, text.to_owned())
}
