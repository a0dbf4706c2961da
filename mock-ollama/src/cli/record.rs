//! `mock-ollama record`: a proxy that writes recordings until Ctrl-C.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::mpsc;

use clap::{Args, ValueEnum};
use mock_ollama::driver::raise_descriptor_limit;
use mock_ollama::record::{Recorder, RecorderConfig, UpstreamUrl};
use mock_ollama::scrub::{KNOWN_PATTERNS, Scrub};
use mock_ollama::terminal::{complain, say};

use super::error::{EXIT_IO, VerbError};
use super::serve::{origins, parse_listen, warn_of_open};

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
    /// Make tokens of well-known shapes unreadable (sk-…, ghp_…, AKIA…, JWT, Bearer …), or only what --scrub matches
    #[arg(long, value_name = "WHICH", value_enum, default_value_t = Known::Default)]
    scrub_known: Known,
}

/// Which shapes of tokens are scrubbed without being asked for.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Known {
    Default,
    None,
}

impl Known {
    fn patterns(self) -> &'static [&'static str] {
        match self {
            Self::Default => KNOWN_PATTERNS,
            Self::None => &[],
        }
    }
}

/// Runs the verb.
pub(crate) fn run(args: RecordArgs) -> anyhow::Result<()> {
    let known = args.scrub_known.patterns().iter().copied();
    let scrub = Scrub::new(args.scrub.iter().map(String::as_str).chain(known)).map_err(VerbError::Pattern)?;
    let origins = origins()?;
    raise_descriptor_limit();
    let shown = args.out.display().to_string();
    let upstream = args.upstream.to_string();
    let recorder = Recorder::start(RecorderConfig {
        upstream: args.upstream,
        out: args.out,
        listen: args.listen,
        origins,
        scrub,
        complain: |line| complain(line),
    })
    .map_err(VerbError::from)?;
    warn_of_open([recorder.addr()]);
    // Only now: while the upstream's name is being looked up, Ctrl-C ends the program as it ends any other.
    let stopped = catch_stop()?;
    say(&format!("recording {upstream} to {shown}, listening on {}\n", recorder.url())).map_err(VerbError::Stdout)?;
    // The handler, and with it the sender, lives as long as the process.
    let _ = stopped.recv();
    match recorder.finish() {
        0 => Ok(()),
        lost => Err(VerbError::NotRecorded(lost).into()),
    }
}

/// Returns the channel that the first Ctrl-C or SIGTERM sends to. The second one ends the program at once.
fn catch_stop() -> Result<mpsc::Receiver<()>, VerbError> {
    let (stop, stopped) = mpsc::channel();
    let mut is_second = false;
    ctrlc::set_handler(move || {
        if std::mem::replace(&mut is_second, true) {
            std::process::exit(i32::from(EXIT_IO));
        }
        // The receiver is gone when the program is on its way out.
        let _ = stop.send(());
    })
    .map_err(|error| VerbError::Signal(error.to_string()))?;
    Ok(stopped)
}
