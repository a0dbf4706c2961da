//! Another program on one core.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use anyhow::Context as _;
use clap::Args;

use crate::sys;

/// Become another program, on one core and with as many descriptors as are allowed.
///
/// The process keeps its id, so its parent can sample and end the other program. It ends when its parent ends.
#[derive(Args)]
pub(crate) struct OnArgs {
    /// The core
    #[arg(long, value_name = "N")]
    cpu: usize,
    /// The program and its arguments
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true, value_name = "PROGRAM")]
    command: Vec<OsString>,
}

/// Runs the verb; returns only when the program cannot be started.
pub(crate) fn run(args: &OnArgs) -> anyhow::Result<()> {
    sys::raise_descriptors()?;
    sys::pin(args.cpu)?;
    sys::end_with_parent()?;
    let (program, arguments) = args.command.split_first().context("no program")?;
    let error = Command::new(program).args(arguments).exec();
    Err(error).with_context(|| format!("cannot start {}", program.to_string_lossy()))
}
