//! Every test, on a host that has only Rust.

use anyhow::{Context, Result};

use crate::{cargo, process};

/// The newest cargo-nextest that Rust 1.88 builds, our `rust-version`; 0.9.115 wants 1.89.
const NEXTEST_VERSION: &str = "0.9.114";

/// Installs cargo-nextest when it is missing, then runs the tests and the doc tests, which nextest cannot run.
///
/// The doc tests run even when a test failed, so that one run tells everything; the first failure is the one reported.
pub(crate) fn run(nextest_args: &[String]) -> Result<()> {
    if !process::succeeds(&mut cargo::command(&["nextest", "--version"])) {
        eprintln!("cargo-nextest is missing; installing it (once, some minutes)");
        // Without the feature `self-update`, which almost doubles the build.
        let features = ["--no-default-features", "--features", "default-no-update"];
        let version = ["--locked", "--version", NEXTEST_VERSION];
        cargo::run(&[&["install", "cargo-nextest"], &version[..], &features[..]].concat())
            .context("cargo-nextest could not be installed; see https://nexte.st for a binary")?;
    }
    let mut args = vec!["nextest", "run", "--workspace"];
    args.extend(nextest_args.iter().map(String::as_str));
    let tests = cargo::run(&args);
    let doc_tests = cargo::run(&["test", "--workspace", "--doc"]);
    tests.and(doc_tests)
}
