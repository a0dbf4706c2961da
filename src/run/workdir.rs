//! The folder through which parent and children talk, and the one round that they play with it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use mock_ollama::backend::Settings;
use mock_ollama::files::Existing;
use mock_ollama::journal::Journal;
use mock_ollama::recording::{Recording, write_file};
use mock_ollama::seed::Seed;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use super::child::ChildProcess;
use super::{Plan, RunError};

/// What a server child reads at its start.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ServerConfigFile {
    /// The recordings to offer.
    pub(crate) recordings: Vec<PathBuf>,
    /// The pace, in the words of `--pace`.
    pub(crate) pace: String,
    /// The seed.
    pub(crate) seed: Seed,
    /// The backend behind the server.
    pub(crate) backend: Settings,
    /// The cores that it keeps to; all that it may use when absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) cores: Vec<usize>,
}

const SERVER: &str = "server.json";
const JOURNAL: &str = "journal.json";
const JOB: &str = "job.json";
const RESULT: &str = "result.json";

/// The folder through which parent and children talk, gone when this is dropped.
#[derive(Debug)]
pub(crate) struct Workdir {
    folder: TempDir,
}

impl Workdir {
    /// Makes a folder with the plan's recordings and the server's configuration.
    pub(crate) fn for_plan(plan: &Plan) -> Result<Self, RunError> {
        let workdir = Self::new()?;
        workdir.write_inputs(&plan.workload.recordings, |recordings| ServerConfigFile {
            recordings,
            pace: plan.pace.to_string(),
            seed: plan.seed,
            backend: plan.workload.backend.clone(),
            cores: Vec::new(),
        })?;
        Ok(workdir)
    }

    /// Makes an empty folder.
    pub(crate) fn new() -> Result<Self, RunError> {
        let folder = TempDir::with_prefix("runtime-lab-");
        Ok(Self { folder: folder.map_err(RunError::file("make a folder in", std::env::temp_dir()))? })
    }

    /// Writes recordings, and the configuration of the server that serves them.
    pub(crate) fn write_inputs(
        &self,
        recordings: &[Recording],
        config: impl FnOnce(Vec<PathBuf>) -> ServerConfigFile,
    ) -> Result<(), RunError> {
        let mut paths = Vec::new();
        for (n, recording) in recordings.iter().enumerate() {
            let path = self.path(&format!("recording-{n}.jsonl"));
            write_file(recording, &path, Existing::Replace)
                .map_err(|source| RunError::WriteRecording { path: path.clone(), source })?;
            paths.push(path);
        }
        write_json(&self.path(SERVER), &config(paths))
    }

    /// Plays one round: a server in its own process, and the agents in theirs, given up after `limit`.
    ///
    /// The agents' child is started as `verb subject JOB RESULT`; `job` makes its job of the server's address. Returns what
    /// the agents left and the server's journal.
    pub(crate) fn run_children<J: Serialize, R: DeserializeOwned>(
        &self,
        program: &Path,
        [verb, subject, purpose]: [&str; 3],
        job: impl FnOnce(String) -> J,
        limit: Duration,
    ) -> Result<(R, Journal), RunError> {
        let [config, journal, job_file, result] = [SERVER, JOURNAL, JOB, RESULT].map(|name| self.path(name));
        let mut server = ChildProcess::start(program, "serve", ["__serve".as_ref(), config.as_path(), &journal])?;
        write_json(&job_file, &job(server.first_line()?))?;
        let args = [verb.as_ref(), subject.as_ref(), job_file.as_path(), &result];
        ChildProcess::start(program, purpose, args)?.finish(limit)?;
        // The journal is complete only when the server has ended.
        server.end()?;
        Ok((read_json(&result)?, read_json(&journal)?))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

pub(crate) fn write_json<T: Serialize>(path: &Path, value: &T) -> Result<(), RunError> {
    let text = serde_json::to_vec(value).map_err(|source| RunError::Form { path: path.to_owned(), source })?;
    fs::write(path, text).map_err(RunError::file("write", path))
}

pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, RunError> {
    let text = fs::read(path).map_err(RunError::file("read", path))?;
    serde_json::from_slice(&text).map_err(|source| RunError::Form { path: path.to_owned(), source })
}
