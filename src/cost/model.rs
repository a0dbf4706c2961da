//! What was found out.
//!
//! Its JSON form is a contract, `docs/cost.schema.json`. Keys of metrics say the unit.

use schemars::JsonSchema;
use serde::Serialize;

use crate::report::model::Environment;

use super::Metric;

/// Everything one invocation found out.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct CostReport {
    /// The format of this document and its version.
    pub format: Format,
    /// The seed of every random choice.
    pub seed: u64,
    /// Tokens of each answer.
    pub tokens: usize,
    /// Rounds that counted.
    pub rounds: usize,
    /// The core that the server kept to; absent where it was not kept.
    pub server_core: Option<usize>,
    /// The cores that the agents kept to; none where they were not kept.
    pub agent_cores: Vec<usize>,
    /// Whether allocations were counted.
    pub allocations_counted: bool,
    /// Why system calls were not counted; absent where they were.
    pub system_calls_uncounted: Option<String>,
    /// Numbers of agents that were left out.
    pub left_out: Vec<LeftOut>,
    /// One entry a number of agents, ascending.
    pub sizes: Vec<Size>,
    /// Where it was measured.
    pub environment: Environment,
}

/// The format of a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub enum Format {
    /// The first version.
    #[default]
    #[serde(rename = "runtime-lab-cost/1")]
    V1,
}

/// A number of agents that needs more descriptors than there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct LeftOut {
    /// The number of agents.
    pub agents: usize,
    /// The descriptors that a process needs for them.
    pub needed: u64,
    /// The descriptors that it may have.
    pub limit: u64,
}

/// What was measured with one number of agents.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Size {
    /// The number of agents.
    pub agents: usize,
    /// The pace.
    pub pace: String,
    /// The floor first, then the variants.
    pub rows: Vec<CostRow>,
    /// What the evidence says of the variants, metric by metric; none of a single variant.
    pub decisions: Vec<Decided>,
}

/// What one client cost.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct CostRow {
    /// `floor`, or the variant.
    pub who: String,
    /// How its executor describes itself.
    pub executor: String,
    /// Its metrics, in the order of [`Metric::ALL`].
    pub metrics: Vec<Estimate>,
}

/// One metric of one client.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Estimate {
    /// The metric's key, which says the unit.
    #[schemars(extend("enum" = Metric::ALL.map(Metric::key)))]
    pub metric: &'static str,
    /// Of the values as they are on this host.
    pub value: MedianInterval,
    /// Of the ratios to the floor of the same round; absent of the floor, and where the floor has nothing to compare with.
    pub ratio: Option<MedianInterval>,
    /// The value of each round, in order; of system calls the only one, which is of the round to warm up.
    pub rounds: Vec<f64>,
}

/// A median over rounds and its bootstrap interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct MedianInterval {
    /// The median.
    pub median: f64,
    /// The lower end of its interval; absent of too few rounds.
    pub low: Option<f64>,
    /// The upper end of its interval.
    pub high: Option<f64>,
}

/// What the evidence says of the variants by one metric.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Decided {
    /// The metric's key, which says the unit.
    #[schemars(extend("enum" = Metric::DECIDED.map(Metric::key)))]
    pub metric: &'static str,
    /// The smallest difference that matters, in the metric's unit.
    pub smallest_effect: f64,
    /// The rounds that the rule needs for that many pairs.
    pub rounds_needed: Option<usize>,
    /// The number of pairs.
    pub pairs: usize,
    /// Pairs that are separated.
    pub separated: Vec<SeparatedPair>,
    /// Pairs without a difference that matters.
    pub same: Vec<[String; 2]>,
}

/// Two variants that are separated.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct SeparatedPair {
    /// The one that takes less.
    pub less: String,
    /// The one that takes more.
    pub more: String,
    /// How much more, the median over rounds, in the metric's unit.
    pub by: f64,
}
