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

#[cfg(target_os = "linux")]
mod allocations;
#[cfg(target_os = "linux")]
mod cost;
mod exit;
mod list;
mod papers;
mod predict;
mod progress;
mod run;
mod server;
mod stdout;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use mock_ollama::terminal::complain;
#[cfg(target_os = "linux")]
use runtime_lab::cost::{Subject, run_child};
use runtime_lab::report::Classified;
use runtime_lab::run::{run_agents, run_server};
use runtime_lab::variant::Variant;

use exit::{CommandError, Completion};

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
    #[cfg(target_os = "linux")]
    Cost(cost::CostArgs),
    Predict(predict::PredictArgs),
    Papers(papers::PapersArgs),
    /// A child of `run`: serve recordings until standard input ends
    #[command(name = "__serve", hide = true)]
    Serve {
        config: PathBuf,
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
    #[cfg(target_os = "linux")]
    #[command(name = "__cost", hide = true)]
    CostChild {
        subject: Subject,
        job: PathBuf,
        result: PathBuf,
    },
}

/// Does what the command line asks for.
pub(crate) fn main(cli: &Cli) -> ExitCode {
    let ended = match &cli.verb {
        None => run::run(&cli.run),
        Some(Verb::Run(args)) => run::run(args),
        Some(Verb::List) => list::list(),
        #[cfg(target_os = "linux")]
        Some(Verb::Cost(args)) => cost::cost(args),
        Some(Verb::Predict(args)) => predict::predict(args),
        Some(Verb::Papers(args)) => papers::papers(args),
        Some(Verb::Serve { config, journal }) => done(run_server(config, journal)),
        Some(Verb::Agents { variant, job, transcript }) => done(run_agents(*variant, job, transcript)),
        #[cfg(target_os = "linux")]
        Some(Verb::CostChild { subject, job, result }) => done(run_child(*subject, job, result, allocations::COUNTED)),
    };
    match ended {
        Ok(completion) => completion.into(),
        Err(failure) => {
            complain(format_args!("error: {:#}", failure.error));
            ExitCode::from(failure.code)
        }
    }
}

/// Returns the ending of a child process.
fn done<E: Classified>(result: Result<(), E>) -> Result<Completion, CommandError> {
    result.map(|()| Completion::Done).map_err(CommandError::from)
}

/// Returns the variants that were asked for, each once; all of them where none was.
fn chosen(variants: &[Variant]) -> Vec<Variant> {
    let mut chosen = if variants.is_empty() { Variant::ALL.to_vec() } else { variants.to_vec() };
    let mut known = BTreeSet::new();
    chosen.retain(|variant| known.insert(*variant));
    chosen
}
