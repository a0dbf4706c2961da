//! The command line of mock-ollama.

mod cli;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use mock_ollama::terminal::{command_line, complain};

use cli::error::VerbError;

/// An Ollama server for tests: replays recorded token streams.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Serve(cli::serve::ServeArgs),
    Record(cli::record::RecordArgs),
    Import(Box<cli::import::ImportArgs>),
    Inspect(cli::inspect::InspectArgs),
    Synth(cli::synth::SynthArgs),
}

fn main() -> ExitCode {
    let cli: Cli = match command_line() {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    let done = match cli.verb {
        Verb::Serve(args) => cli::serve::run(&args),
        Verb::Record(args) => cli::record::run(args),
        Verb::Import(args) => cli::import::run(*args),
        Verb::Inspect(args) => cli::inspect::run(&args),
        Verb::Synth(args) => cli::synth::run(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(format_args!("error: {error:#}"));
            ExitCode::from(error.downcast_ref::<VerbError>().map_or(1, VerbError::exit_code))
        }
    }
}
