//! One measurement of a server by `rods load`.

use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;

use super::server::{REQUEST, Server};
use super::{LOAD_CPU, Rods, TOKENS, output};

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
    /// Seconds to wait for a quiet machine.
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

/// What `rods load` says, as far as it is judged.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct Window {
    pub(crate) tokens_per_s: f64,
    errors: Errors,
    pub(crate) segments_per_token: Option<f64>,
    pub(crate) lateness_us: Option<Quantiles>,
    pub(crate) drift_us: Option<Quantiles>,
    pub(crate) server: Usage,
    pub(crate) other_cpu: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
struct Errors {
    io: u64,
    status: u64,
    tokens: u64,
}

/// In microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub(crate) struct Quantiles {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
}

/// Of the server's process.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub(crate) struct Usage {
    /// Cores.
    pub(crate) cpu: f64,
    pub(crate) cpu_ns_per_token: f64,
    /// Of that, in user mode.
    pub(crate) user_ns_per_token: f64,
    pub(crate) rss_kib: u64,
}

impl Window {
    /// Measures a server. A measurement that others disturbed is repeated `retries` times at most; the least disturbed is kept.
    pub(crate) fn measure(
        rods: &Rods,
        server: &Server,
        load: Load,
        retries: u32,
        quiet: f64,
    ) -> Result<(Self, String)> {
        let mut best: Option<(Self, String)> = None;
        for _ in 0..=retries {
            let text = run(rods, server, load)?;
            let window = Self::parse(&text)?;
            let other_cpu = window.other_cpu;
            if best.as_ref().is_none_or(|(best, _)| other_cpu < best.other_cpu) {
                best = Some((window, text));
            }
            if other_cpu <= quiet {
                break;
            }
        }
        best.context("nothing was measured")
    }

    /// Windows of one length as one; of lateness and drift, what the first says. `None` for none.
    pub(crate) fn joined(windows: &[Self]) -> Option<Self> {
        let first = windows.first()?;
        let tokens: f64 = windows.iter().map(|window| window.tokens_per_s).sum();
        let mean = |value: fn(&Self) -> f64| {
            let weighted: f64 = windows.iter().map(|window| value(window) * window.tokens_per_s).sum();
            if tokens > 0.0 { weighted / tokens } else { value(first) }
        };
        #[expect(clippy::cast_precision_loss, reason = "there are few windows")]
        let over = |sum: f64| sum / windows.len() as f64;
        let segments = windows.iter().all(|window| window.segments_per_token.is_some());
        Some(Self {
            tokens_per_s: over(tokens),
            segments_per_token: segments.then(|| mean(|window| window.segments_per_token.unwrap_or_default())),
            server: Usage {
                cpu: over(windows.iter().map(|window| window.server.cpu).sum()),
                cpu_ns_per_token: mean(|window| window.server.cpu_ns_per_token),
                user_ns_per_token: mean(|window| window.server.user_ns_per_token),
                rss_kib: windows.iter().map(|window| window.server.rss_kib).max()?,
            },
            other_cpu: over(windows.iter().map(|window| window.other_cpu).sum()),
            ..first.clone()
        })
    }

    fn parse(text: &str) -> Result<Self> {
        let window: Self = serde_json::from_str(text).context("cannot read what `rods load` printed")?;
        let Errors { io, status, tokens } = window.errors;
        ensure!(
            io + status + tokens == 0,
            "the answers were not whole: {io} connections broke, {status} statuses were not 200, {tokens} answers had other \
             tokens"
        );
        Ok(window)
    }
}

fn run(rods: &Rods, server: &Server, load: Load) -> Result<String> {
    let mut command = Command::new(&rods.rod);
    let Load { streams, gap_us, warm, seconds, patience } = load;
    // It, too, ends when this program does.
    command.args(["on", "--cpu", LOAD_CPU, "--"]).arg(&rods.rod).args(["load", "--body", REQUEST]);
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
    use super::Window;

    const QUIET: &str = r#"{"streams":1,"tokens_per_s":99.5,"errors":{"io":0,"status":0,"tokens":0},"segments_per_token":1.0,
        "lateness_us":{"p50":10.0,"p99":20.0,"max":30.0},"drift_us":null,
        "server":{"cpu":0.1,"cpu_ns_per_token":5.0,"user_ns_per_token":1.0,"rss_kib":2000,"threads":2},"load_cpu":0.1,"other_cpu":0.02}"#;

    #[test]
    fn a_window_is_read() {
        let window = Window::parse(QUIET).unwrap();
        assert_eq!((window.tokens_per_s, window.other_cpu, window.server.rss_kib), (99.5, 0.02, 2000));
        assert!(window.lateness_us.is_some_and(|late| late.p99 > late.p50) && window.drift_us.is_none());
    }

    #[test]
    fn windows_of_one_length_are_one_in_which_every_token_counts_the_same() {
        let one = Window::parse(QUIET).unwrap();
        assert_eq!(Window::joined(std::slice::from_ref(&one)), Some(one.clone()));
        let changes =
            [("99.5", "298.5"), ("5.0", "9.0"), (":1.0,\"rss", ":5.0,\"rss"), ("2000", "3000"), ("0.02", "0.12")];
        let text = changes.iter().fold(QUIET.to_owned(), |text, (from, to)| text.replace(from, to));
        let joined = Window::joined(&[one, Window::parse(&text).unwrap()]).unwrap();
        assert_eq!((joined.tokens_per_s, joined.server.rss_kib), (199.0, 3000));
        assert_eq!((joined.server.cpu_ns_per_token, joined.server.user_ns_per_token), (8.0, 4.0));
        assert!((joined.other_cpu - 0.07).abs() < 1e-9 && joined.segments_per_token == Some(1.0));
        assert_eq!(Window::joined(&[]), None);
    }

    #[test]
    fn answers_that_were_not_whole_are_no_measurement() {
        for error in ["io", "status", "tokens"] {
            let text = QUIET.replace(&format!("\"{error}\":0"), &format!("\"{error}\":3"));
            assert!(Window::parse(&text).unwrap_err().to_string().starts_with("the answers were not whole"), "{error}");
        }
    }
}
