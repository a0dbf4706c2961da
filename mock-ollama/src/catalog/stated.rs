//! A recording as the reply of a rule.

use std::path::Path;

use super::builtin;
use crate::recording::{ReadError, read_file};
use crate::rules::Reply;

/// Answers with a recording: that of a file, or the built-in one of this name. Its exchanges are given in turn.
///
/// ```
/// use mock_ollama::{MockOllama, chat, recording};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = MockOllama::start()?;
/// server.on(chat()).reply(recording("conversation-four-turns")?);
/// # server.finish()?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// A file that cannot be read, or is no recording.
pub fn recording(path_or_name: impl AsRef<Path>) -> Result<Reply, ReadError> {
    let path = path_or_name.as_ref();
    let built_in = path.to_str().and_then(builtin::recording);
    built_in.unwrap_or_else(|| read_file(path)).map(Reply::from)
}
