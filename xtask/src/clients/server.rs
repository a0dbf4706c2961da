//! The server that a flow talks to, and the journal that it leaves.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::Value;

use crate::cargo;
use crate::server::ServerProcess;

/// The word whose answer the flows leave in its midst.
const CANCELLED: &str = "SLOW";

/// The server of a flow, which ends with this value.
pub(super) struct FlowServer {
    process: ServerProcess,
    journal: PathBuf,
}

impl FlowServer {
    /// Starts the server that has been built, on a free port.
    pub(super) fn start(serve: &[&str], journal: &Path) -> Result<Self> {
        if let Some(folder) = journal.parent() {
            fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        }
        let mut command = Command::new(cargo::target().join("release/mock-ollama"));
        command.arg("serve").args(serve).args(["--listen", "127.0.0.1:0", "--journal"]).arg(journal);
        let process = ServerProcess::start(command.current_dir(cargo::root()))?;
        Ok(Self { process, journal: journal.to_owned() })
    }

    /// Where it listens.
    pub(super) fn url(&self) -> String {
        format!("http://{}", self.process.addr())
    }

    /// Stops it as Ctrl-C does, and reads what it saw.
    pub(super) fn stop(self) -> Result<Journal> {
        self.process.stop()?;
        let text = fs::read_to_string(&self.journal);
        let text = text.with_context(|| format!("the server left no {}", self.journal.display()))?;
        serde_json::from_str(&text).with_context(|| format!("{} is no journal", self.journal.display()))
    }
}

/// The requests that a server saw, as far as the flows need them (`mock_ollama::journal::Journal`).
#[derive(Debug, Deserialize)]
pub(super) struct Journal {
    entries: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
struct Entry {
    request: Request,
    fate: Value,
}

#[derive(Debug, Deserialize)]
struct Request {
    target: String,
    body: String,
}

impl Journal {
    /// How many requests there were.
    pub(super) fn requests(&self) -> usize {
        self.entries.len()
    }

    /// Checks that the server saw `expected` clients hang up in the midst of an answer, and returns that number.
    pub(super) fn check(&self, expected: usize) -> Result<usize> {
        let slow: Vec<&Entry> = self.entries.iter().filter(|entry| entry.request.body.contains(CANCELLED)).collect();
        if let Some(entry) = slow.iter().find(|entry| entry.fate.get("aborted").is_none()) {
            bail!("the server did not see that {} was left: {}", entry.request.target, entry.fate);
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
