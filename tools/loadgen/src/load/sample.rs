//! What processes and the host had used at the two ends of a window, and the report on it.

use std::time::Duration;

use anyhow::Result;

use super::LoadArgs;
use super::tally::Tally;
use crate::proc::{self, HostTicks, ProcessUsage};
use crate::report::{LoadReport, ServerUsage};
use crate::sys;

/// What was used until one instant.
pub(super) struct Sample {
    /// By the clock of the run.
    pub(super) at: i64,
    server: ProcessUsage,
    /// This program, and its CPU time to the nanosecond.
    this: ProcessUsage,
    own: i64,
    host: HostTicks,
    segments: Option<u64>,
}

impl Sample {
    pub(super) fn take(pid: u32, at: i64) -> Result<Self> {
        let (server, this) = (ProcessUsage::of(pid)?, ProcessUsage::of(std::process::id())?);
        Ok(Self { at, server, this, own: sys::own_cpu(), host: HostTicks::now()?, segments: proc::data_segments() })
    }

    /// Cores that neither the server nor this program has had since `before`, by the larger of two accounts.
    ///
    /// By what all processes had, less what these two had: it misses others as long as the two are busy, since the kernel
    /// counts their interrupts as their time and not as any process's. By the time that the two were in line for a core,
    /// and the host's: it misses others as long as the two sleep.
    pub(super) fn others_since(&self, before: &Self) -> f64 {
        let passed = seconds(self.at - before.at);
        let ticks = |of: fn(&HostTicks) -> u64| proc::seconds(of(&self.host).saturating_sub(of(&before.host)));
        let server = self.server_since(before);
        let (stolen, own) = (ticks(|host| host.stolen), seconds(self.own - before.own));
        let used = ticks(|host| host.busy) + stolen - own - server;
        let taken =
            stolen + in_line(before.this, self.this, own, passed) + in_line(before.server, self.server, server, passed);
        used.max(taken).max(0.0) / passed
    }

    /// CPU seconds of the server since `before`.
    fn server_since(&self, before: &Self) -> f64 {
        proc::seconds(self.server.ticks.saturating_sub(before.server.ticks))
    }

    /// Of those, the ones in user mode.
    fn server_user_since(&self, before: &Self) -> f64 {
        proc::seconds(self.server.user_ticks.saturating_sub(before.server.user_ticks))
    }
}

/// Seconds in which others had the core that a process was in line for. Its own threads are in line for each other, too; what
/// it did not use of its cores is the most that others can have had.
fn in_line(then: ProcessUsage, now: ProcessUsage, used: f64, passed: f64) -> f64 {
    let waited = Duration::from_nanos(now.waited.saturating_sub(then.waited)).as_secs_f64();
    waited.min((f64::from(now.cores) * passed - used).max(0.0))
}

/// The report on a window between two samples.
pub(super) fn report(args: &LoadArgs, tally: Tally, opened: &Sample, closed: &Sample) -> LoadReport {
    let window_s = seconds(closed.at - opened.at);
    let (cpu, user) = (closed.server_since(opened), closed.server_user_since(opened));
    let per_token = |seconds: f64| if tally.tokens == 0 { 0.0 } else { seconds * 1e9 / as_f64(tally.tokens) };
    let segments = closed.segments.zip(opened.segments);
    let segments = segments.map(|(after, before)| after.saturating_sub(before).saturating_sub(tally.asked));
    LoadReport {
        streams: args.streams,
        gap_us: args.gap_us,
        window_s,
        tokens: tally.tokens,
        tokens_per_s: ratio(tally.tokens, window_s),
        errors: tally.errors,
        segments_per_token: segments.map(|segments| ratio(segments, as_f64(tally.tokens))),
        kernel_stamps: args.gap_us > 0 && tally.stamped == tally.reads,
        lateness_us: tally.lateness.quantiles(),
        drift_us: tally.drift.quantiles(),
        server: ServerUsage {
            cpu: cpu / window_s,
            cpu_ns_per_token: per_token(cpu),
            user_ns_per_token: per_token(user),
            rss_kib: closed.server.rss_kib,
        },
        other_cpu: closed.others_since(opened),
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

    /// A sample after `seconds`, with the server's clock ticks and its nanoseconds in line for a core.
    fn sample(seconds: i64, ticks: u64, waited: u64, host: HostTicks) -> Sample {
        let server = ProcessUsage { ticks, waited, cores: 1, ..ProcessUsage::default() };
        let this = ProcessUsage { cores: 1, ..ProcessUsage::default() };
        Sample { at: seconds * 1_000_000_000, server, this, own: 0, host, segments: None }
    }

    fn others(ticks: u64, waited: u64, host: HostTicks) -> f64 {
        sample(1, ticks, waited, host).others_since(&sample(0, 0, 0, HostTicks::default()))
    }

    #[test]
    fn what_others_used_is_seen_when_the_server_sleeps() {
        let all = rustix::param::clock_ticks_per_second();
        assert!((others(0, 0, HostTicks { busy: all / 2, stolen: 0 }) - 0.5).abs() < 1e-9);
        assert!((others(all / 4, 0, HostTicks { busy: all / 2, stolen: 0 }) - 0.25).abs() < 1e-9);
    }

    #[test]
    fn what_others_took_is_seen_when_interrupts_hide_what_they_used() {
        let all = rustix::param::clock_ticks_per_second();
        // 0.7 of a core are counted as the server's, 0.3 of them interrupts, which no process is busy with; others had 0.3.
        let host = HostTicks { busy: all * 7 / 10, stolen: 0 };
        assert!((others(all * 7 / 10, SECOND * 3 / 10, host) - 0.3).abs() < 1e-9);
    }

    #[test]
    fn what_the_host_took_is_seen() {
        let all = rustix::param::clock_ticks_per_second();
        let host = HostTicks { busy: all / 2, stolen: all / 5 };
        assert!((others(all * 4 / 5, 0, host) - 0.2).abs() < 1e-9);
    }

    #[test]
    fn threads_of_a_server_that_wait_for_each_other_are_no_others() {
        let all = rustix::param::clock_ticks_per_second();
        assert!(others(all, 3 * SECOND, HostTicks { busy: all, stolen: 0 }) < 1e-9);
    }
}
