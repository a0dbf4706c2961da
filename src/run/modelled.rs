//! Runs of the model.

use std::num::NonZeroUsize;

use mock_ollama::journal::Journal;

use super::{Plan, RunError};
use crate::transcript::Transcript;

pub(super) fn run(_plan: &Plan, _limit: Option<NonZeroUsize>) -> Result<(Transcript, Journal), RunError> {
    unimplemented!()
}
