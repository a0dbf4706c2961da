//! `mock-ollama inspect`: a recording in a few lines.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;
use mock_ollama::recording::{Summary, read_file};

use super::error::VerbError;

/// Check recordings and show what they hold: exchanges, tokens, times, and how each ended.
#[derive(Args, Debug)]
pub(crate) struct InspectArgs {
    /// The recordings
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// Runs the verb.
pub(crate) fn run(args: InspectArgs) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    for file in args.files {
        let recording = read_file(file).map_err(VerbError::from)?;
        match write!(out, "{}", Summary::of(&recording)) {
            // A reader that has gone away has read enough.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
            done => done.map_err(VerbError::Stdout)?,
        }
    }
    Ok(())
}
