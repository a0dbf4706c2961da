//! What the children do.

use std::io::{Read as _, Write as _};
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use mock_ollama::MockOllama;
use mock_ollama::driver::Monotonic;
use mock_ollama::schedule::PaceError;

use super::RunError;
use super::cores::keep_to;
use super::stage::{ServerOrders, read_json, write_json};
use crate::runtimes::{self, Environment};
use crate::variant::Variant;
use crate::workload::Job;

/// Serves the orders' recordings until standard input ends, then writes the journal.
///
/// Prints the server's address as its only line.
pub fn run_server(orders: &Path, journal: &Path) -> Result<(), RunError> {
    let told: ServerOrders = read_json(orders)?;
    // Threads that are started later keep to the same cores.
    keep_to(&told.cores);
    let wrong = |source: PaceError| RunError::Pace { workload: orders.display().to_string(), source };
    let mut builder = MockOllama::builder()
        .pace(told.pace.parse().map_err(wrong)?)
        .seed(told.seed)
        .backend(told.backend.clone())
        .journal_bytes(NonZeroUsize::MAX);
    for recording in &told.recordings {
        builder = builder.recording(recording);
    }
    let server = builder.start()?;
    let mut stdout = std::io::stdout().lock();
    let said = writeln!(stdout, "{}", server.url()).and_then(|()| stdout.flush());
    said.map_err(|source| RunError::File { what: "write to", path: "standard output".into(), source })?;
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
