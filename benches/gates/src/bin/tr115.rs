//! All 125 published runs of TR115 under each variant, in virtual time: how long that takes, and that all agree.
//!
//! It holds the figures to their limits (exit code 1 where one is missed); with `--quick` every fifth run is replayed and nothing is held to anything. A machine that is busy with something else gets three
//! tries to be in time; nobody gets a second one to be right.

use std::fmt::Write as _;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
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

/// In memory: one variant, and all of them one after the other.
const ONE_VARIANT: Duration = Duration::from_secs(3);
const ALL_VARIANTS: Duration = Duration::from_secs(15);
/// How often one variant may try to be in time.
const TRIES: usize = 3;
/// Over sockets: all of them.
const OVER_SOCKETS: Duration = Duration::from_secs(60);

#[derive(Clone, Copy)]
enum Transport {
    Memory,
    Sockets,
}

/// Replays the published runs of TR115 under each variant, in virtual time
#[derive(Debug, Parser)]
struct Args {
    /// Every fifth run, held to nothing
    #[arg(long)]
    quick: bool,
}

fn main() -> ExitCode {
    let Args { quick } = Args::parse();
    let workloads = workloads(if quick { 5 } else { 1 });
    let mut kept = true;
    let mut reference = None;
    for (transport, name, limit) in
        [(Transport::Memory, "in memory", ALL_VARIANTS), (Transport::Sockets, "over sockets", OVER_SOCKETS)]
    {
        let mut total = Duration::ZERO;
        for variant in Variant::ALL {
            let free = quick || matches!(transport, Transport::Sockets);
            let (mut took, mut found, mut tokens) = replay(*variant, transport, &workloads);
            for _ in 1..TRIES {
                if free || took < ONE_VARIANT {
                    break;
                }
                (took, found, tokens) = replay(*variant, transport, &workloads);
            }
            total += took;
            let same = *reference.get_or_insert_with(|| found.clone()) == found;
            kept &= same && (free || took < ONE_VARIANT);
            println!(
                "{name}, {variant}: {} replays, {tokens} tokens in {:.2} s, facts {}",
                workloads.len(),
                took.as_secs_f64(),
                if same { "the same" } else { "DIFFER" },
            );
        }
        let in_time = quick || total < limit;
        kept &= in_time;
        let word = if in_time { "within" } else { "MISSES" };
        println!("{name}, all: {:.2} s, {word} {} s", total.as_secs_f64(), limit.as_secs());
    }
    if kept { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn workloads(every: usize) -> Vec<Workload> {
    let published = Published::built_in().expect("the published tables are readable");
    let names = published.runs.iter().map(|run| format!("{}:{}:{}", run.scenario, run.runtime, run.run));
    names.step_by(every).map(|name| published.workload(&name).expect("a published run")).collect()
}

/// Replays all of them; hands back how long that took, the facts of all of them, and the tokens.
fn replay(variant: Variant, transport: Transport, workloads: &[Workload]) -> (Duration, String, usize) {
    let (mut all, mut tokens) = (String::new(), 0);
    let began = Instant::now();
    let mut judging = Duration::ZERO;
    for workload in workloads {
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
        let judged = Instant::now();
        let seen = ObservedRun { variant: variant.name(), block: 0, transcript: &transcript, journal: &journal };
        let (facts, differences) = facts(workload, "x1", None, &[seen]);
        assert_eq!(differences, [], "{variant}, {}", workload.name);
        let exchanges = || facts.agents.iter().flat_map(|agent| &agent.exchanges);
        tokens += exchanges().map(|exchange| exchange.tokens).sum::<usize>();
        let wall = transcript.ended.saturating_since(transcript.started);
        // Writing to a string cannot fail.
        let _ = writeln!(all, "{wall:?} {}", serde_json::to_string(&facts).expect("facts as JSON"));
        judging += judged.elapsed();
    }
    (began.elapsed().saturating_sub(judging), all, tokens)
}
