//! The report.
//!
//! Its JSON form is a contract, `docs/report.schema.json`. Times are integer microseconds and say so in their names,
//! shares are 0..=1, factors are ≥ 0; every block of numbers has a `kind` that says where they come from.

mod facts;
mod timings;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use crate::measure::concurrency::Concurrency;
pub use crate::measure::kind::Kind;
pub use facts::{AgentFacts, ExchangeFacts, Facts, OutcomeFacts};
pub use timings::{
    AgentTimings, BoundVerdict, Decision, Derived, Difference, Disagreement, Distribution, FactorMedians, Measured,
    Medians, Pair, RunTimings, Spread, Timings, VariantTimings,
};

/// Everything one invocation found out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// The format of this document and its version.
    pub format: Format,
    /// What is the same in every run, on every host, for every variant.
    pub facts: Facts,
    /// What was measured, and what follows from it.
    pub timings: Timings,
    /// Where it was measured.
    pub environment: Environment,
}

/// The format of a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Format {
    /// The first version.
    #[default]
    #[serde(rename = "runtime-lab-report/1")]
    V1,
}

/// The clock, the programs and the host of a report.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Environment {
    /// The clock of the timings, such as `CLOCK_MONOTONIC` or `virtual, in memory`.
    pub clock: String,
    /// Version by name: the program, its runtimes and clients.
    pub versions: BTreeMap<String, String>,
    /// Where it was measured; absent in virtual time, where that makes no difference.
    pub host: Option<Host>,
}

/// The host of a measurement.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Host {
    /// Operating system and its release.
    pub os: String,
    /// Processor architecture.
    pub arch: String,
    /// Processors that the process may use.
    pub cores: usize,
    /// Average number of runnable tasks over the minute before the first run, where the system tells.
    pub load_before: Option<f64>,
    /// The same at the end of the last run.
    pub load_after: Option<f64>,
    /// How the program was built: `release` or `debug`.
    pub profile: String,
}
