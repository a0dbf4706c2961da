//! Running cargo, in the workspace's root.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// The directory of the workspace: the parent of this package's.
pub(crate) fn root() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package)
}

/// Where cargo builds.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// The cargo that runs this program, so that `cargo +nightly xtask` stays on nightly.
fn cargo(args: &[&str]) -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.args(args).current_dir(root());
    command
}

/// Runs `cargo ARGS…` on the terminal of the caller.
pub(crate) fn run(args: &[&str]) -> Result<()> {
    let shown = args.join(" ");
    let status = cargo(args).status().with_context(|| format!("cannot start `cargo {shown}`"))?;
    if !status.success() {
        bail!("`cargo {shown}` failed ({status})");
    }
    Ok(())
}

/// Runs `cargo ARGS…` and returns what it printed; its complaints go to the terminal.
pub(crate) fn output(args: &[&str]) -> Result<String> {
    let shown = args.join(" ");
    let output = cargo(args)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot start `cargo {shown}`"))?;
    if !output.status.success() {
        bail!("`cargo {shown}` failed ({})", output.status);
    }
    String::from_utf8(output.stdout).with_context(|| format!("`cargo {shown}` printed something that is not UTF-8"))
}

/// Whether `cargo ARGS…` succeeds, silently.
pub(crate) fn succeeds(args: &[&str]) -> bool {
    cargo(args)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
