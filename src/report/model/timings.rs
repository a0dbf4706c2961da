//! What was measured, and what follows from it.

use crate::stats::Verdict;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Kind;
use crate::measure::bounds::{BoundKind, Metric};
use crate::measure::concurrency::Concurrency;
use crate::measure::decision::Separation;
use crate::transcript::Introspection;

/// The measured part of a report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Timings {
    /// `measured` in real time, `virtual` under the simulator's clock.
    pub kind: Kind,
    /// One entry a variant, in the order in which they were run.
    pub variants: Vec<VariantTimings>,
    /// Whether the evidence separates the variants; absent with fewer than two variants, without a complete block, and
    /// in virtual time.
    pub decision: Option<Decision>,
    /// Where a variant delivered something else than the facts say. Empty when all variants agree.
    pub disagreements: Vec<Disagreement>,
    /// The limits that were asked for, and whether each variant keeps them.
    pub bounds: Vec<BoundVerdict>,
}

/// The runs of one variant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VariantTimings {
    /// The variant's name.
    pub variant: String,
    /// Over its runs.
    pub medians: Medians,
    /// What showed of concurrency, over all runs.
    pub concurrency: Concurrency,
    /// What the runtime showed of itself, in its first run. Of virtual time there is the client alone, since neither the
    /// executor's size nor a thread makes a difference in it.
    pub introspection: Introspection,
    /// Its runs, by block.
    pub runs: Vec<RunTimings>,
}

/// One run of one variant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunTimings {
    /// The block it was measured in: each block has one run of every variant.
    pub block: usize,
    /// What was seen.
    pub measured: Measured,
    /// What follows from it.
    pub derived: Derived,
}

/// What was seen of one run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Measured {
    /// `measured` or `virtual`.
    pub kind: Kind,
    /// From the start of the first agent to the end of the last.
    pub wall_us: u64,
    /// The same of a run in which the agents went one after the other, where one was measured.
    pub serial_wall_us: Option<u64>,
    /// On the path of the agent that ended last: how late the server sent the last chunk of each of its answers.
    pub server_lateness_us: u64,
    /// Tokens delivered.
    pub tokens: u64,
    /// Exchanges that failed.
    pub failed_exchanges: usize,
    /// Exchanges that the server never got.
    pub unknown_to_server: usize,
    /// Chunks that were written and that no client saw in full.
    pub unobserved_chunks: usize,
    /// The most chunks an agent had been handed when it saw the first token of an answer.
    pub first_token_chunks: Option<usize>,
    /// Per exchange: request sent to first piece of the body.
    pub first_chunk_us: Option<Distribution>,
    /// Per exchange: request sent to first token.
    pub ttft_us: Option<Distribution>,
    /// Per gap between tokens.
    pub itl_us: Option<Distribution>,
    /// Per exchange: (total − TTFT) / (tokens − 1).
    pub tpot_us: Option<Distribution>,
    /// Per exchange: request sent to end.
    pub total_us: Option<Distribution>,
    /// Per chunk: written − due. The server's.
    pub lateness_us: Option<Distribution>,
    /// Per chunk: observed − written. The client's.
    pub lag_us: Option<Distribution>,
    /// The same per agent, in the order of the workload.
    pub agents: Vec<AgentTimings>,
}

/// What was seen of one agent in one run. Times of an agent with several exchanges are medians over them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AgentTimings {
    /// The agent's name.
    pub agent: String,
    /// First poll to end, the time waited for a limiter included.
    pub elapsed_us: u64,
    /// Request sent to first piece of the body.
    pub first_chunk_us: Option<i64>,
    /// Request sent to first token.
    pub ttft_us: Option<i64>,
    /// Per gap between tokens, over all exchanges.
    pub itl_us: Option<Distribution>,
    /// (total − TTFT) / (tokens − 1).
    pub tpot_us: Option<i64>,
    /// Request sent to end.
    pub total_us: Option<i64>,
}

/// Nearest-rank quantiles, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Distribution {
    /// Samples.
    pub count: usize,
    /// The smallest.
    pub min: i64,
    /// The median.
    pub p50: i64,
    /// The 90th percentile.
    pub p90: i64,
    /// The 99th percentile.
    pub p99: i64,
    /// The largest.
    pub max: i64,
}

/// What follows from one run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Derived {
    /// Always `derived`.
    pub kind: Kind,
    /// The least wall time that the schedules and the limit allow.
    pub ideal_wall_us: u64,
    /// Wall time beyond the ideal one; negative when something finished before it was due.
    pub overhead_us: i64,
    /// The part of the overhead that is not the server's lateness, as a share of the wall time.
    pub runtime_share: f64,
    /// The server's lateness as a share of the wall time.
    pub server_share: f64,
    /// `P0`: the scripts on the backend, all agents beginning at once; virtual.
    pub scripts_wall_us: u64,
    /// `P1`: this variant's code in virtual time, where it was run there.
    pub code_wall_us: Option<u64>,
    /// `sum(S) / (n * max(S))` of the agents' times alone: the answers.
    pub balance: f64,
    /// `max(S) / P0`: the backend.
    pub contention: f64,
    /// `P0 / P1`: the client code.
    pub structure: Option<f64>,
    /// `P1 / W`: executor, I/O and parsing, and the host.
    pub runtime: Option<f64>,
    /// `max(S) / W` = contention × structure × runtime.
    pub overlap: f64,
    /// `sum(S) / (n * W)`.
    pub efficiency: f64,
    /// Wall time of the serial run divided by that of this one.
    pub speed_up: Option<f64>,
    /// Tokens per wall second.
    pub goodput_tokens_per_s: f64,
    /// `sum(C) / (n * W)` with the times `C` of the concurrent run itself: TR115's figure, kept to compare with.
    pub legacy_efficiency: f64,
}

/// Medians over the runs of a variant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Medians {
    /// Always `derived`.
    pub kind: Kind,
    /// Wall time.
    pub wall_us: Spread<i64>,
    /// Wall time beyond the ideal one.
    pub overhead_us: Spread<i64>,
    /// The runtime's share of the wall time.
    pub runtime_share: Spread<f64>,
    /// The server's share of the wall time.
    pub server_share: Spread<f64>,
    /// The four factors, whose product is the efficiency; the last two where they are known of each run.
    pub factors: FactorMedians,
    /// `max(S) / W`.
    pub overlap: Spread<f64>,
    /// Tokens per wall second.
    pub goodput_tokens_per_s: Spread<f64>,
    /// Against the serial run, where each run has one.
    pub speed_up: Option<Spread<f64>>,
    /// The runs' median TTFT.
    pub ttft_p50_us: Option<Spread<i64>>,
    /// The runs' median ITL.
    pub itl_p50_us: Option<Spread<i64>>,
    /// The runs' 99th percentile of ITL.
    pub itl_p99_us: Option<Spread<i64>>,
    /// The runs' 99th percentile of lateness.
    pub lateness_p99_us: Option<Spread<i64>>,
    /// The runs' 99th percentile of lag.
    pub lag_p99_us: Option<Spread<i64>>,
    /// TR115's figure.
    pub legacy_efficiency: Spread<f64>,
}

/// Medians of the four factors of efficiency.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FactorMedians {
    /// The answers.
    pub balance: f64,
    /// The backend.
    pub contention: f64,
    /// The client code.
    pub structure: Option<Spread<f64>>,
    /// Executor, I/O and parsing, and the host.
    pub runtime: Option<Spread<f64>>,
    /// Their product.
    pub efficiency: Spread<f64>,
}

/// A median over runs with an interval that holds the true one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spread<T> {
    /// The nearest-rank median.
    pub median: T,
    /// The lower end; absent when there are too few runs for an interval.
    pub low: Option<T>,
    /// The upper end.
    pub high: Option<T>,
}

/// Whether the evidence separates the variants.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// Always `derived`.
    pub kind: Kind,
    /// The confidence of all intervals together.
    pub confidence: f64,
    /// The confidence of each interval, corrected for the number of pairs (Bonferroni).
    pub pair_confidence: f64,
    /// The smallest difference in wall time that matters.
    pub smallest_effect_us: u64,
    /// Complete blocks: those in which every variant ran without a failed exchange. Only they are compared.
    pub blocks: usize,
    /// Blocks that were left out.
    pub incomplete_blocks: usize,
    /// The fewest blocks with which an interval can be had.
    pub blocks_needed: Option<usize>,
    /// `no-difference` only when no pair differs; `separated` when any pair does; else `inconclusive`.
    pub verdict: Separation,
    /// Every pair of variants.
    pub pairs: Vec<Pair>,
}

/// Two variants compared by their wall times within blocks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pair {
    /// The first variant.
    pub a: String,
    /// The second variant.
    pub b: String,
    /// Wall time of `a` minus wall time of `b`.
    pub difference_us: Spread<i64>,
    /// The coverage that the interval reaches; absent without an interval.
    pub coverage: Option<f64>,
    /// What the evidence says.
    pub verdict: Separation,
    /// The variant with the shorter wall time, where they are separated.
    pub faster: Option<String>,
}

/// A variant delivered something else than the facts say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Disagreement {
    /// The variant.
    pub variant: String,
    /// The block of the run.
    pub block: usize,
    /// The agent.
    pub agent: String,
    /// The exchange, counted from zero.
    pub exchange: usize,
    /// In what it differs.
    pub what: Difference,
    /// The offset of the first byte that differs, where bytes do; the length of the shorter body when one is the
    /// beginning of the other.
    pub first_differing_byte: Option<u64>,
    /// What the facts say and what was seen, in words.
    pub detail: String,
}

/// In what a run differs from the facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Difference {
    /// The exchange did not happen.
    Missing,
    /// The exchange is not in the workload.
    Extra,
    /// The request was another one.
    Request,
    /// The server answered from another recording than the request was taken from: two recordings share a request.
    Answer,
    /// The body has other bytes.
    Bytes,
    /// The bytes are the same and the client made other lines or tokens of them.
    Lines,
    /// It ended otherwise.
    Outcome,
}

/// Whether a variant keeps a stated limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BoundVerdict {
    /// The bound's name.
    pub bound: String,
    /// What it limits.
    pub metric: Metric,
    /// Whether the number depends on a clock.
    pub kind: BoundKind,
    /// The variant.
    pub variant: String,
    /// Whether it is kept: by every run when deterministic, by the median over runs when not.
    pub verdict: Verdict,
    /// Why, in one line.
    pub why: String,
}
