//! `loadgen raw`: a server that sends pre-encoded chunks and does nothing else.
//!
//! It is the ceiling: whatever a server does beyond this costs something. Any request gets the same answer. [`frames`] is the
//! answer, [`conn`] a connection, [`serve`] the loop.

mod conn;
mod frames;
mod serve;

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};

use crate::sys;

/// Serve one pre-encoded answer to any request, as fast or as punctually as a socket allows.
///
/// Prints `listening on http://ADDR` as its only line on standard output once clients can connect.
#[derive(Args, Debug)]
pub(crate) struct RawArgs {
    /// How the answer leaves
    #[arg(long, value_enum, default_value_t = SendMode::Flush)]
    mode: SendMode,
    /// The answer: a file of lines, each of which is a token and a chunk
    #[arg(long, value_name = "FILE")]
    body: PathBuf,
    /// Microseconds between tokens, in the mode `paced`
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=60_000_000))]
    gap_us: u32,
    /// Something to do wrong, for controls that a gate must reject
    #[arg(long, value_enum)]
    fault: Option<RawFault>,
}

/// How an answer leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum SendMode {
    /// One send for each token
    Flush,
    /// One send for the whole answer
    Coalesced,
    /// One send for each token when it is due
    Paced,
}

/// What is done wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum RawFault {
    /// CPU time is burnt for each token
    Slow,
    /// Each gap is counted from when the token before left, so that the stream drifts
    Relative,
}

/// What the fault `slow` burns for each token: about as much as the kernel takes to send one, so that half the ceiling is lost.
/// With a pace each send wakes its client, and takes twice that.
const fn burn_nanos(mode: SendMode) -> i64 {
    match mode {
        SendMode::Flush | SendMode::Coalesced => 4_000,
        SendMode::Paced => 8_000,
    }
}

/// Runs the verb; ends when it is killed.
pub(crate) fn run(args: &RawArgs) -> anyhow::Result<()> {
    if (args.fault == Some(RawFault::Relative)) && args.mode != SendMode::Paced {
        bail!("only --mode paced has gaps that could be relative");
    }
    sys::raise_descriptors()?;
    sys::sharpen_timers();
    let path = &args.body;
    let body = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let frames = frames::encode(&body, args.mode == SendMode::Coalesced)?;
    let mut server = serve::RawServer::bind(args, frames)?;
    println!("listening on http://{}", server.addr()?);
    server.run()
}
