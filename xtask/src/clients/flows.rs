//! Which clients there are, how they are installed below `target/clients`, and how they start.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use super::{at, output, target};
use crate::cargo;

/// One client and what it does.
pub(super) struct Flow {
    pub(super) name: &'static str,
    /// Commands that succeed where the client can be installed.
    tools: &'static [&'static [&'static str]],
    /// What the server serves.
    pub(super) serve: &'static [&'static str],
    /// How many streams it leaves in their midst.
    pub(super) cancels: usize,
    pub(super) install: fn() -> Result<()>,
    pub(super) start: fn() -> Command,
}

const PYTHON: &[&[&str]] = &[&["python3", "-c", "import ensurepip, venv"]];

const SCRIPTED: &[&str] = &["fixtures/scripted"];

/// At the recorded pace: an answer takes two seconds, and a machine that stands still for less than one cannot make it look as
/// if all had come at once.
const RECORDED: &[&str] =
    &["--match", "any", "fixtures/recordings/small-greedy.jsonl", "fixtures/recordings/small-multibyte.jsonl"];

/// All of them.
pub(super) const FLOWS: &[Flow] = &[
    Flow {
        name: "python ollama",
        tools: PYTHON,
        serve: SCRIPTED,
        cancels: 1,
        install: install_python,
        start: || python("flow_ollama.py"),
    },
    Flow {
        name: "python recordings",
        tools: PYTHON,
        serve: RECORDED,
        cancels: 0,
        install: install_python,
        start: || python("flow_recordings.py"),
    },
    Flow {
        name: "python openai",
        tools: PYTHON,
        serve: SCRIPTED,
        cancels: 1,
        install: install_python,
        start: || python("flow_openai.py"),
    },
    Flow {
        name: "python anthropic",
        tools: PYTHON,
        serve: SCRIPTED,
        cancels: 1,
        install: install_python,
        start: || python("flow_anthropic.py"),
    },
    Flow {
        name: "javascript ollama",
        tools: &[&["node", "--version"], &["npm", "--version"]],
        serve: SCRIPTED,
        cancels: 1,
        install: install_javascript,
        start: javascript,
    },
    Flow {
        name: "rust ollama-rs",
        tools: &[],
        serve: SCRIPTED,
        cancels: 1,
        install: install_rust,
        start: || Command::new(home("rust").join("debug/flow-ollama-rs")),
    },
];

impl Flow {
    /// The first tool that does not run here.
    pub(super) fn missing(&self) -> Option<String> {
        let runs = |tool: &&&[&str]| {
            let mut command = Command::new(tool[0]);
            command.args(&tool[1..]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            !command.status().is_ok_and(|status| status.success())
        };
        self.tools.iter().find(runs).map(|tool| tool.join(" "))
    }
}

/// Where the clients of a language are installed.
fn home(language: &str) -> PathBuf {
    target().join("clients").join(language)
}

/// Where the flows of a language are.
fn flows(language: &str) -> PathBuf {
    at("tests/clients").join(language)
}

fn install_python() -> Result<()> {
    let python = home("python").join("bin/python");
    if !python.exists() {
        output(Command::new("python3").args(["-m", "venv"]).arg(home("python")))?;
    }
    let (requirements, installed) = (flows("python").join("requirements.txt"), home("python").join("requirements.txt"));
    if !same(&requirements, &installed) {
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"];
        output(Command::new(python).args(pip).arg(&requirements))?;
        fs::copy(&requirements, &installed).context("cannot note what is installed")?;
    }
    Ok(())
}

fn python(flow: &str) -> Command {
    let mut command = Command::new(home("python").join("bin/python"));
    // Without the compiled files that it would leave beside the flows.
    command.arg("-B").arg(flows("python").join(flow));
    command
}

/// Copies the flow to where its packages are: Node looks for them in the folders above a module, and nowhere else.
fn install_javascript() -> Result<()> {
    let home = home("javascript");
    fs::create_dir_all(&home).with_context(|| format!("cannot make {}", home.display()))?;
    let lock = "package-lock.json";
    let is_installed = home.join("node_modules").is_dir() && same(&flows("javascript").join(lock), &home.join(lock));
    for name in ["package.json", lock, "check.mjs", "flow_ollama.mjs"] {
        fs::copy(flows("javascript").join(name), home.join(name)).with_context(|| format!("cannot copy {name}"))?;
    }
    if !is_installed {
        output(Command::new("npm").args(["ci", "--no-audit", "--no-fund", "--loglevel=error"]).current_dir(&home))?;
    }
    Ok(())
}

/// Whether two files hold the same.
fn same(a: &Path, b: &Path) -> bool {
    fs::read(a).ok().is_some_and(|a| fs::read(b).ok() == Some(a))
}

fn javascript() -> Command {
    let mut command = Command::new("node");
    command.arg(home("javascript").join("flow_ollama.mjs"));
    command
}

fn install_rust() -> Result<()> {
    let (manifest, home) = (flows("rust").join("Cargo.toml"), home("rust"));
    let (manifest, home) = (manifest.to_string_lossy(), home.to_string_lossy());
    cargo::run(&["build", "--quiet", "--locked", "--manifest-path", &manifest, "--target-dir", &home])
}
