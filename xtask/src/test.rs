//! Every test, on a machine that has only Rust.

use anyhow::{Context, Result};

use crate::cargo;

/// Installs cargo-nextest when it is missing, then runs the tests and the doc tests, which nextest cannot run.
///
/// The doc tests run even when a test failed, so that one run tells everything; the first failure is the one reported.
pub(crate) fn run(nextest_args: &[String]) -> Result<()> {
    if !cargo::succeeds(&["nextest", "--version"]) {
        eprintln!("cargo-nextest is missing; installing it (once, some minutes)");
        cargo::run(&["install", "--locked", "cargo-nextest"])
            .context("cargo-nextest could not be installed; see https://nexte.st for a binary")?;
    }
    let mut args = vec!["nextest", "run", "--workspace"];
    args.extend(nextest_args.iter().map(String::as_str));
    let tests = cargo::run(&args);
    let doc_tests = cargo::run(&["test", "--workspace", "--doc"]);
    tests.and(doc_tests)
}
