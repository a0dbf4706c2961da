//! What is said about a window.

use std::time::Duration;

use anyhow::Result;
use serde::Serialize;

use super::tally::{Errors, Tally};
use super::{LoadArgs, Stamp};
use crate::proc::{self, Machine, Usage};
use crate::quantile::Quantiles;
use crate::sys;

/// What the machine had used at one instant.
pub(super) struct Sample {
    /// By the clock of the run.
    pub(super) at: i64,
    server: Option<Usage>,
    /// This program, and its CPU time to the nanosecond.
    this: Usage,
    own: i64,
    machine: Machine,
    segments: Option<u64>,
}

impl Sample {
    pub(super) fn take(pid: Option<u32>, at: i64) -> Result<Self> {
        let (server, this) = (pid.map(Usage::of).transpose()?, Usage::of(std::process::id())?);
        let (own, machine) = (sys::own_cpu(), Machine::now()?);
        Ok(Self { at, server, this, own, machine, segments: proc::data_segments() })
    }

    /// Cores that neither the server nor this program has had since `before`, by the larger of two accounts.
    ///
    /// By what all processes had, less what these two had: it misses others as long as the two are busy, since the kernel
    /// counts their interrupts as their time and not as any process's. By the time that the two were in line for a core,
    /// and the host's: it misses others as long as the two sleep.
    pub(super) fn others_since(&self, before: &Self) -> f64 {
        let passed = seconds(self.at - before.at);
        let ticks = |of: fn(&Machine) -> u64| proc::seconds(of(&self.machine).saturating_sub(of(&before.machine)));
        let (stolen, own) = (ticks(|machine| machine.stolen), seconds(self.own - before.own));
        let used = ticks(|machine| machine.busy) + stolen - own - self.server_since(before).unwrap_or_default();
        let mut taken = stolen + in_line(before.this, self.this, own, passed);
        if let Some((then, now)) = before.server.zip(self.server) {
            taken += in_line(then, now, self.server_since(before).unwrap_or_default(), passed);
        }
        used.max(taken).max(0.0) / passed
    }

    /// CPU seconds of the server since `before`, where there is one.
    fn server_since(&self, before: &Self) -> Option<f64> {
        self.server_ticks_since(before, |usage| usage.ticks)
    }

    /// Of those, the ones in user mode.
    fn server_user_since(&self, before: &Self) -> Option<f64> {
        self.server_ticks_since(before, |usage| usage.user_ticks)
    }

    fn server_ticks_since(&self, before: &Self, ticks: fn(&Usage) -> u64) -> Option<f64> {
        let (now, then) = self.server.zip(before.server)?;
        Some(proc::seconds(ticks(&now).saturating_sub(ticks(&then))))
    }
}

/// Seconds in which others had the core that a process was in line for. Its own threads are in line for each other, too; what
/// it did not use of its cores is the most that others can have had.
fn in_line(then: Usage, now: Usage, used: f64, passed: f64) -> f64 {
    let waited = Duration::from_nanos(now.waited.saturating_sub(then.waited)).as_secs_f64();
    waited.min((f64::from(now.cores) * passed - used).max(0.0))
}

/// The server in the window.
#[derive(Debug, Serialize)]
pub(super) struct Server {
    /// Cores: CPU seconds a second.
    cpu: f64,
    cpu_ns_per_token: f64,
    /// Of that, in user mode: what the server's own code takes, whatever a send costs the kernel.
    user_ns_per_token: f64,
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
    /// Cores that neither the server nor this program had; see [`Sample::others_since`].
    other_cpu: f64,
}

impl Report {
    pub(super) fn new(args: &LoadArgs, tally: Tally, opened: &Sample, closed: &Sample) -> Self {
        let window_s = seconds(closed.at - opened.at);
        let load = seconds(closed.own - opened.own);
        let used = closed.server_since(opened).zip(closed.server_user_since(opened)).zip(closed.server);
        let per_token = |seconds: f64| if tally.tokens == 0 { 0.0 } else { seconds * 1e9 / as_f64(tally.tokens) };
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
            server: used.map(|((cpu, user), after)| Server {
                cpu: cpu / window_s,
                cpu_ns_per_token: per_token(cpu),
                user_ns_per_token: per_token(user),
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

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    /// After `seconds`: the server had so many clock ticks, waited so long for its core, and this is the machine.
    fn sample(seconds: i64, ticks: u64, waited: u64, machine: Machine) -> Sample {
        let server = Usage { ticks, waited, cores: 1, ..Usage::default() };
        let this = Usage { cores: 1, ..Usage::default() };
        Sample { at: seconds * 1_000_000_000, server: Some(server), this, own: 0, machine, segments: None }
    }

    fn others(ticks: u64, waited: u64, machine: Machine) -> f64 {
        sample(1, ticks, waited, machine).others_since(&sample(0, 0, 0, Machine::default()))
    }

    #[test]
    fn what_others_used_is_seen_when_the_server_sleeps() {
        let all = rustix::param::clock_ticks_per_second();
        assert!((others(0, 0, Machine { busy: all / 2, stolen: 0 }) - 0.5).abs() < 1e-9);
        assert!((others(all / 4, 0, Machine { busy: all / 2, stolen: 0 }) - 0.25).abs() < 1e-9);
    }

    #[test]
    fn what_others_took_is_seen_when_interrupts_hide_what_they_used() {
        let all = rustix::param::clock_ticks_per_second();
        // 0.7 of a core are counted as the server's, 0.3 of them interrupts, which no process is busy with; others had 0.3.
        let machine = Machine { busy: all * 7 / 10, stolen: 0 };
        assert!((others(all * 7 / 10, SECOND * 3 / 10, machine) - 0.3).abs() < 1e-9);
    }

    #[test]
    fn what_the_host_took_is_seen() {
        let all = rustix::param::clock_ticks_per_second();
        let machine = Machine { busy: all / 2, stolen: all / 5 };
        assert!((others(all * 4 / 5, 0, machine) - 0.2).abs() < 1e-9);
    }

    #[test]
    fn threads_of_a_server_that_wait_for_each_other_are_no_others() {
        let all = rustix::param::clock_ticks_per_second();
        assert!(others(all, 3 * SECOND, Machine { busy: all, stolen: 0 }) < 1e-9);
    }
}
