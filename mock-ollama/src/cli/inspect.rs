//! `mock-ollama inspect`: a recording in a few lines.

use std::path::{Path, PathBuf};

use clap::Args;
use mock_ollama::files::list_folder;
use mock_ollama::recording::read_file;
use mock_ollama::summary::Summary;
use mock_ollama::terminal::{complain, say};

use super::error::VerbError;

/// Check recordings and show what they hold: exchanges, tokens, times, and how each ended.
#[derive(Args, Debug)]
pub(crate) struct InspectArgs {
    /// The recordings, or folders of them
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Only say which are malformed, and how many there are
    #[arg(long)]
    check: bool,
}

/// Runs the verb.
pub(crate) fn run(args: &InspectArgs) -> anyhow::Result<()> {
    let files = files(&args.paths)?;
    if args.check {
        return check(&files);
    }
    for file in files {
        let recording = read_file(file).map_err(VerbError::from)?;
        say(&Summary::of(&recording).to_string()).map_err(VerbError::Stdout)?;
    }
    Ok(())
}

/// Reads everything; each malformed file is one line, and then the count.
fn check(files: &[PathBuf]) -> anyhow::Result<()> {
    let mut bad = 0;
    for file in files {
        if let Err(error) = read_file(file) {
            complain(format_args!("{error:#}"));
            bad += 1;
        }
    }
    say(&format!("{} recordings checked, {bad} bad\n", files.len())).map_err(VerbError::Stdout)?;
    if bad > 0 { Err(VerbError::SomeBad { bad, count: files.len() }.into()) } else { Ok(()) }
}

fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, VerbError> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            files.extend(of_folder(path)?);
        } else {
            files.push(path.clone());
        }
    }
    Ok(files)
}

/// Returns the recordings of a folder, sorted by name.
fn of_folder(folder: &Path) -> Result<Vec<PathBuf>, VerbError> {
    let files =
        list_folder(folder, &["jsonl"]).map_err(|source| VerbError::Input { path: folder.to_owned(), source })?;
    if files.is_empty() { Err(VerbError::EmptyFolder(folder.to_owned())) } else { Ok(files) }
}
