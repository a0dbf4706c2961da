//! What a run leaves behind, and who is told how the runs go on.

use std::time::Duration;

use mock_ollama::journal::Journal;

use crate::transcript::Transcript;

/// Is told how a long job goes on.
pub trait Progress {
    /// So many runs are to come.
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
