//! `runtime-lab cost`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;
use mock_ollama::schedule::Pace;
use mock_ollama::seed::Seed;
use mock_ollama::terminal::complain;
use runtime_lab::cost::{CostOptions, CostPlan, OUTPUTS, measure, page};
use runtime_lab::report::outputs::{prepare_folder, write};
use runtime_lab::variant::Variant;

use super::chosen;
use super::exit::{CommandError, Completion};
use super::progress::Bar;
use super::stdout::say;

/// Measure what a token costs the client, from one agent to thousands.
///
/// CPU time, allocations, context switches, system calls, memory and lag of each variant, and their ratios to a floor that is
/// measured beside them: sockets and epoll, and nothing else. Server and agents are processes of their own on cores of their own.
#[derive(Args, Debug)]
pub(crate) struct CostArgs {
    /// The numbers of agents, comma-separated
    #[arg(long, value_name = "N", value_delimiter = ',', default_value = "1,2,8,64,512,4096")]
    agents: Vec<NonZeroUsize>,
    /// The variants, comma-separated [default: all that are compiled in]
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    variant: Vec<Variant>,
    /// As of `run` [default: gap=10ms, longer from 250 agents on, so that no core is busy all the time]
    #[arg(long, value_name = "P")]
    pace: Option<Pace>,
    /// The number of tokens of each answer
    #[arg(long, value_name = "N", default_value = "100")]
    tokens: NonZeroUsize,
    /// The number of rounds that count; five variants need nine to be told apart
    #[arg(long, value_name = "N", default_value = "9")]
    rounds: NonZeroUsize,
    /// The seed of every random choice
    #[arg(long, value_name = "N", default_value = "1")]
    seed: Seed,
    /// A folder for cost.md and cost.json
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Runs the verb.
pub(super) fn cost(args: &CostArgs) -> Result<Completion, CommandError> {
    let plan = CostPlan::new(&options(args))?;
    if let Some(folder) = &args.out {
        prepare_folder(folder)?;
    }
    complain(format_args!("{} measurements: about {} s", plan.measurements(), plan.estimate().as_secs().max(1)));
    let program = std::env::current_exe().map_err(CommandError::io("cannot find this program's own executable"))?;
    let report = measure(&program, &plan, &mut Bar::new())?;
    if let Some(folder) = &args.out {
        write(OUTPUTS, &report, folder)?;
    }
    say(&page(&report))?;
    Ok(Completion::Done)
}

fn options(args: &CostArgs) -> CostOptions {
    CostOptions {
        variants: chosen(&args.variant),
        agents: args.agents.iter().map(|agents| agents.get()).collect(),
        pace: args.pace,
        tokens: args.tokens.get(),
        rounds: args.rounds.get(),
        seed: args.seed,
    }
}
