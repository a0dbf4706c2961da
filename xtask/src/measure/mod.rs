//! How `pace` and `peers` measure a server: with the load generator of `tools/loadgen`, in rounds.
//!
//! [`window`] is one measurement of a server, [`judge`] concludes from the rounds of a target, [`table`] shows that. The
//! server has core 0 and the load core 1, so there must be two.

pub(crate) mod judge;
pub(crate) mod table;
pub(crate) mod window;

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use loadgen::body::answer;

use crate::cargo;
use crate::process::output;

const SERVER_CORE: &str = "0";

const LOAD_CORE: &str = "1";

/// Tokens of an answer.
pub(crate) const TOKENS: u32 = 200;

/// The programs that measure and are measured, and the answer that all servers give.
pub(crate) struct Setup {
    pub(crate) loadgen: PathBuf,
    pub(crate) mock: PathBuf,
    /// Where files of a run are.
    pub(crate) folder: PathBuf,
    /// The answer's lines.
    pub(crate) body: PathBuf,
    /// The same as a recording.
    pub(crate) recording: PathBuf,
}

impl Setup {
    /// Builds both programs as they are released, and makes the answer, in `target/NAME`.
    pub(crate) fn prepare(name: &str) -> Result<Self> {
        ensure!(cfg!(target_os = "linux"), "the load generator needs Linux: epoll, receive timestamps and /proc");
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        ensure!(cores >= 2, "a server and its load need a core each, and there is one");
        // With the lab, so that what all of them depend on has the features that it has in other builds.
        let packages = ["runtime-lab", "mock-ollama", "loadgen"].map(|name| ["--package", name]).concat();
        cargo::run(&[&["build", "--release", "--locked", "--bins"], &packages[..]].concat())?;
        let release = cargo::target().join("release");
        let folder = cargo::target().join(name);
        std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let file = |name: &str| folder.join(name);
        let (loadgen, mock) = (release.join("loadgen"), release.join("mock-ollama"));
        let these = Self { loadgen, mock, body: file("answer.ndjson"), recording: file("answer.jsonl"), folder };
        std::fs::write(&these.body, answer(TOKENS)).context("cannot write the answer")?;
        let mut import = Command::new(&these.mock);
        import.arg("import").arg(&these.body).arg("-o").arg(&these.recording);
        output(import.args(["--force", "--path", "/api/generate", "--gap", "10ms"]))?;
        Ok(these)
    }

    /// The command of a server on the server's core, without what the caller's environment has about Ollama.
    pub(crate) fn on_server_core<A: AsRef<OsStr>>(&self, command: &[A]) -> Command {
        let mut pinned = Command::new(&self.loadgen);
        pinned.args(["on", "--cpu", SERVER_CORE, "--"]).args(command);
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("OLLAMA_")) {
            pinned.env_remove(name);
        }
        pinned
    }
}
