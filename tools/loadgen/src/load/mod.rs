//! `loadgen load`: asks for streams, and says how fast and how punctually they came.
//!
//! One thread, one epoll. A connection asks again as soon as its answer is complete (a closed loop). Nothing is allocated on
//! the way of a token. [`stream`] is one connection, [`drive`] the loop, [`tally`] what is counted, [`sample`] what processes had used, and the report.

mod drive;
mod sample;
mod stream;
mod tally;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use clap::Args;

use crate::{proc, sys};

/// Ask a server for streams, and print how fast and how punctually they came, as one JSON object.
///
/// Paced servers (--gap-us): each token is held to the schedule that fits its stream best, so that a drift shows and a
/// constant delay does not.
#[derive(Args, Debug)]
pub(crate) struct LoadArgs {
    /// The server
    #[arg(long)]
    addr: SocketAddr,
    /// The body of the request, which goes to /api/generate
    #[arg(long, default_value = r#"{"model":"lab","prompt":"hi"}"#)]
    body: String,
    /// Streams at a time, each on its own connection
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    streams: u32,
    /// Seconds that are measured
    #[arg(long, default_value_t = 3.0, value_parser = seconds)]
    duration: f64,
    /// Seconds before those
    #[arg(long, default_value_t = 1.0, value_parser = seconds)]
    warm: f64,
    /// Milliseconds over which the connections are opened
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=60_000))]
    ramp_ms: u32,
    /// The server's gap between tokens, in microseconds; 0: it sends as fast as it can
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=60_000_000))]
    gap_us: u32,
    /// Tokens that an answer must have; 0: any number
    #[arg(long, default_value_t = 0)]
    tokens: u32,
    /// The server's process, to sample its CPU time and memory
    #[arg(long)]
    pid: u32,
    /// Seconds to wait at most until nothing but the server and this program uses more than 0.15 cores
    #[arg(long, default_value_t = 0.0, value_parser = seconds)]
    patience: f64,
}

/// The longest run, in seconds.
const MAX_SECONDS: f64 = 600.0;

/// The host is quiet when others use no more cores than this.
const MAX_OTHER_CORES: f64 = 0.15;

/// How long the use of cores is sampled to see whether it is.
const SETTLE_INTERVAL: Duration = Duration::from_millis(300);

fn seconds(text: &str) -> Result<f64, String> {
    let seconds: f64 = text.parse().map_err(|_| format!("{text} is not a number"))?;
    if (0.0..=MAX_SECONDS).contains(&seconds) { Ok(seconds) } else { Err(format!("0 to {MAX_SECONDS} seconds")) }
}

/// Runs the verb.
pub(crate) fn run(args: &LoadArgs) -> anyhow::Result<()> {
    sys::raise_descriptors()?;
    sys::sharpen_timers();
    proc::ensure_running(args.pid)?;
    settle(args)?;
    let report = drive::Load::new(args, request(args))?.run()?;
    println!("{}", serde_json::to_string(&report)?);
    Ok(())
}

/// Waits until the host is quiet, but no longer than the flags allow.
fn settle(args: &LoadArgs) -> anyhow::Result<()> {
    let begun = Instant::now();
    while begun.elapsed().as_secs_f64() < args.patience {
        let before = sample::Sample::take(args.pid, sys::monotonic())?;
        std::thread::sleep(SETTLE_INTERVAL);
        if sample::Sample::take(args.pid, sys::monotonic())?.others_since(&before) <= MAX_OTHER_CORES {
            break;
        }
    }
    Ok(())
}

/// The bytes of the request.
fn request(LoadArgs { addr, body, .. }: &LoadArgs) -> Vec<u8> {
    let length = body.len();
    let head = format!("POST /api/generate HTTP/1.1\r\nHost: {addr}\r\nContent-Type: application/json\r\n");
    format!("{head}Content-Length: {length}\r\n\r\n{body}").into_bytes()
}
