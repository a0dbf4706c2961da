//! `cargo xtask rules`: shows that tests of the wire fail when their rule is switched off.
//!
//! For each row of the table below one line of the server is changed in a copy of the workspace's sources, and the tests
//! that carry the number of the rule are run there: they must fail, by a failed test and not by a build that breaks.
//! The sources themselves are never touched.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail, ensure};

/// A rule, and how it is switched off.
struct Rule {
    /// Its number, as tests bear it.
    number: &'static str,
    /// What happens instead.
    off: &'static str,
    file: &'static str,
    from: &'static str,
    to: &'static str,
}

/// The folders and files that the copy is made of.
const SOURCES: &[&str] = &["Cargo.toml", "Cargo.lock", "mock-ollama", "fixtures", "src", "benches", "examples", "xtask", "clippy.toml"];

const RULES: &[Rule] = &[];

/// Switches off each rule in turn.
pub(crate) fn run() -> anyhow::Result<()> {
    let copy = Path::new("target/rules");
    let build = fs::canonicalize("target")?.join("rules-build");
    if copy.exists() {
        fs::remove_dir_all(copy).context("cannot clear target/rules")?;
    }
    for source in SOURCES {
        copy_all(Path::new(source), &copy.join(source))?;
    }
    ensure!(tests_pass(copy, &build, "w_")?, "the rules' tests fail before anything is switched off");
    for rule in RULES {
        let path = copy.join("mock-ollama/src").join(rule.file);
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        ensure!(text.matches(rule.from).count() == 1, "{}: `{}` does not occur once", rule.file, rule.from);
        fs::write(&path, text.replace(rule.from, rule.to))?;
        let passed = tests_pass(copy, &build, rule.number)?;
        fs::write(&path, text)?;
        ensure!(!passed, "{} ({}): its tests pass although the rule is off", rule.number, rule.off);
        println!("{}: fails when {}", rule.number, rule.off);
    }
    println!("{} rules were switched off; the tests of each noticed", RULES.len());
    Ok(())
}

/// Runs the tests whose names contain `name`; an error when they do not build or there are none.
fn tests_pass(copy: &Path, build: &Path, name: &str) -> anyhow::Result<bool> {
    let cargo = |arguments: &[&str]| {
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.current_dir(copy).env("CARGO_TARGET_DIR", build).args(arguments);
        command
    };
    let test = ["test", "--quiet", "--locked", "--package", "mock-ollama", "--test", "wire"];
    let built = cargo(&[&test[..], &["--no-run"]].concat()).output().context("cannot run cargo")?;
    if !built.status.success() {
        bail!("the copy does not build:\n{}", String::from_utf8_lossy(&built.stderr));
    }
    let ran = cargo(&[&test[..], &["--", name]].concat()).output().context("cannot run cargo")?;
    let said = String::from_utf8_lossy(&ran.stdout);
    ensure!(!said.contains("running 0 tests"), "no test is called {name}");
    Ok(ran.status.success())
}

fn copy_all(from: &Path, to: &Path) -> anyhow::Result<()> {
    if from.is_dir() {
        fs::create_dir_all(to)?;
        for entry in fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
            let entry = entry?;
            copy_all(&entry.path(), &to.join(entry.file_name()))?;
        }
    } else {
        if let Some(parent) = to.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::copy(from, to).with_context(|| format!("cannot copy {}", from.display()))?;
    }
    Ok(())
}
