//! What the child does that is measured.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use mock_ollama::driver::Monotonic;
use serde::{Deserialize, Serialize};

use crate::run::{RunError, keep_to, read_json, write_json};
use crate::runtimes::{self, Environment};
use crate::transcript::{ExchangeOutcome, Transcript};
use crate::variant::Variant;
use crate::workload::Job;

use super::calls::{Counted, SystemCalls};
use super::meter::{self, Spent};
use super::{Allocated, CostError, Subject, floor};

/// What the child is to do.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct CostJob {
    pub(super) job: Job,
    /// A short job of one agent, which goes before the one that is measured.
    pub(super) warm_up: Job,
    /// The cores that it keeps to; none where it is not to be kept.
    pub(super) cores: Vec<usize>,
    /// Where the tracepoint may be by which it counts system calls; none where it is not to count them.
    pub(super) tracepoints: Vec<PathBuf>,
    /// The chunks of each answer.
    pub(super) chunks: usize,
}

/// What the child leaves behind.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct CostResult {
    /// Whether it kept to its cores.
    pub(super) kept: bool,
    pub(super) spent: Spent,
    /// System calls, or why they are not known; absent where they were not to be counted.
    pub(super) system_calls: Option<Counted>,
    /// Tokens that were seen; absent of the floor, which looks for none.
    pub(super) tokens: Option<u64>,
    /// What happened to the first exchange that failed.
    pub(super) failure: Option<String>,
    /// What was seen, without the bodies and their lines.
    pub(super) transcript: Transcript,
}

/// Runs the job as `subject`, and writes to `result` what it used and saw.
///
/// `allocated` says how much this program has allocated until now, where it counts that.
pub fn run_child(
    subject: Subject,
    job: &Path,
    result: &Path,
    allocated: Option<fn() -> Allocated>,
) -> Result<(), CostError> {
    let CostJob { job, warm_up, cores, tracepoints, chunks } = read_json(job)?;
    // Threads that are started later keep to the same cores.
    let kept = keep_to(&cores);
    // Before any thread is started: those that are started later are counted.
    let mut calls = SystemCalls::counting(&tracepoints);
    let play = |job: &Job| match subject {
        Subject::Floor => floor::run(job, chunks, &Monotonic).map_err(CostError::Floor),
        Subject::Variant(variant) => agents(variant, job),
    };
    if let Some(why) = failure(&play(&warm_up)?) {
        return Err(CostError::Incomplete { subject: subject.name(), agents: 1, why });
    }
    meter::forget_peak();
    let idle = meter::resident_kib()?;
    let before = meter::now(allocated)?;
    let calls_before = calls.now();
    let mut transcript = play(&job)?;
    let system_calls = calls.since(calls_before);
    let after = meter::now(allocated)?;
    let spent = after.since(before, meter::peak_kib()?.saturating_sub(idle));
    let tokens = (subject != Subject::Floor).then(|| tokens(&transcript));
    let failure = failure(&transcript);
    strip(&mut transcript);
    Ok(write_json(result, &CostResult { kept, spent, system_calls, tokens, failure, transcript })?)
}

fn agents(variant: Variant, job: &Job) -> Result<Transcript, CostError> {
    let environment = Environment::Wall(Arc::new(Monotonic));
    Ok(runtimes::of(variant).run(job, &environment).map_err(RunError::from)?)
}

fn tokens(transcript: &Transcript) -> u64 {
    let exchanges = transcript.agents.iter().flat_map(|agent| &agent.exchanges);
    exchanges.flat_map(|exchange| &exchange.lines).filter(|line| line.token).count() as u64
}

fn failure(transcript: &Transcript) -> Option<String> {
    let mut exchanges = transcript.agents.iter().flat_map(|agent| &agent.exchanges);
    exchanges.find_map(|exchange| match &exchange.outcome {
        ExchangeOutcome::Done { .. } => None,
        ExchangeOutcome::Failed { message, .. } => Some(message.clone()),
    })
}

/// Takes out what the parent has no use for: tens of megabytes, with thousands of agents.
fn strip(transcript: &mut Transcript) {
    for exchange in transcript.agents.iter_mut().flat_map(|agent| &mut agent.exchanges) {
        exchange.body = Vec::new();
        exchange.lines = Vec::new();
    }
}
