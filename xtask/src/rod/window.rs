//! One measurement of a server by `rods load`.

use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;

use super::server::{REQUEST, Server};
use super::{LOAD_CPU, Rods, TOKENS, output};

/// What is asked of a server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    pub(crate) streams: u32,
    /// The server's gap; 0: it sends as fast as it can.
    pub(crate) gap_us: u32,
    /// Seconds that are measured.
    pub(crate) seconds: f64,
    /// Seconds to wait for a quiet machine.
    pub(crate) patience: f64,
}

/// What `rods load` says, as far as it is judged.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Window {
    pub(crate) tokens_per_s: f64,
    errors: Errors,
    pub(crate) segments_per_token: Option<f64>,
    pub(crate) lateness_us: Option<Quantiles>,
    pub(crate) drift_us: Option<Quantiles>,
    pub(crate) server: Usage,
    pub(crate) other_cpu: f64,
}

#[derive(Clone, Copy, Debug, Deserialize)]
struct Errors {
    io: u64,
    status: u64,
    tokens: u64,
}

/// In microseconds.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct Quantiles {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
}

/// Of the server's process.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct Usage {
    /// Cores.
    pub(crate) cpu: f64,
    pub(crate) cpu_ns_per_token: f64,
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
    let Load { streams, gap_us, seconds, patience } = load;
    // Many connections are opened over a second, and every stream of them has a moment before it counts.
    let (ramp_ms, warm) = if streams > 1 && gap_us > 0 { (1000, 1.5) } else { (0, 0.5) };
    // It, too, ends when this program does.
    command.args(["on", "--cpu", LOAD_CPU, "--"]).arg(&rods.rod).args(["load", "--body", REQUEST]);
    for (flag, value) in [
        ("--addr", server.addr().to_string()),
        ("--pid", server.pid().to_string()),
        ("--tokens", TOKENS.to_string()),
        ("--streams", streams.to_string()),
        ("--gap-us", gap_us.to_string()),
        ("--ramp-ms", ramp_ms.to_string()),
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
        "server":{"cpu":0.1,"cpu_ns_per_token":5.0,"rss_kib":2000,"threads":2},"load_cpu":0.1,"other_cpu":0.02}"#;

    #[test]
    fn a_window_is_read() {
        let window = Window::parse(QUIET).unwrap();
        assert_eq!((window.tokens_per_s, window.other_cpu, window.server.rss_kib), (99.5, 0.02, 2000));
        assert!(window.lateness_us.is_some_and(|late| late.p99 > late.p50) && window.drift_us.is_none());
    }

    #[test]
    fn answers_that_were_not_whole_are_no_measurement() {
        for error in ["io", "status", "tokens"] {
            let text = QUIET.replace(&format!("\"{error}\":0"), &format!("\"{error}\":3"));
            assert!(Window::parse(&text).unwrap_err().to_string().starts_with("the answers were not whole"), "{error}");
        }
    }
}
