//! The measuring rods of `benches/rods`, as `pace` and `peers` use them.
//!
//! [`server`] is a server in a process of its own, [`window`] one measurement of it, [`judge`] what the rounds of a target come
//! to, [`table`] how that is shown. The server has core 0 and the load core 1, so there must be two.

pub(crate) mod judge;
pub(crate) mod server;
pub(crate) mod table;
pub(crate) mod window;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::cargo;

/// The core of the server.
pub(crate) const SERVER_CPU: &str = "0";

/// The core of the load.
pub(crate) const LOAD_CPU: &str = "1";

/// Tokens of an answer.
pub(crate) const TOKENS: u32 = 200;

/// The programs that measure and are measured, and the answer that all servers give.
pub(crate) struct Rods {
    pub(crate) rod: PathBuf,
    pub(crate) mock: PathBuf,
    /// Where files of a run are.
    pub(crate) folder: PathBuf,
    /// The answer's lines.
    pub(crate) body: PathBuf,
    /// The same as a recording.
    pub(crate) recording: PathBuf,
}

impl Rods {
    /// Builds both programs as they are released, and makes the answer, in `target/NAME`.
    pub(crate) fn prepare(name: &str) -> Result<Self> {
        ensure!(cfg!(target_os = "linux"), "the measuring rods need Linux: epoll, receive timestamps and /proc");
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        ensure!(cores >= 2, "a server and its load need a core each, and there is one");
        // One after the other: together they would want other features of what both depend on, and a build of their own.
        for what in [["--bin", "mock-ollama"], ["--package", "rods"]] {
            cargo::run(&[&["build", "--release", "--locked"], &what[..]].concat())?;
        }
        let release = cargo::root().join("target/release");
        let folder = cargo::root().join("target").join(name);
        std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let file = |name: &str| folder.join(name);
        let (rod, mock) = (release.join("rods"), release.join("mock-ollama"));
        let these = Self { rod, mock, body: file("answer.ndjson"), recording: file("answer.jsonl"), folder };
        let body = output(Command::new(&these.rod).args(["body", "--tokens", &TOKENS.to_string()]))?;
        std::fs::write(&these.body, body).context("cannot write the answer")?;
        let mut import = Command::new(&these.mock);
        import.arg("import").arg(&these.body).arg("-o").arg(&these.recording);
        output(import.args(["--force", "--path", "/api/generate", "--gap", "10ms"]))?;
        Ok(these)
    }

    /// Whether `mock-ollama serve` knows a flag.
    pub(crate) fn serve_knows(&self, flag: &str) -> Result<bool> {
        let help = output(Command::new(&self.mock).args(["serve", "--help"]))?;
        Ok(help.split_whitespace().any(|word| word == flag))
    }
}

/// What a command prints; an error when it fails.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let program = Path::new(command.get_program()).display().to_string();
    let output = command.output().with_context(|| format!("cannot start {program}"))?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{program} failed ({}): {}", output.status, complaint.trim());
    String::from_utf8(output.stdout).with_context(|| format!("{program} printed something that is not UTF-8"))
}
