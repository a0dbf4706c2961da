//! `cargo xtask package`: the crates as they would be published, and crates that use the packed one.
//!
//! A packed crate is built from what is in the package. The control is a crate that includes a file beside it: packing that must
//! fail, and packing it with the file inside must not.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::cargo::{self, root, target};
use crate::process;

/// The version of both.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The crate that has the packed one, with a lock file that has what this workspace has.
const DOWNSTREAM: &str = "tests/downstream";

/// Packs, verifies and uses the crates.
pub(crate) fn run() -> Result<()> {
    control()?;
    process::run(&mut package(&["--package", "mock-ollama"]))?;
    let unpacked = target().join("package").join(format!("mock-ollama-{VERSION}"));
    lab(&unpacked)?;
    downstream(&unpacked)?;
    new_crate(&unpacked)
}

/// Packs both crates by one command, since the lab needs a `mock-ollama` that is not published, and checks the packed lab.
///
/// Cargo would verify the lab against what it unpacked of `mock-ollama` 0.1.0 in an earlier run: a published version never
/// changes. So the lab is unpacked and checked here.
fn lab(unpacked: &Path) -> Result<()> {
    process::run(&mut package(&["--no-verify", "--package", "mock-ollama", "--package", "runtime-lab"]))?;
    let home = fresh("package-lab")?;
    let packed = target().join("package").join(format!("runtime-lab-{VERSION}.crate"));
    // The times in the archive are all the same, so that cargo would see no change.
    process::run(Command::new("tar").arg("-xzmf").arg(packed).arg("-C").arg(&home))?;
    let manifest = home.join(format!("runtime-lab-{VERSION}")).join("Cargo.toml");
    // It lies below this workspace, and is no member of it.
    fs::write(&manifest, fs::read_to_string(&manifest)? + "\n[workspace]\n")?;
    let mut check = cargo::command(&["check", "--offline", "--config", &patch(unpacked)]);
    process::run(check.arg("--manifest-path").arg(manifest).arg("--target-dir").arg(target()))
}

/// The configuration in which the packed crate stands for the published one.
fn patch(unpacked: &Path) -> String {
    format!("patch.crates-io.mock-ollama.path={:?}", unpacked.display().to_string())
}

/// `cargo package` without the network, for a tree that may have changes.
fn package(args: &[&str]) -> Command {
    let mut command = cargo::command(&["package", "--offline", "--allow-dirty"]);
    command.args(args);
    command
}

/// Packs a crate that includes a file beside it, then the same crate with the file inside.
fn control() -> Result<()> {
    let home = fresh("package-control")?;
    let inside = home.join("control");
    fs::create_dir_all(inside.join("src"))?;
    fs::write(
        inside.join("Cargo.toml"),
        "[workspace]\n[package]\nname = \"control\"\nversion = \"0.0.0\"\nedition = \"2024\"\n",
    )?;
    fs::write(inside.join("src/lib.rs"), "pub const TEXT: &str = include_str!(\"../../text\");\n")?;
    fs::write(home.join("text"), "")?;
    let packs = || {
        let manifest = inside.join("Cargo.toml");
        let mut command = package(&["--quiet", "--no-metadata"]);
        process::succeeds(command.arg("--manifest-path").arg(manifest).arg("--target-dir").arg(home.join("target")))
    };
    ensure!(!packs(), "a crate that includes a file outside of its package was packed");
    fs::write(inside.join("src/lib.rs"), "pub const TEXT: &str = include_str!(\"../text\");\n")?;
    fs::write(inside.join("text"), "")?;
    ensure!(packs(), "the control is not packed for another reason than the file outside");
    println!("ok     a crate that includes a file outside of its package is not packed");
    Ok(())
}

/// Runs the tests of a crate that depends on the packed one.
fn downstream(unpacked: &Path) -> Result<()> {
    let manifest = root().join(DOWNSTREAM).join("Cargo.toml");
    let mut command = cargo::command(&["nextest", "run", "--offline", "--locked", "--config", &patch(unpacked)]);
    command.arg("--manifest-path").arg(manifest).arg("--target-dir").arg(target());
    // The profile of this workspace is not in that crate's configuration.
    process::run(command.env_remove("NEXTEST_PROFILE"))
}

/// Adds the packed crate to a new one, as its README tells, and runs the first test of that README there.
fn new_crate(unpacked: &Path) -> Result<()> {
    // Not below this workspace, whose member it would become.
    let home = std::env::temp_dir().join(format!("mock-ollama-new-crate-{}", std::process::id()));
    let manifest = home.join("Cargo.toml");
    fs::create_dir_all(&home)?;
    process::run(cargo::command(&["init", "--quiet", "--lib", "--vcs", "none", "--name", "new-crate"]).arg(&home))?;
    // Of the versions, those that are on this computer.
    fs::copy(root().join(DOWNSTREAM).join("Cargo.lock"), home.join("Cargo.lock"))?;
    let mut add = cargo::command(&["add", "--offline", "--dev", "mock-ollama", "--path"]);
    process::run(add.arg(unpacked).arg("--manifest-path").arg(&manifest))?;
    let readme = fs::read_to_string(unpacked.join("README.md")).context("the package has no README")?;
    fs::create_dir_all(home.join("examples"))?;
    fs::write(home.join("examples/first.rs"), first_snippet(&readme).context("the README has no Rust snippet")?)?;
    let mut first = cargo::command(&["run", "--quiet", "--offline", "--example", "first", "--manifest-path"]);
    process::run(first.arg(&manifest).arg("--target-dir").arg(target()))?;
    fs::remove_dir_all(&home)?;
    println!("ok     the first test of the README runs in a new crate");
    Ok(())
}

/// Returns the first Rust snippet, with the lines that the documentation hides.
fn first_snippet(readme: &str) -> Option<String> {
    let (_, rest) = readme.split_once("\n```rust\n")?;
    let (snippet, _) = rest.split_once("\n```")?;
    Some(snippet.lines().flat_map(|line| [line.strip_prefix("# ").unwrap_or(line), "\n"]).collect())
}

/// Returns an empty folder below the target folder.
fn fresh(name: &str) -> Result<PathBuf> {
    let folder = target().join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_lines_of_the_first_snippet_are_code() {
        let readme = "# x\n\n```sh\ny\n```\n\n```rust\n# fn main() {\nlet x = 1;\n\n# }\n```\n\n```rust\nz\n```\n";
        assert_eq!(first_snippet(readme).as_deref(), Some("fn main() {\nlet x = 1;\n\n}\n"));
        assert_eq!(first_snippet("no code"), None);
    }
}
