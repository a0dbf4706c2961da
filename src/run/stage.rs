//! The folder through which parent and children talk.

use std::fs;
use std::path::{Path, PathBuf};

use mock_ollama::backend::Settings;
use mock_ollama::files::Existing;
use mock_ollama::recording::write_file;
use mock_ollama::seed::Seed;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use super::{Plan, RunError};

/// What a server child is told.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct ServerOrders {
    /// The recordings to offer.
    pub(super) recordings: Vec<PathBuf>,
    /// The pace, in the words of `--pace`.
    pub(super) pace: String,
    /// The seed.
    pub(super) seed: Seed,
    /// The machine behind the server.
    pub(super) backend: Settings,
}

/// A folder that is gone when this is dropped.
#[derive(Debug)]
pub(super) struct Stage {
    folder: TempDir,
}

impl Stage {
    /// Puts the plan's recordings and the server's orders into a new folder.
    pub(super) fn set(plan: &Plan) -> Result<Self, RunError> {
        let folder = TempDir::with_prefix("runtime-lab-").map_err(|source| RunError::File {
            what: "make a folder in",
            path: std::env::temp_dir(),
            source,
        })?;
        let stage = Self { folder };
        let mut recordings = Vec::new();
        for (n, recording) in plan.workload.recordings.iter().enumerate() {
            let path = stage.path(&format!("recording-{n}.jsonl"));
            write_file(recording, &path, Existing::Keep)
                .map_err(|source| RunError::Stage { path: path.clone(), source })?;
            recordings.push(path);
        }
        let orders = ServerOrders {
            recordings,
            pace: plan.pace.to_string(),
            seed: plan.seed,
            backend: plan.workload.backend.clone(),
        };
        write_json(&stage.orders(), &orders)?;
        Ok(stage)
    }

    pub(super) fn orders(&self) -> PathBuf {
        self.path("server.json")
    }

    pub(super) fn journal(&self) -> PathBuf {
        self.path("journal.json")
    }

    pub(super) fn job(&self) -> PathBuf {
        self.path("job.json")
    }

    pub(super) fn transcript(&self) -> PathBuf {
        self.path("transcript.json")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

pub(super) fn write_json<T: Serialize>(path: &Path, value: &T) -> Result<(), RunError> {
    let text = serde_json::to_vec(value).map_err(|source| RunError::Form { path: path.to_owned(), source })?;
    fs::write(path, text).map_err(|source| RunError::File { what: "write", path: path.to_owned(), source })
}

pub(super) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, RunError> {
    let text = fs::read(path).map_err(|source| RunError::File { what: "read", path: path.to_owned(), source })?;
    serde_json::from_slice(&text).map_err(|source| RunError::Form { path: path.to_owned(), source })
}
