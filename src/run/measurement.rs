//! What a run leaves behind, and the observer of its progress.

use std::time::Duration;

use mock_ollama::journal::Journal;

use crate::transcript::Transcript;

/// Observes the progress of a long job.
pub trait ProgressObserver {
    /// That many runs are to come.
    fn begin(&mut self, runs: usize);
    /// A run begins.
    fn run(&mut self, what: &str);
    /// All are done.
    fn end(&mut self);
}

/// One run of a variant and its serial counterpart.
pub(super) struct Measurement {
    pub(super) variant: &'static str,
    pub(super) block: usize,
    pub(super) transcript: Transcript,
    pub(super) journal: Journal,
    pub(super) serial_wall: Duration,
    /// The wall time of the variant's code in virtual time.
    pub(super) code_wall: Duration,
}
