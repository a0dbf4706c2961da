//! `runtime-lab run`, and what happens without a verb.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use clap::Args;
use mock_ollama::files::read_text;
use mock_ollama::schedule::Pace;
use mock_ollama::seed::Seed;
use runtime_lab::measure::bounds::{self, Bound};
use runtime_lab::report::outputs::{prepare_folder, spare_inputs, write};
use runtime_lab::report::{OUTPUTS, Report, plural, terminal};
use runtime_lab::run::{ClockKind, Plan, RunError, RunOptions, WorkloadChoice, conduct};
use runtime_lab::stats::Verdict;
use runtime_lab::variant::Variant;

use super::chosen;
use super::exit::{CommandError, Completion};
use super::progress::Bar;
use super::server::{self, ServerPlace};
use super::stdout::say;

/// The largest file of bounds, in bytes.
const MAX_BOUNDS_BYTES: u64 = 1 << 20;

/// Measure variants on a workload and write a report.
///
/// Each block runs every variant once, in an order that the seed gives, and once more with the agents one after the
/// other. Server and agents are processes of their own.
#[derive(Args, Debug)]
pub(crate) struct RunArgs {
    /// The variants, comma-separated [default: all that are compiled in]
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    variant: Vec<Variant>,
    /// A workload's name, tr115:SCENARIO[:RUNTIME[:RUN]], or a TOML file; `list` shows the names
    #[arg(long, value_name = "W", default_value = "duet")]
    workload: String,
    /// The number of agents, for workloads that leave it open
    #[arg(long, value_name = "N")]
    agents: Option<NonZeroUsize>,
    /// recorded, x20, rate=40 or gap=20ms, with ttft=300ms and jitter=10% by commas [default: the workload's]
    #[arg(long, value_name = "P")]
    pace: Option<Pace>,
    /// The number of blocks [default: up to nine, as many as fit into a minute]
    #[arg(long, value_name = "N")]
    runs: Option<NonZeroUsize>,
    /// A TOML file of limits to hold the runs to; `built-in` for those of this program
    #[arg(long, value_name = "FILE")]
    bounds: Option<PathBuf>,
    /// wall measures; virtual (in memory), virtual-sockets and model replay as fast as they can, the same bytes every time
    #[arg(long, value_name = "C", default_value = "wall")]
    clock: ClockKind,
    /// Where the server must be, or the run is refused [default: where the clock has it]
    #[arg(long, value_name = "WHERE")]
    server: Option<ServerPlace>,
    /// The folder of the report
    #[arg(long, value_name = "DIR", default_value = "target/runtime-lab")]
    out: PathBuf,
    /// The seed of every random choice
    #[arg(long, value_name = "N", default_value = "1")]
    seed: Seed,
}

/// Runs the verb.
pub(super) fn run(args: &RunArgs) -> Result<Completion, CommandError> {
    server::check(args.server, args.clock)?;
    let options = options(args);
    let workload = match &options.workload {
        WorkloadChoice::File(path) => Some(path.clone()),
        WorkloadChoice::Named(_) => None,
    };
    spare_inputs(OUTPUTS, &args.out, workload.into_iter().chain(args.bounds.clone()))?;
    let bounds = args.bounds.as_deref().map(read_bounds).transpose()?.unwrap_or_default();
    let plan = Plan::new(&options)?;
    prepare_folder(&args.out)?;
    say(&announcement(&plan))?;
    let program = std::env::current_exe().map_err(CommandError::io("cannot find this program's own executable"))?;
    let report = conduct(&program, &plan, &bounds, &mut Bar::new())?;
    write(OUTPUTS, &report, &args.out)?;
    say(&terminal::render(&report))?;
    let written: Vec<&str> = OUTPUTS.iter().map(|output| output.file_name).collect();
    say(&format!("\nwrote {} to {}\n", written.join(", "), args.out.display()))?;
    Ok(completion(&report))
}

fn options(args: &RunArgs) -> RunOptions {
    RunOptions {
        variants: chosen(&args.variant),
        workload: WorkloadChoice::parse(&args.workload),
        agents: args.agents,
        pace: args.pace,
        runs: args.runs,
        seed: args.seed,
        clock: args.clock,
    }
}

fn read_bounds(path: &Path) -> Result<Vec<Bound>, CommandError> {
    if path == Path::new("built-in") {
        return Ok(bounds::built_in()?);
    }
    let text = read_text(path, MAX_BOUNDS_BYTES).map_err(RunError::file("read", path))?;
    Ok(bounds::parse(&text, path)?)
}

/// What is going to happen, with everything that was chosen.
fn announcement(plan: &Plan) -> String {
    let variants: Vec<&str> = plan.variants.iter().map(|variant| variant.name()).collect();
    let estimate = match plan.clock {
        ClockKind::Wall => format!(": about {} s", plan.estimate().as_secs().max(1)),
        clock => format!(", in {}", clock.describe()),
    };
    let who = if plan.clock == ClockKind::Model { "the model".to_owned() } else { variants.join(", ") };
    format!(
        "workload {} ({}) at pace {}, seed {}\n{} of {who}{estimate}\n\n",
        plan.workload.name,
        plural(plan.workload.agents.len(), "agent"),
        plan.pace,
        plan.seed,
        plural(plan.blocks, "block"),
    )
}

fn completion(report: &Report) -> Completion {
    let verdicts = || report.timings.bounds.iter().map(|bound| bound.verdict);
    if !report.timings.disagreements.is_empty() || verdicts().any(|verdict| verdict == Verdict::Fail) {
        Completion::Broken
    } else if verdicts().any(|verdict| verdict == Verdict::Inconclusive) {
        Completion::Inconclusive
    } else {
        Completion::Done
    }
}
