//! One measurement of a server by `loadgen load`.

use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use loadgen::report::{LoadReport, RequestErrors, ServerUsage};

use super::{LOAD_CORE, Setup, TOKENS};
use crate::process::output;
use crate::server::{REQUEST, ServerProcess};

/// Many paced connections are opened over a second, so that their tokens are spread.
const RAMP_MS: u32 = 1000;

/// What is asked of a server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    pub(crate) streams: u32,
    /// The server's gap; 0: it sends as fast as it can.
    pub(crate) gap_us: u32,
    /// Seconds before those that are measured.
    pub(crate) warm: f64,
    /// Seconds that are measured.
    pub(crate) seconds: f64,
    /// Seconds to wait for a quiet host.
    pub(crate) patience: f64,
}

/// Whether connections are opened bit by bit.
fn ramps(streams: u32, gap_us: u32) -> bool {
    streams > 1 && gap_us > 0
}

/// Seconds after which every stream has had a moment before it counts.
pub(crate) fn usual_warm(streams: u32, gap_us: u32) -> f64 {
    if ramps(streams, gap_us) { 1.5 } else { 0.5 }
}

/// Measures a server. A measurement that others disturbed is repeated `retries` times at most; the least disturbed is kept.
pub(crate) fn measure(
    setup: &Setup,
    server: &ServerProcess,
    load: Load,
    retries: u32,
    max_other_cores: f64,
) -> Result<LoadReport> {
    let mut best: Option<LoadReport> = None;
    for _ in 0..=retries {
        let window = parse(&run(setup, server, load)?)?;
        let is_quiet = window.other_cpu <= max_other_cores;
        if best.as_ref().is_none_or(|best| window.other_cpu < best.other_cpu) {
            best = Some(window);
        }
        if is_quiet {
            break;
        }
    }
    best.context("nothing was measured")
}

/// Joins windows of one length to one; what cannot be joined is the first window's. `None` for none.
pub(crate) fn joined(windows: &[LoadReport]) -> Option<LoadReport> {
    let first = windows.first()?;
    let tokens: f64 = windows.iter().map(|window| window.tokens_per_s).sum();
    let mean = |value: fn(&LoadReport) -> f64| {
        let weighted: f64 = windows.iter().map(|window| value(window) * window.tokens_per_s).sum();
        if tokens > 0.0 { weighted / tokens } else { value(first) }
    };
    #[expect(clippy::cast_precision_loss, reason = "there are few windows")]
    let over = |sum: f64| sum / windows.len() as f64;
    let segments = windows.iter().all(|window| window.segments_per_token.is_some());
    Some(LoadReport {
        tokens_per_s: over(tokens),
        segments_per_token: segments.then(|| mean(|window| window.segments_per_token.unwrap_or_default())),
        server: ServerUsage {
            cpu: over(windows.iter().map(|window| window.server.cpu).sum()),
            cpu_ns_per_token: mean(|window| window.server.cpu_ns_per_token),
            user_ns_per_token: mean(|window| window.server.user_ns_per_token),
            rss_kib: windows.iter().map(|window| window.server.rss_kib).max()?,
        },
        other_cpu: over(windows.iter().map(|window| window.other_cpu).sum()),
        ..first.clone()
    })
}

fn parse(text: &str) -> Result<LoadReport> {
    let window: LoadReport = serde_json::from_str(text).context("cannot read what `loadgen load` printed")?;
    let RequestErrors { io, status, tokens } = window.errors;
    ensure!(
        io + status + tokens == 0,
        "the answers were not whole: {io} connections broke, {status} statuses were not 200, {tokens} answers had other \
         tokens"
    );
    Ok(window)
}

fn run(setup: &Setup, server: &ServerProcess, load: Load) -> Result<String> {
    let mut command = Command::new(&setup.loadgen);
    let Load { streams, gap_us, warm, seconds, patience } = load;
    // It, too, ends when this program does.
    command.args(["on", "--cpu", LOAD_CORE, "--"]).arg(&setup.loadgen).args(["load", "--body", REQUEST]);
    for (flag, value) in [
        ("--addr", server.addr().to_string()),
        ("--pid", server.pid().to_string()),
        ("--tokens", TOKENS.to_string()),
        ("--streams", streams.to_string()),
        ("--gap-us", gap_us.to_string()),
        ("--ramp-ms", if ramps(streams, gap_us) { RAMP_MS } else { 0 }.to_string()),
        ("--warm", warm.to_string()),
        ("--duration", seconds.to_string()),
        ("--patience", patience.to_string()),
    ] {
        command.args([flag, &value]);
    }
    output(&mut command)
}

#[cfg(test)]
mod tests {
    use super::{joined, parse};

    const QUIET: &str = r#"{"streams":1,"gap_us":0,"window_s":1.0,"tokens":99,
        "tokens_per_s":99.5,"errors":{"io":0,"status":0,"tokens":0},
        "segments_per_token":1.0,"kernel_stamps":true,
        "lateness_us":{"samples":3,"dropped":0,"p50":10.0,"p99":20.0,"max":30.0},"drift_us":null,
        "server":{"cpu":0.1,"cpu_ns_per_token":5.0,"user_ns_per_token":1.0,"rss_kib":2000},
        "other_cpu":0.02}"#;

    #[test]
    fn a_window_is_read() {
        let window = parse(QUIET).unwrap();
        assert_eq!((window.tokens_per_s, window.other_cpu, window.server.rss_kib), (99.5, 0.02, 2000));
        assert!(window.lateness_us.is_some_and(|late| late.p99 > late.p50) && window.drift_us.is_none());
    }

    #[test]
    fn windows_of_one_length_are_one_in_which_every_token_counts_the_same() {
        let one = parse(QUIET).unwrap();
        assert_eq!(joined(std::slice::from_ref(&one)), Some(one.clone()));
        let changes = [
            ("99.5", "298.5"),
            ("5.0", "9.0"),
            (":1.0,\"rss", ":5.0,\"rss"),
            ("_kib\":2000", "_kib\":3000"),
            ("0.02", "0.12"),
        ];
        let text = changes.iter().fold(QUIET.to_owned(), |text, (from, to)| text.replace(from, to));
        let both = joined(&[one, parse(&text).unwrap()]).unwrap();
        assert_eq!((both.tokens_per_s, both.server.rss_kib), (199.0, 3000));
        assert_eq!((both.server.cpu_ns_per_token, both.server.user_ns_per_token), (8.0, 4.0));
        assert!((both.other_cpu - 0.07).abs() < 1e-9 && both.segments_per_token == Some(1.0));
        assert_eq!(joined(&[]), None);
    }

    #[test]
    fn answers_that_were_not_whole_are_no_measurement() {
        for error in ["io", "status", "tokens"] {
            let text = QUIET.replace(&format!("\"{error}\":0"), &format!("\"{error}\":3"));
            assert!(parse(&text).unwrap_err().to_string().starts_with("the answers were not whole"), "{error}");
        }
    }
}
