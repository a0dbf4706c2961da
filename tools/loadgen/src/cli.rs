//! The verbs.

use clap::{Parser, Subcommand};

use crate::{load, on, raw};

/// Measures servers of streamed answers.
#[derive(Parser)]
#[command(name = "loadgen")]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Load(load::LoadArgs),
    Raw(raw::RawArgs),
    On(on::OnArgs),
}

/// Runs what the command line asks for; fails where a verb fails.
pub fn run() -> anyhow::Result<()> {
    match Cli::parse().verb {
        Verb::Load(args) => load::run(&args),
        Verb::Raw(args) => raw::run(&args),
        Verb::On(args) => on::run(&args),
    }
}
