//! The numbers of one run.

use std::time::Duration;

use super::spread::{distribution, distribution_of_times, micros, micros_signed, share};
use crate::measure::factors::{FactorError, Factors, Walls};
use crate::measure::lag::{JoinedStreams, join, lateness_on_path_ns};
use crate::measure::latency::{AgentLatency, ExchangeLatency, of_transcript};
use crate::report::inputs::{Inputs, Run};
use crate::report::model::{AgentTimings, Derived, Kind, Measured, RunTimings};

/// The numbers of `run`.
pub(super) fn run_timings(inputs: &Inputs<'_>, run: &Run<'_>) -> Result<RunTimings, FactorError> {
    let agents = of_transcript(run.transcript);
    let joined = join(run.journal, run.transcript);
    let wall = run.transcript.ended.saturating_since(run.transcript.started);
    let last = run.transcript.agents.iter().max_by_key(|agent| agent.ended);
    let late = Duration::from_nanos(last.map_or(0, |agent| lateness_on_path_ns(&joined, agent)));
    let contended: Vec<Duration> = agents.iter().map(|agent| agent.elapsed).collect();
    let walls = Walls {
        alone: inputs.alone,
        contended: &contended,
        limit: inputs.workload.limit,
        wall,
        scripts: inputs.scripts_wall,
        code: run.code_wall,
        serial_wall: run.serial_wall,
        tokens: exchanges(&agents).map(|exchange| exchange.tokens).sum(),
    };
    let factors = walls.factors()?;
    Ok(RunTimings {
        block: run.block,
        measured: measured(inputs.clock, &walls, late, &agents, &joined),
        derived: derived(inputs, run, &factors, wall, late),
    })
}

fn exchanges(agents: &[AgentLatency]) -> impl Iterator<Item = &ExchangeLatency> {
    agents.iter().flat_map(|agent| &agent.exchanges)
}

fn measured(
    kind: Kind,
    walls: &Walls<'_>,
    late: Duration,
    agents: &[AgentLatency],
    joined: &JoinedStreams,
) -> Measured {
    let streams = &joined.streams;
    let each = || exchanges(agents);
    Measured {
        kind,
        wall_us: micros(walls.wall),
        serial_wall_us: walls.serial_wall.map(micros),
        server_lateness_us: micros(late),
        tokens: walls.tokens,
        failed_exchanges: agents.iter().map(|agent| agent.failed).sum(),
        unknown_to_server: joined.unknown_to_server.len(),
        unobserved_chunks: streams.iter().map(|stream| stream.unobserved).sum(),
        first_token_chunks: streams.iter().filter_map(|stream| stream.first_token_chunks).max(),
        first_chunk_us: distribution_of_times(each().filter_map(|exchange| exchange.first_chunk)),
        ttft_us: distribution_of_times(each().filter_map(|exchange| exchange.ttft)),
        itl_us: distribution_of_times(each().flat_map(|exchange| exchange.itl.iter().copied())),
        tpot_us: distribution_of_times(each().filter_map(|exchange| exchange.tpot)),
        total_us: distribution_of_times(each().map(|exchange| exchange.total)),
        lateness_us: distribution(streams.iter().flat_map(|stream| stream.lateness_ns.iter().copied()).collect()),
        lag_us: distribution(streams.iter().flat_map(|stream| stream.lag_ns.iter().copied()).collect()),
        agents: agents.iter().map(agent_timings).collect(),
    }
}

fn agent_timings(agent: &AgentLatency) -> AgentTimings {
    let each = || agent.exchanges.iter();
    AgentTimings {
        agent: agent.agent.clone(),
        elapsed_us: micros(agent.elapsed),
        first_chunk_us: median(each().filter_map(|exchange| exchange.first_chunk)),
        ttft_us: median(each().filter_map(|exchange| exchange.ttft)),
        itl_us: distribution_of_times(each().flat_map(|exchange| exchange.itl.iter().copied())),
        tpot_us: median(each().filter_map(|exchange| exchange.tpot)),
        total_us: median(each().map(|exchange| exchange.total)),
    }
}

fn median(times: impl Iterator<Item = Duration>) -> Option<i64> {
    distribution_of_times(times).map(|found| found.p50)
}

fn derived(inputs: &Inputs<'_>, run: &Run<'_>, factors: &Factors, wall: Duration, late: Duration) -> Derived {
    let server_share = late.as_secs_f64() / wall.as_secs_f64();
    Derived {
        kind: Kind::Derived,
        ideal_wall_us: micros(factors.ideal_wall),
        overhead_us: micros_signed(factors.overhead_ns),
        runtime_share: share(factors.overhead_share - server_share),
        server_share: share(server_share),
        scripts_wall_us: micros(inputs.scripts_wall),
        code_wall_us: run.code_wall.map(micros),
        balance: share(factors.balance),
        contention: share(factors.contention),
        structure: factors.structure.map(share),
        runtime: factors.runtime.map(share),
        overlap: share(factors.overlap),
        efficiency: share(factors.efficiency),
        speed_up: factors.speed_up.map(share),
        goodput_tokens_per_s: share(factors.goodput),
        legacy_efficiency: share(factors.legacy_efficiency),
    }
}
