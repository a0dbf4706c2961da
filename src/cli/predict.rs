//! `runtime-lab predict`.

use std::path::PathBuf;

use clap::Args;
use runtime_lab::papers::shares;

use super::exit::{CommandError, Completion};
use super::stdout::say;

/// Predict how streams slow each other down, from recordings alone and together.
///
/// Fits the share of its solo speed that each of two streams has on the first repetition, predicts every chunk of the
/// others from the recordings alone, and says how far off it is and which sets a share cannot describe.
#[derive(Args, Debug)]
pub(crate) struct PredictArgs {
    /// A set, or a folder of sets: recordings or raw captures called REPETITION-solo-AGENT.jsonl and
    /// REPETITION-both-AGENT.jsonl, or folders NAME-solo and NAME-clientsN with an AGENT.jsonl each
    #[arg(value_name = "DIR")]
    dir: PathBuf,
}

/// Runs the verb.
pub(super) fn predict(args: &PredictArgs) -> Result<Completion, CommandError> {
    say(&shares::page::page(&shares::predict(&args.dir)?))?;
    Ok(Completion::Done)
}
