//! Everything a report is made of.

use std::time::Duration;

use mock_ollama::journal::Journal;

use super::model::{Environment, Kind};
use crate::measure::bounds::Bound;
use crate::measure::decision::DecisionRule;
use crate::transcript::Transcript;
use crate::workload::Workload;

/// One run of one variant.
#[derive(Clone, Copy, Debug)]
pub struct Run<'a> {
    /// The variant's name.
    pub variant: &'a str,
    /// The block it was measured in: each block has one run of every variant.
    pub block: usize,
    /// What the agents saw.
    pub transcript: &'a Transcript,
    /// What the server did.
    pub journal: &'a Journal,
    /// The wall time of a measured run of this variant in which the agents went one after the other.
    pub serial_wall: Option<Duration>,
    /// The wall time of this variant's code in virtual time, where it was run there.
    pub code_wall: Option<Duration>,
}

impl<'a> Run<'a> {
    /// A run beside which no other was made.
    pub fn alone(variant: &'a str, block: usize, transcript: &'a Transcript, journal: &'a Journal) -> Self {
        Self { variant, block, transcript, journal, serial_wall: None, code_wall: None }
    }
}

/// Everything a report is made of.
#[derive(Clone, Debug)]
pub struct Inputs<'a> {
    /// What was run.
    pub workload: &'a Workload,
    /// The pace of the replay, in the words of `--pace`.
    pub pace: &'a str,
    /// The seed, where something was drawn at random.
    pub seed: Option<u64>,
    /// How long each agent takes alone on an idle backend, in the order of the workload.
    pub alone: &'a [Duration],
    /// How long the scripts take on the backend, all agents beginning at once and without a limiter.
    pub scripts_wall: Duration,
    /// [`Kind::Measured`] in real time, [`Kind::Virtual`] under the simulator's clock.
    pub clock: Kind,
    /// The runs, in the order in which they are to be shown.
    pub runs: &'a [Run<'a>],
    /// When a difference counts.
    pub rule: DecisionRule,
    /// The limits that were asked for.
    pub bounds: &'a [Bound],
    /// Where it was measured.
    pub environment: Environment,
}
