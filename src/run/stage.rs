//! The folder through which parent and children talk.

use std::fs;
use std::path::{Path, PathBuf};

use mock_ollama::backend::Settings;
use mock_ollama::files::Existing;
use mock_ollama::recording::{Recording, write_file};
use mock_ollama::seed::Seed;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use super::{Plan, RunError};

/// What a server child is told.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ServerOrders {
    /// The recordings to offer.
    pub(crate) recordings: Vec<PathBuf>,
    /// The pace, in the words of `--pace`.
    pub(crate) pace: String,
    /// The seed.
    pub(crate) seed: Seed,
    /// The machine behind the server.
    pub(crate) backend: Settings,
    /// The cores that it keeps to; all that it may use when absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) cores: Vec<usize>,
}

/// The folder through which parent and children talk, gone when this is dropped.
#[derive(Debug)]
pub(crate) struct Stage {
    folder: TempDir,
}

impl Stage {
    /// Puts the plan's recordings and the server's orders into a new folder.
    pub(crate) fn set(plan: &Plan) -> Result<Self, RunError> {
        let stage = Self::empty()?;
        stage.put(&plan.workload.recordings, |recordings| ServerOrders {
            recordings,
            pace: plan.pace.to_string(),
            seed: plan.seed,
            backend: plan.workload.backend.clone(),
            cores: Vec::new(),
        })?;
        Ok(stage)
    }

    /// A new folder.
    pub(crate) fn empty() -> Result<Self, RunError> {
        let folder = TempDir::with_prefix("runtime-lab-").map_err(|source| RunError::File {
            what: "make a folder in",
            path: std::env::temp_dir(),
            source,
        })?;
        Ok(Self { folder })
    }

    /// Puts recordings there, and what the server is told of them.
    pub(crate) fn put(
        &self,
        recordings: &[Recording],
        orders: impl FnOnce(Vec<PathBuf>) -> ServerOrders,
    ) -> Result<(), RunError> {
        let mut paths = Vec::new();
        for (n, recording) in recordings.iter().enumerate() {
            let path = self.path(&format!("recording-{n}.jsonl"));
            write_file(recording, &path, Existing::Replace)
                .map_err(|source| RunError::Stage { path: path.clone(), source })?;
            paths.push(path);
        }
        write_json(&self.orders(), &orders(paths))
    }

    pub(crate) fn orders(&self) -> PathBuf {
        self.path("server.json")
    }

    pub(crate) fn journal(&self) -> PathBuf {
        self.path("journal.json")
    }

    pub(crate) fn job(&self) -> PathBuf {
        self.path("job.json")
    }

    pub(crate) fn transcript(&self) -> PathBuf {
        self.path("transcript.json")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

pub(crate) fn write_json<T: Serialize>(path: &Path, value: &T) -> Result<(), RunError> {
    let text = serde_json::to_vec(value).map_err(|source| RunError::Form { path: path.to_owned(), source })?;
    fs::write(path, text).map_err(|source| RunError::File { what: "write", path: path.to_owned(), source })
}

pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, RunError> {
    let text = fs::read(path).map_err(|source| RunError::File { what: "read", path: path.to_owned(), source })?;
    serde_json::from_slice(&text).map_err(|source| RunError::Form { path: path.to_owned(), source })
}
