//! Standard output, and what it means when it cannot be written.

use mock_ollama::terminal;

use super::exit::CommandError;

/// Writes to standard output; a reader that has gone away has read enough.
pub(super) fn say(text: &str) -> Result<(), CommandError> {
    terminal::say(text).map_err(CommandError::io("cannot write to standard output"))
}
