//! The command line of runtime-lab.

mod cli;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    cli::main(&cli::Cli::parse())
}
