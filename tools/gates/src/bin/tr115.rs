//! All 125 published runs of TR115 under each variant, in virtual time: how long that takes, and that all agree.
//!
//! In memory every run is replayed, and over sockets every fifth, or with `--all-over-sockets` every one. Facts that differ
//! fail at once. A time has three verdicts: it is within its limit (pass), the process took more CPU time than that
//! (fail, exit code 1), or it waited for a processor (inconclusive, exit code 0).

use std::fmt::Write as _;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use gates::cpu_time;
use lab_stats::Verdict;
use mock_ollama::MockOllama;
use mock_ollama::catalog::Catalog;
use mock_ollama::engine::Config;
use mock_ollama::schedule::Pace;
use runtime_lab::papers::Published;
use runtime_lab::report::facts_builder::{ObservedRun, facts};
use runtime_lab::runtimes::{Environment, of};
use runtime_lab::sim::{Sim, SimSettings};
use runtime_lab::variant::Variant;
use runtime_lab::workload::{Job, Workload};

/// In memory, a variant with all runs.
const MAX_TIME_IN_MEMORY: Duration = Duration::from_secs(3);
/// Over sockets, a variant with all runs.
const MAX_TIME_OVER_SOCKETS: Duration = Duration::from_secs(12);

/// Over sockets, one of this many runs is replayed.
const SOCKETS_STEP: usize = 5;

#[derive(Clone, Copy)]
enum Transport {
    Memory,
    Sockets,
}

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
    let mut kept = true;
    for (transport, name, step, limit) in [
        (Transport::Memory, "in memory", 1, MAX_TIME_IN_MEMORY),
        (Transport::Sockets, "over sockets", step, MAX_TIME_OVER_SOCKETS),
    ] {
        let workloads = workloads(step);
        let mut reference = None;
        for variant in Variant::ALL {
            let replayed = replay(*variant, transport, &workloads);
            let same = *reference.get_or_insert_with(|| replayed.facts.clone()) == replayed.facts;
            let verdict = replayed.verdict(limit);
            kept &= same && verdict != Verdict::Fail;
            println!(
                "{name}, {variant}: {} replays, {} tokens in {:.2} s, {:.2} s of CPU, limit {} s: {verdict}, facts {}",
                workloads.len(),
                replayed.tokens,
                replayed.took.as_secs_f64(),
                replayed.cpu.as_secs_f64(),
                limit.as_secs(),
                if same { "the same" } else { "DIFFER" },
            );
        }
    }
    if kept { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn workloads(every: usize) -> Vec<Workload> {
    let published = Published::built_in().expect("the published tables are readable");
    let names = published.runs.iter().map(|run| format!("{}:{}:{}", run.scenario, run.runtime, run.run));
    names.step_by(every).map(|name| published.workload(&name).expect("a published run")).collect()
}

/// What replays gave.
struct Replayed {
    took: Duration,
    cpu: Duration,
    facts: String,
    tokens: usize,
}

impl Replayed {
    /// The verdict on the time: a process that waits for a processor cannot be judged.
    fn verdict(&self, limit: Duration) -> Verdict {
        match (self.took <= limit, self.cpu <= limit) {
            (true, _) => Verdict::Pass,
            (false, true) => Verdict::Inconclusive,
            (false, false) => Verdict::Fail,
        }
    }
}

/// Replays all of them, and takes the time that judging takes out of the times.
fn replay(variant: Variant, transport: Transport, workloads: &[Workload]) -> Replayed {
    let (mut all, mut tokens) = (String::new(), 0);
    let (mut took, mut cpu) = (Duration::ZERO, Duration::ZERO);
    for workload in workloads {
        let (began, cpu_before) = (Instant::now(), cpu_time());
        let job = |url| Job { url, agents: workload.agents.clone(), limit: workload.limit };
        let (transcript, journal) = match transport {
            Transport::Memory => {
                let catalog = Catalog::new(workload.recordings.iter().cloned()).into();
                let sim = Sim::in_memory(Config { catalog, ..Config::default() }, SimSettings::default());
                let environment = Environment::Memory(sim.clone());
                let transcript = of(variant).run(&job("http://127.0.0.1:11434".to_owned()), &environment);
                (transcript.expect("a run in memory"), sim.journal())
            }
            Transport::Sockets => {
                let sim = Sim::over_sockets(SimSettings::default());
                let server = MockOllama::builder()
                    .recordings(workload.recordings.iter().cloned())
                    .pace(Pace::recorded())
                    .time_source(sim.time_source())
                    .observer(sim.observer())
                    .start()
                    .expect("a server");
                let transcript = of(variant).run(&job(server.url()), &Environment::Sockets(sim));
                (transcript.expect("a run over sockets"), server.finish().expect("a journal"))
            }
        };
        took += began.elapsed();
        cpu += cpu_time().saturating_sub(cpu_before);
        let seen = ObservedRun { variant: variant.name(), block: 0, transcript: &transcript, journal: &journal };
        let (facts, differences) = facts(workload, "x1", None, &[seen]);
        assert_eq!(differences, [], "{variant}, {}", workload.name);
        let exchanges = || facts.agents.iter().flat_map(|agent| &agent.exchanges);
        tokens += exchanges().map(|exchange| exchange.tokens).sum::<usize>();
        let wall = transcript.ended.saturating_since(transcript.started);
        // Writing to a string cannot fail.
        let _ = writeln!(all, "{wall:?} {}", serde_json::to_string(&facts).expect("facts as JSON"));
    }
    Replayed { took, cpu, facts: all, tokens }
}
