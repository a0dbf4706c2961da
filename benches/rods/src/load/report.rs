//! What is said about a window.

use anyhow::Result;
use serde::Serialize;

use super::tally::{Errors, Tally};
use super::{LoadArgs, Stamp};
use crate::proc::{self, Usage};
use crate::quantile::Quantiles;
use crate::sys;

/// What the machine had used at one instant.
pub(super) struct Sample {
    /// By the clock of the run.
    pub(super) at: i64,
    server: Option<Usage>,
    own: i64,
    machine: u64,
    segments: Option<u64>,
}

impl Sample {
    pub(super) fn take(pid: Option<u32>, at: i64) -> Result<Self> {
        let server = pid.map(Usage::of).transpose()?;
        Ok(Self { at, server, own: sys::own_cpu(), machine: proc::machine_ticks()?, segments: proc::data_segments() })
    }

    /// Cores that neither the server nor this program has used since `before`.
    pub(super) fn others_since(&self, before: &Self) -> f64 {
        let machine = proc::seconds(self.machine.saturating_sub(before.machine));
        let ours = seconds(self.own - before.own) + self.server_since(before).unwrap_or_default();
        ((machine - ours) / seconds(self.at - before.at)).max(0.0)
    }

    /// CPU seconds of the server since `before`, where there is one.
    fn server_since(&self, before: &Self) -> Option<f64> {
        let (now, then) = self.server.zip(before.server)?;
        Some(proc::seconds(now.ticks.saturating_sub(then.ticks)))
    }
}

/// The server in the window.
#[derive(Debug, Serialize)]
pub(super) struct Server {
    /// Cores: CPU seconds a second.
    cpu: f64,
    cpu_ns_per_token: f64,
    /// At the window's end.
    rss_kib: u64,
    peak_rss_kib: u64,
    threads: u64,
}

/// One window, as it is printed.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    streams: u32,
    gap_us: u32,
    window_s: f64,
    responses: u64,
    requests_per_s: f64,
    tokens: u64,
    tokens_per_s: f64,
    bytes: u64,
    errors: Errors,
    tokens_per_read: f64,
    tokens_per_chunk: f64,
    /// TCP segments with data that the network namespace sent, less the requests, over tokens; `null` where the kernel does
    /// not count them.
    segments_per_token: Option<f64>,
    /// Where the instants of arrivals are from; `kernel` only if all of them are.
    stamp: &'static str,
    ttft_us: Option<Quantiles>,
    lateness_us: Option<Quantiles>,
    gap_error_us: Option<Quantiles>,
    /// Over the answer, of each stream that got half of it at least.
    drift_us: Option<Quantiles>,
    server: Option<Server>,
    load_cpu: f64,
    /// Cores that neither the server nor this program used.
    other_cpu: f64,
}

impl Report {
    pub(super) fn new(args: &LoadArgs, tally: Tally, opened: &Sample, closed: &Sample) -> Self {
        let window_s = seconds(closed.at - opened.at);
        let load = seconds(closed.own - opened.own);
        let used = closed.server_since(opened).zip(closed.server);
        let segments = closed.segments.zip(opened.segments);
        let segments = segments.map(|(after, before)| after.saturating_sub(before).saturating_sub(tally.asked));
        let stamped = args.gap_us > 0 && args.stamp == Stamp::Kernel && tally.stamped == tally.reads;
        Self {
            streams: args.streams,
            gap_us: args.gap_us,
            window_s,
            responses: tally.responses,
            requests_per_s: ratio(tally.responses, window_s),
            tokens: tally.tokens,
            tokens_per_s: ratio(tally.tokens, window_s),
            bytes: tally.bytes,
            errors: tally.errors,
            tokens_per_read: ratio(tally.tokens, as_f64(tally.reads)),
            tokens_per_chunk: ratio(tally.tokens, as_f64(tally.chunks)),
            segments_per_token: segments.map(|segments| ratio(segments, as_f64(tally.tokens))),
            stamp: if stamped { "kernel" } else { "user" },
            ttft_us: tally.ttft.quantiles(),
            lateness_us: tally.lateness.quantiles(),
            gap_error_us: tally.gap_error.quantiles(),
            drift_us: tally.drift.quantiles(),
            server: used.map(|(cpu, after)| Server {
                cpu: cpu / window_s,
                cpu_ns_per_token: if tally.tokens == 0 { 0.0 } else { cpu * 1e9 / as_f64(tally.tokens) },
                rss_kib: after.rss_kib,
                peak_rss_kib: after.peak_rss_kib,
                threads: after.threads,
            }),
            load_cpu: load / window_s,
            other_cpu: closed.others_since(opened),
        }
    }
}

/// Nothing over nothing is nothing.
fn ratio(count: u64, over: f64) -> f64 {
    if over == 0.0 { 0.0 } else { as_f64(count) / over }
}

#[expect(clippy::cast_precision_loss, reason = "counts of one run are far below 2^52")]
fn as_f64(count: u64) -> f64 {
    count as f64
}

#[expect(clippy::cast_precision_loss, reason = "durations of one run are far below 2^52 ns")]
fn seconds(nanos: i64) -> f64 {
    nanos as f64 / 1e9
}
