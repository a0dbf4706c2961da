//! What the child processes of `run` do.

use std::io::{Read as _, Write as _};
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use mock_ollama::driver::Monotonic;
use mock_ollama::schedule::PaceError;
use mock_ollama::{MockOllama, Per};

use super::RunError;
use super::cores::keep_to;
use super::workdir::{ServerConfigFile, read_json, write_json};
use crate::runtimes::{self, Environment};
use crate::variant::Variant;
use crate::workload::Job;

/// Serves the recordings that `config` names until standard input ends, then writes the journal.
///
/// Prints the server's address as its only line.
pub fn run_server(config: &Path, journal: &Path) -> Result<(), RunError> {
    let config_file: ServerConfigFile = read_json(config)?;
    // Threads that are started later keep to the same cores.
    keep_to(&config_file.cores);
    let wrong = |source: PaceError| RunError::Pace { workload: config.display().to_string(), source };
    let mut builder = MockOllama::builder()
        .count_per(Per::Caller)
        .pace(config_file.pace.parse().map_err(wrong)?)
        .seed(config_file.seed)
        .backend(config_file.backend.clone())
        .journal_bytes(NonZeroUsize::MAX);
    for recording in &config_file.recordings {
        builder = builder.recording(recording);
    }
    let server = builder.start()?;
    let mut stdout = std::io::stdout().lock();
    let printed = writeln!(stdout, "{}", server.url()).and_then(|()| stdout.flush());
    printed.map_err(RunError::file("write to", "standard output"))?;
    let mut rest = Vec::new();
    // A parent that is gone is a reason to end as well.
    let _ = std::io::stdin().lock().read_to_end(&mut rest);
    write_json(journal, &server.finish()?)
}

/// Runs the job's agents on a variant, then writes the transcript.
pub fn run_agents(variant: Variant, job: &Path, transcript: &Path) -> Result<(), RunError> {
    let job: Job = read_json(job)?;
    let environment = Environment::Wall(Arc::new(Monotonic));
    write_json(transcript, &runtimes::of(variant).run(&job, &environment)?)
}
