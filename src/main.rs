//! The command line of runtime-lab.

mod cli;

use std::process::ExitCode;

use mock_ollama::terminal::command_line;

fn main() -> ExitCode {
    command_line().map_or_else(|code| code, |cli| cli::main(&cli))
}
