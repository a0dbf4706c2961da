//! The server that a flow talks to, and the journal that it leaves.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::Value;

use crate::cargo;
use crate::server::ServerProcess;

/// The word whose answer the flows leave in its midst.
const CANCELLED: &str = "SLOW";

/// Starts the server that has been built, on a free port. It leaves `journal` when it is stopped.
pub(super) fn start(serve: &[&str], journal: &Path) -> Result<ServerProcess> {
    if let Some(folder) = journal.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    let mut command = Command::new(cargo::target().join("release/mock-ollama"));
    command.arg("serve").args(serve).args(["--listen", "127.0.0.1:0", "--journal"]).arg(journal);
    ServerProcess::start(command.current_dir(cargo::root()))
}

/// The requests that a server saw (`mock_ollama::journal::Journal`).
#[derive(Debug, Deserialize)]
pub(super) struct Journal {
    entries: Vec<Value>,
}

impl Journal {
    /// Reads what a server left.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("the server left no {}", path.display()))?;
        serde_json::from_str(&text).with_context(|| format!("{} is no journal", path.display()))
    }

    /// How many requests there were.
    pub(super) fn requests(&self) -> usize {
        self.entries.len()
    }

    /// Checks that the server saw `expected` clients hang up in the midst of an answer, and returns that number.
    pub(super) fn check(&self, expected: usize) -> Result<usize> {
        let has_word = |entry: &&Value| entry["request"]["body"].as_str().is_some_and(|body| body.contains(CANCELLED));
        let slow: Vec<&Value> = self.entries.iter().filter(has_word).collect();
        if let Some(entry) = slow.iter().find(|entry| entry["fate"]["aborted"].is_null()) {
            let target = entry["request"]["target"].as_str().unwrap_or_default();
            bail!("the server did not see that {target} was left: {}", entry["fate"]);
        }
        if slow.len() != expected {
            bail!("{} streams were left in their midst, expected {expected}", slow.len());
        }
        Ok(expected)
    }
}

#[cfg(test)]
mod tests {
    use super::Journal;

    fn checked(fates: &[&str], expected: usize) -> Result<usize, String> {
        let entry = |fate: &&str| format!(r#"{{"request":{{"target":"/api/chat","body":"SLOW"}},"fate":{fate}}}"#);
        let other = r#"{"request":{"target":"/","body":""},"fate":"complete"}"#.to_owned();
        let entries: Vec<String> = fates.iter().map(entry).chain([other]).collect();
        let journal: Journal = serde_json::from_str(&format!(r#"{{"entries":[{}]}}"#, entries.join(","))).unwrap();
        journal.check(expected).map_err(|error| error.to_string())
    }

    #[test]
    fn a_stream_that_was_left_must_have_been_seen_to_be_left() {
        let left = r#"{"aborted":{"after_chunk":1}}"#;
        assert_eq!(checked(&[left], 1), Ok(1));
        assert_eq!(checked(&[], 0), Ok(0));
        assert_eq!(checked(&[], 1).unwrap_err(), "0 streams were left in their midst, expected 1");
        let seen = checked(&[left, "\"complete\""], 2).unwrap_err();
        assert_eq!(seen, "the server did not see that /api/chat was left: \"complete\"");
    }
}
