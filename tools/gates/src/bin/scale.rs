//! How far virtual time scales: a million agents in the model, and a hundred thousand in memory on one thread.
//!
//! Each measurement runs in its own process, so that peaks of memory do not mix. It prints one line and fails when a
//! limit is missed. Times are those of the process on a processor, and they are judged beside a plain event queue that
//! runs in the same process: a slow host slows both. With `--quick` the same with fewer agents, which is held to no
//! speed.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::error::Error;
use std::fmt;
use std::hint::black_box;
use std::process::{Command, ExitCode};
use std::time::Duration;

use clap::{Parser, ValueEnum};
use gates::cpu_time;
use mock_ollama::Per;
use mock_ollama::catalog::{Catalog, builtin};
use mock_ollama::engine::Config;
use mock_ollama::recording::{Recording, RequestBody};
use mock_ollama::schedule::Pace;
use mock_ollama::seed::Seed;
use runtime_lab::runtimes::{Environment, of};
use runtime_lab::sim::{Sim, SimSettings, model};
use runtime_lab::variant::Variant;
use runtime_lab::workload::{AgentBehavior, AgentPlan, Job, RequestPlan, Workload};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Agents in the model, and the chunks of their answers.
const MODEL_AGENTS: usize = 1_000_000;
const MODEL_AGENTS_QUICK: usize = 10_000;
const MODEL_CHUNKS: usize = 10;

/// Agents in memory, and the chunks of their answers: ten tokens and the final object.
const MEMORY_AGENTS: usize = 100_000;
const MEMORY_AGENTS_QUICK: usize = 1_000;
const MEMORY_CHUNKS: usize = 11;

/// The most CPU time that the model may take, over that of the plain queue.
const MODEL_MAX_RATIO: f64 = 15.0;
/// The peak of memory that the model may not reach.
const MODEL_MAX_BYTES: u64 = 3_200_000_000;

/// The most CPU time that the run in memory may take, over that of the plain queue.
const MEMORY_MAX_RATIO: f64 = 30.0;
/// The peak of memory that the run in memory may not reach.
const MEMORY_MAX_BYTES: u64 = 3_500_000_000;

/// Entries of the plain queue, and how many events it handles. They take about a second.
const QUEUE_ENTRIES: u32 = 100_000;
const QUEUE_EVENTS: u32 = 5_000_000;
/// How often the plain queue runs, half before and half after what is judged. The median counts.
const QUEUE_RUNS: usize = 5;

/// From the first request of one agent to that of the next.
const APART: Duration = Duration::from_micros(1);

/// Measures how far virtual time scales
#[derive(Debug, Parser)]
struct Args {
    /// One measurement, in this process; without it each in its own process
    only: Option<Scale>,
    /// Fewer agents, held to no speed
    #[arg(long)]
    quick: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Scale {
    Model,
    Memory,
}

fn main() -> Result<ExitCode> {
    let Args { only, quick } = Args::parse();
    let kept = match only {
        Some(Scale::Model) => model(quick)?,
        Some(Scale::Memory) => memory(quick)?,
        None => {
            let results = ["model", "memory"].map(|name| measure(name, quick));
            results.into_iter().collect::<Result<Vec<bool>>>()?.into_iter().all(|kept| kept)
        }
    };
    Ok(if kept { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs one measurement in its own process. Returns whether it kept its limits.
fn measure(name: &str, quick: bool) -> Result<bool> {
    let size = quick.then_some("--quick");
    Ok(Command::new(std::env::current_exe()?).arg(name).args(size).status()?.success())
}

fn model(quick: bool) -> Result<bool> {
    let agents = if quick { MODEL_AGENTS_QUICK } else { MODEL_AGENTS };
    let workload = workload(agents, MODEL_CHUNKS)?;
    let (first, speed) = Speed::of(|| model::run(&workload, Pace::recorded(), Seed(0)));
    let first = first?;
    let again = model::run(&workload, Pace::recorded(), Seed(0))?;
    let peak = peak_bytes()?;
    println!(
        "model: {agents} agents, {} events in {speed}, peak {} MB, digest {} {}",
        first.events,
        peak / 1_000_000,
        &first.digest[..16],
        if first == again { "twice" } else { "only once" },
    );
    Ok(first == again && (quick || speed.ratio() <= MODEL_MAX_RATIO && peak < MODEL_MAX_BYTES))
}

fn memory(quick: bool) -> Result<bool> {
    let count = if quick { MEMORY_AGENTS_QUICK } else { MEMORY_AGENTS };
    let Workload { agents, recordings, .. } = workload(count, MEMORY_CHUNKS)?;
    let config = Config { catalog: Catalog::new(recordings).into(), per: Per::Caller, ..Config::default() };
    let sim = Sim::in_memory(config, SimSettings::default());
    let job = Job { url: "http://127.0.0.1:11434".to_owned(), agents, limit: None };
    let (transcript, speed) = Speed::of(|| of(Variant::TokioLocalset).run(&job, &Environment::Memory(sim)));
    let transcript = transcript?;
    let done = transcript.agents.iter().flat_map(|agent| &agent.exchanges);
    let done = done.filter(|exchange| exchange.outcome.kind() == "done").count();
    let peak = peak_bytes()?;
    println!(
        "memory: {done} of {count} agents done on {} in {speed}, peak {} MB",
        Variant::TokioLocalset.name(),
        peak / 1_000_000,
    );
    Ok(done == count && (quick || speed.ratio() <= MEMORY_MAX_RATIO && peak < MEMORY_MAX_BYTES))
}

/// The CPU time of some work, and that of the plain queue in the same process.
struct Speed {
    took: Duration,
    plain: Duration,
}

impl Speed {
    fn of<T>(work: impl FnOnce() -> T) -> (T, Self) {
        let mut plain: Vec<Duration> = (0..QUEUE_RUNS / 2).map(|_| timed(plain_queue).1).collect();
        let (output, took) = timed(work);
        plain.extend((QUEUE_RUNS / 2..QUEUE_RUNS).map(|_| timed(plain_queue).1));
        plain.sort_unstable();
        (output, Self { took, plain: plain[QUEUE_RUNS / 2] })
    }

    fn ratio(&self) -> f64 {
        self.took.div_duration_f64(self.plain)
    }
}

impl fmt::Display for Speed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (took, plain) = (self.took.as_secs_f64(), self.plain.as_secs_f64());
        write!(f, "{took:.2} s of CPU, {:.1} times the plain queue's {plain:.2} s", self.ratio())
    }
}

/// What `work` returns, and the CPU time that it took.
fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let before = cpu_time();
    let output = work();
    (output, cpu_time().saturating_sub(before))
}

/// The plainest event loop: the earliest entry is taken out and put back later. Like a simulation, it waits for memory.
fn plain_queue() {
    let mut queue: BinaryHeap<_> = (0..QUEUE_ENTRIES).map(|entry| Reverse((u64::from(entry), entry))).collect();
    for _ in 0..QUEUE_EVENTS {
        let Some(Reverse((at, entry))) = queue.pop() else { return };
        // Delays differ, since with equal ones the order would never change.
        let delay = u64::from(QUEUE_ENTRIES) + u64::from(entry) * 7919 % 65_537;
        queue.push(Reverse((at + delay, entry)));
    }
    black_box(queue);
}

/// Agents, each of which sends one request and gets an answer of `chunks` chunks.
fn workload(agents: usize, chunks: usize) -> Result<Workload> {
    let recording = short(chunks)?;
    let asked = recording.exchanges[0].request.as_ref().ok_or("its request was not recorded")?;
    let Some(RequestBody::Json(body)) = &asked.body else { return Err("its request is not JSON".into()) };
    let request = RequestPlan {
        recording: recording.name.clone(),
        exchange: 0,
        path: asked.path.clone(),
        body: body.to_string(),
    };
    let agent = |number: usize| -> Result<AgentPlan> {
        let behavior = AgentBehavior { think: APART * u32::try_from(number)?, ..AgentBehavior::default() };
        Ok(AgentPlan { behavior, ..AgentPlan::new(format!("a{number:07}"), vec![request.clone()]) })
    };
    Ok(Workload {
        name: "scale".to_owned(),
        description: String::new(),
        agents: (0..agents).map(agent).collect::<Result<_>>()?,
        limit: None,
        backend: mock_ollama::backend::Settings::default(),
        pace: Pace::recorded().to_string(),
        recordings: vec![recording],
    })
}

/// A recorded answer, cut to its first chunks and the final one.
fn short(chunks: usize) -> Result<Recording> {
    let mut recording = builtin::recording("small-greedy").ok_or("it is not in the catalog")??;
    let all = &mut recording.exchanges[0].chunks;
    let last = all.pop().ok_or("it is empty")?;
    all.truncate(chunks - 1);
    all.push(last);
    Ok(recording)
}

/// The most memory that this process had at once.
fn peak_bytes() -> Result<u64> {
    Ok(runtime_lab::stats::proc::status_kib("self", "VmHWM")? * 1024)
}
