//! The verbs of the command line, their flags and their exit codes.
//!
//! | file | what |
//! | --- | --- |
//! | `run` | `runtime-lab run`, and what happens without a verb |
//! | `server` | where the server of a run is |
//! | `list` | `runtime-lab list` |
//! | `cost` | `runtime-lab cost` |
//! | `allocations` | what this program has allocated |
//! | `predict` | `runtime-lab predict` |
//! | `papers` | `runtime-lab papers` |
//! | `progress` | the bar on standard error |
//! | `stdout` | standard output, and what it means when it cannot be written |
//! | `exit` | what a verb can end with, and the exit code of each |

mod allocations;
mod cost;
mod exit;
mod list;
mod papers;
mod predict;
mod progress;
mod run;
mod server;
mod stdout;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use mock_ollama::terminal::complain;
use runtime_lab::cost::{Who, run_part};
use runtime_lab::run::{run_agents, run_server};
use runtime_lab::variant::Variant;

use exit::{Ending, Failure};

/// Run multi-agent LLM-streaming workloads on async runtime variants against a replayed Ollama server.
///
/// Without a verb: `run`, with its defaults.
#[derive(Parser, Debug)]
#[command(version, args_conflicts_with_subcommands = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    verb: Option<Verb>,
    #[command(flatten)]
    run: run::RunArgs,
}

#[derive(Subcommand, Debug)]
enum Verb {
    Run(run::RunArgs),
    /// List the variants, workloads and recordings of this program
    List,
    Cost(cost::CostArgs),
    Predict(predict::PredictArgs),
    Papers(papers::PapersArgs),
    /// A child of `run`: serve recordings until standard input ends
    #[command(name = "__serve", hide = true)]
    Serve {
        orders: PathBuf,
        journal: PathBuf,
    },
    /// A child of `run`: run a job's agents on a variant
    #[command(name = "__agents", hide = true)]
    Agents {
        variant: Variant,
        job: PathBuf,
        transcript: PathBuf,
    },
    /// A child of `cost`: run a job's agents on a variant, or the floor, and say what that took
    #[command(name = "__cost", hide = true)]
    CostPart {
        who: Who,
        orders: PathBuf,
        left: PathBuf,
    },
}

/// Does what the command line asks for.
pub(crate) fn main(cli: &Cli) -> ExitCode {
    let done = match &cli.verb {
        None => run::run(&cli.run),
        Some(Verb::Run(args)) => run::run(args),
        Some(Verb::List) => list::list(),
        Some(Verb::Cost(args)) => cost::cost(args),
        Some(Verb::Predict(args)) => predict::predict(args),
        Some(Verb::Papers(args)) => papers::papers(args),
        Some(Verb::Serve { orders, journal }) => {
            run_server(orders, journal).map(|()| Ending::Done).map_err(Failure::from)
        }
        Some(Verb::Agents { variant, job, transcript }) => {
            run_agents(*variant, job, transcript).map(|()| Ending::Done).map_err(Failure::from)
        }
        Some(Verb::CostPart { who, orders, left }) => {
            run_part(*who, orders, left, allocations::COUNTED).map(|()| Ending::Done).map_err(Failure::from)
        }
    };
    match done {
        Ok(ending) => ending.into(),
        Err(failure) => {
            complain(format_args!("error: {:#}", anyhow::Error::new(failure.error)));
            ExitCode::from(failure.code)
        }
    }
}
