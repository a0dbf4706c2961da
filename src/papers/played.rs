//! The real clients on the device of the prediction, in virtual time: the engine serves what each agent alone would
//! have been served, and its device slows it down.

use std::num::NonZeroUsize;
use std::time::Duration;

use mock_ollama::Per;
use mock_ollama::backend;
use mock_ollama::catalog::Catalog;
use mock_ollama::clock::Instant;
use mock_ollama::engine::Config;
use mock_ollama::seed::Seed;

use super::data::PapersError;
use super::judge::Judged;
use super::predict::{Limiter, Predicted, Span};
use crate::papers::published::AgentRow;
use crate::papers::replay::workload_of;
use crate::runtimes::{Environment, Runtime};
use crate::sim::{Sim, SimSettings};
use crate::transcript::{AgentLog, Transcript};
use crate::workload::Job;

/// Where clients are told that the server in memory is. Nothing listens there.
const NOWHERE: &str = "http://127.0.0.1:11434";

/// What real clients did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Played {
    /// When each agent's request was sent and answered.
    pub(super) spans: Predicted,
    /// When each agent had its first line, from its request on.
    pub(super) first_line: [Duration; 2],
}

/// Runs both agents of a run on `runtime`, with the tokens, the load and the prompt time of the run and the constants of
/// its backend. The agents are in the order of the prediction.
pub(super) fn play(judged: &Judged<'_>, runtime: &dyn Runtime, limiter: Limiter) -> Result<Played, PapersError> {
    let input = judged.run.input(judged.constants);
    let alone = [0, 1].map(|agent| {
        let gap = input.constants.gap.as_secs_f64() * 1e3;
        alone(judged.run.agents[agent], input.solo(agent), gap)
    });
    let workload = workload_of(judged.run.row, alone.iter())?;
    let backend = backend::Settings { share: input.curve(), ..backend::Settings::default() };
    let catalog = Catalog::new(workload.recordings).into();
    let settings = SimSettings { seed: Seed(0), repeat: "runtime-lab papers".to_owned(), ..SimSettings::default() };
    let sim = Sim::in_memory(Config { catalog, backend, per: Per::Caller, ..Config::default() }, settings);
    let limit = match limiter {
        Limiter::None => None,
        Limiter::SemaphoreOfTwo => NonZeroUsize::new(2),
        Limiter::Mutex => NonZeroUsize::new(1),
    };
    let job = Job { url: NOWHERE.to_owned(), agents: workload.agents, limit };
    let transcript = runtime.run(&job, &Environment::Memory(sim))?;
    Ok(Played::of(&transcript))
}

/// The row of an agent as it would be were it alone, the gap counted as load: its first token comes at the end of the
/// prompt's evaluation, since that is when it comes to the device, and its last after it has decoded. The load-time
/// options are left out: each agent had a server of its own, and the one in memory would load the model again.
fn alone(row: &AgentRow, solo: Duration, gap_ms: f64) -> AgentRow {
    let tokens = row.tokens.max(2);
    let step = solo.as_secs_f64() * 1e3 / f64::from(tokens - 1);
    AgentRow {
        load_ms: (gap_ms + row.load_ms - step).max(0.0),
        eval_ms: step * f64::from(tokens),
        tokens,
        num_gpu: None,
        num_ctx: None,
        ..row.clone()
    }
}

impl Played {
    fn of(transcript: &Transcript) -> Self {
        let since = |at: Instant| Instant::ZERO.saturating_add(at.saturating_since(transcript.started));
        let span = |agent: &AgentLog| {
            let ends = agent.exchanges.first().zip(agent.exchanges.last());
            ends.map_or(Span { sent: Instant::ZERO, ended: Instant::ZERO }, |(first, last)| Span {
                sent: since(first.sent),
                ended: since(last.ended),
            })
        };
        let first_line = |agent: &AgentLog| {
            let exchange = agent.exchanges.first();
            let line = exchange.and_then(|exchange| Some(exchange.lines.first()?.at.saturating_since(exchange.sent)));
            line.unwrap_or_default()
        };
        let pair = [&transcript.agents[0], &transcript.agents[1]];
        Self { spans: Predicted(pair.map(span)), first_line: pair.map(first_line) }
    }
}

#[cfg(test)]
mod tests;
