//! `mock-ollama record`: a proxy that writes recordings until Ctrl-C.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::mpsc;

use clap::Args;
use mock_ollama::record::{Recorder, RecorderConfig, UpstreamUrl};
use mock_ollama::scrub::Scrub;
use mock_ollama::terminal::{complain, say};

use super::error::VerbError;
use super::serve::{parse_listen, warn_of_open};

/// Record what clients and a real server say to each other, until Ctrl-C.
///
/// Point clients at this instead of the server; every exchange becomes a recording.
#[derive(Args, Debug)]
pub(crate) struct RecordArgs {
    /// The server to record, http:// only
    #[arg(long, value_name = "URL")]
    upstream: UpstreamUrl,
    /// The folder for recordings
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Where clients connect; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0", value_parser = parse_listen)]
    listen: SocketAddr,
    /// Make everything unreadable that this regular expression matches; may be given several times
    #[arg(long, value_name = "REGEX")]
    scrub: Vec<String>,
}

/// Runs the verb.
pub(crate) fn run(args: RecordArgs) -> anyhow::Result<()> {
    let scrub = Scrub::new(args.scrub.iter().map(String::as_str)).map_err(VerbError::Pattern)?;
    let (stop, stopped) = mpsc::channel();
    ctrlc::set_handler(move || {
        // A second Ctrl-C finds the receiver gone, and the program on its way out.
        let _ = stop.send(());
    })
    .map_err(|error| VerbError::Signal(error.to_string()))?;
    let shown = args.out.display().to_string();
    let upstream = args.upstream.to_string();
    let recorder = Recorder::start(RecorderConfig {
        upstream: args.upstream,
        out: args.out,
        listen: args.listen,
        scrub,
        complain: |line| complain(line),
    })
    .map_err(VerbError::from)?;
    warn_of_open([recorder.addr()]);
    say(&format!("recording {upstream} to {shown}, listening on {}\n", recorder.url())).map_err(VerbError::Stdout)?;
    // The handler, and with it the sender, lives as long as the process.
    let _ = stopped.recv();
    recorder.finish();
    Ok(())
}
