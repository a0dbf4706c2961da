//! Which clients there are, how they are installed below `target/clients`, and how they start.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::cargo;
use crate::process::{output, succeeds};

/// One client and what it does.
pub(super) struct Flow {
    pub(super) name: &'static str,
    language: Language,
    /// The program of the flow.
    program: &'static str,
    /// What the server serves.
    pub(super) serve: &'static [&'static str],
    /// How many streams it leaves in their midst.
    pub(super) cancels: usize,
}

#[derive(Clone, Copy)]
enum Language {
    Python,
    JavaScript,
    Rust,
}

const SCRIPTED: &[&str] = &["fixtures/scripted"];

/// At the recorded pace: an answer takes two seconds, and a host that stands still for less than one cannot make it look as
/// if all had come at once.
const RECORDED: &[&str] = &[
    "--match",
    "any",
    "mock-ollama/fixtures/recordings/small-greedy.jsonl",
    "mock-ollama/fixtures/recordings/small-multibyte.jsonl",
];

/// The flow of a client that leaves one answer of the scripted models in its midst.
const fn scripted(name: &'static str, language: Language, program: &'static str) -> Flow {
    Flow { name, language, program, serve: SCRIPTED, cancels: 1 }
}

/// All of them.
pub(super) const FLOWS: &[Flow] = &[
    scripted("python ollama", Language::Python, "flow_ollama.py"),
    Flow { serve: RECORDED, cancels: 0, ..scripted("python recordings", Language::Python, "flow_recordings.py") },
    scripted("python openai", Language::Python, "flow_openai.py"),
    scripted("python anthropic", Language::Python, "flow_anthropic.py"),
    scripted("javascript ollama", Language::JavaScript, "flow_ollama.mjs"),
    scripted("rust ollama-rs", Language::Rust, "debug/flow-ollama-rs"),
];

impl Flow {
    /// The first tool that does not run here, of those with which the client is installed.
    pub(super) fn missing(&self) -> Option<String> {
        let tools: &[&[&str]] = match self.language {
            Language::Python => &[&["python3", "-c", "import ensurepip, venv"]],
            Language::JavaScript => &[&["node", "--version"], &["npm", "--version"]],
            Language::Rust => &[],
        };
        let fails = |tool: &&&[&str]| !succeeds(Command::new(tool[0]).args(&tool[1..]));
        tools.iter().find(fails).map(|tool| tool.join(" "))
    }

    /// Installs the client, unless the same one is installed already.
    pub(super) fn install(&self) -> Result<()> {
        match self.language {
            Language::Python => install_python(),
            Language::JavaScript => install_javascript(),
            Language::Rust => install_rust(),
        }
    }

    /// The command that runs the flow.
    pub(super) fn command(&self) -> Command {
        match self.language {
            Language::Python => {
                let mut command = Command::new(home("python").join("bin/python"));
                // Without the compiled files that it would leave beside the flows.
                command.arg("-B").arg(flows("python").join(self.program));
                command
            }
            Language::JavaScript => {
                let mut command = Command::new("node");
                command.arg(home("javascript").join(self.program));
                command
            }
            Language::Rust => Command::new(home("rust").join(self.program)),
        }
    }
}

/// Where the clients of a language are installed.
fn home(language: &str) -> PathBuf {
    cargo::target().join("clients").join(language)
}

/// Where the flows of a language are.
fn flows(language: &str) -> PathBuf {
    cargo::root().join("tests/clients").join(language)
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

fn install_rust() -> Result<()> {
    let (manifest, home) = (flows("rust").join("Cargo.toml"), home("rust"));
    let (manifest, home) = (manifest.to_string_lossy(), home.to_string_lossy());
    cargo::run(&["build", "--quiet", "--locked", "--manifest-path", &manifest, "--target-dir", &home])
}
