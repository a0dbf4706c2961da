//! Standard output, and what it means when it cannot be written.

use mock_ollama::terminal;

use super::exit::{Error, Failure};

/// Writes to standard output; a reader that has gone away has read enough.
pub(super) fn say(text: &str) -> Result<(), Failure> {
    terminal::say(text).map_err(|error| Failure::io(Error::Stdout(error)))
}
