//! All 125 published runs of TR115 under each variant, in virtual time: how long that takes, and that all agree.
//!
//! In memory every run is replayed, and over sockets every fifth, or with `--all-over-sockets` every one. Facts that differ
//! fail at once. A time has three verdicts: it is within its limit (pass), the process took more CPU time than that
//! (fail, exit code 1), or it waited for a processor (inconclusive, exit code 0).

use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use gates::cpu_time;
use mock_ollama::schedule::Pace;
use mock_ollama::seed::Seed;
use runtime_lab::papers::Published;
use runtime_lab::report::Run;
use runtime_lab::report::facts_builder::facts;
use runtime_lab::run::{ClockKind, Plan, RunOptions, WorkloadChoice, replay};
use runtime_lab::stats::Verdict;
use runtime_lab::variant::Variant;

/// In memory, a variant with all runs.
const MAX_TIME_IN_MEMORY: Duration = Duration::from_secs(3);
/// Over sockets, all variants together with all runs; a share of the runs has that share of the time.
const MAX_TIME_OVER_SOCKETS: Duration = Duration::from_secs(60);

/// Over sockets, one of this many runs is replayed.
const SOCKETS_STEP: u32 = 5;

/// Replays the published runs of TR115 under each variant, in virtual time
#[derive(Debug, Parser)]
struct Args {
    /// Over sockets, too, every run instead of every fifth
    #[arg(long)]
    all_over_sockets: bool,
}

fn main() -> ExitCode {
    let Args { all_over_sockets } = Args::parse();
    let step = if all_over_sockets { 1 } else { SOCKETS_STEP };
    let memory = replay_all(ClockKind::Virtual, &names(1), None);
    let sockets = replay_all(ClockKind::VirtualSockets, &names(step as usize), Some(&memory[0].facts));
    let mut kept = memory.iter().chain(&sockets).all(|replayed| replayed.same);
    for (replayed, variant) in memory.iter().zip(Variant::ALL) {
        kept &= judge(&format!("in memory, {variant}"), replayed.took, replayed.cpu, MAX_TIME_IN_MEMORY);
    }
    let (took, cpu) = (sockets.iter().map(|one| one.took).sum(), sockets.iter().map(|one| one.cpu).sum());
    kept &= judge("over sockets, all", took, cpu, MAX_TIME_OVER_SOCKETS / step);
    if kept { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Replays all runs under each variant. Their facts are compared with `reference`, or else with the first variant's;
/// where fewer are replayed than the reference has, these are one of each few.
fn replay_all(clock: ClockKind, names: &[String], reference: Option<&[String]>) -> Vec<Replayed> {
    let mut all: Vec<Replayed> = Vec::new();
    for variant in Variant::ALL {
        let mut replayed = replay_names(*variant, clock, names);
        let expected = reference.or(all.first().map(|first| first.facts.as_slice())).unwrap_or(&replayed.facts);
        let step = expected.len().div_ceil(names.len());
        replayed.same = expected.iter().step_by(step).eq(&replayed.facts);
        let facts = if replayed.same { "the same" } else { "DIFFER" };
        println!("{}, {variant}: {} replays, {} tokens, facts {facts}", clock.describe(), names.len(), replayed.tokens);
        all.push(replayed);
    }
    all
}

/// Prints the verdict on a time, and returns whether it is not a failure: a process that waits for a processor cannot be judged.
fn judge(what: &str, took: Duration, cpu: Duration, limit: Duration) -> bool {
    let verdict = match (took <= limit, cpu <= limit) {
        (true, _) => Verdict::Pass,
        (false, true) => Verdict::Inconclusive,
        (false, false) => Verdict::Fail,
    };
    let (took, cpu) = (took.as_secs_f64(), cpu.as_secs_f64());
    println!("{what}: {took:.2} s, {cpu:.2} s of CPU, limit {} s: {verdict}", limit.as_secs());
    verdict != Verdict::Fail
}

fn names(every: usize) -> Vec<String> {
    let published = Published::built_in().expect("the published tables are readable");
    let runs = published.runs.iter().step_by(every);
    runs.map(|run| format!("tr115:{}:{}:{}", run.scenario, run.runtime, run.run)).collect()
}

/// What replays gave.
struct Replayed {
    took: Duration,
    cpu: Duration,
    /// Of each run.
    facts: Vec<String>,
    tokens: usize,
    /// Whether the facts are those that they are compared with.
    same: bool,
}

/// Replays all of them, and takes the time that judging takes out of the times.
fn replay_names(variant: Variant, clock: ClockKind, names: &[String]) -> Replayed {
    let (mut all, mut tokens) = (Vec::new(), 0);
    let (mut took, mut cpu) = (Duration::ZERO, Duration::ZERO);
    for name in names {
        let (workload, pace) = (WorkloadChoice::Named(name.clone()), Some(Pace::recorded()));
        let (variants, seed) = (vec![variant], Seed(0));
        let plan = Plan::new(&RunOptions { variants, workload, agents: None, pace, runs: None, seed, clock });
        let plan = plan.expect("a published run");
        let (began, cpu_before) = (Instant::now(), cpu_time());
        let (transcript, journal) = replay(&plan, variant, plan.workload.limit).expect("a run in virtual time");
        took += began.elapsed();
        cpu += cpu_time().saturating_sub(cpu_before);
        let run = Run::alone(variant.name(), 0, &transcript, &journal);
        let (facts, differences) = facts(&plan.workload, "x1", None, &[run]);
        assert_eq!(differences, [], "{variant}, {name}");
        let exchanges = || facts.agents.iter().flat_map(|agent| &agent.exchanges);
        tokens += exchanges().map(|exchange| exchange.tokens).sum::<usize>();
        let wall = transcript.ended.saturating_since(transcript.started);
        all.push(format!("{wall:?} {}", serde_json::to_string(&facts).expect("facts as JSON")));
    }
    Replayed { took, cpu, facts: all, tokens, same: true }
}
