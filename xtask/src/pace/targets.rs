//! What is measured and what is demanded.

use super::subject::{Fault, GAP_US};
use crate::measure::judge::{Round, TargetLimits, at_least, at_most};
use Counting::{Always, CeilingOnTime, Flushed, Quiet};
use Held::{ByGate, InFull, Shown};
use loadgen::report::LoadReport;

/// A host is quiet when others use no more cores than that.
pub(crate) const MAX_OTHER_CORES: f64 = 0.15;

/// Segments a token in which a server that flushes each must have sent them. Fewer: the kernel merged sends because the
/// reader was slow, and the server looks faster than it is.
const FLUSHED: f64 = 0.95;

/// The share of the demanded tokens a second that a server delivers when it keeps the pace.
const KEEPS_PACE: f64 = 0.99;

/// How an answer leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Flush,
    Coalesced,
    Paced,
}

/// One load on the server, and on the ceiling beside it.
pub(super) struct Measurement {
    pub(super) name: &'static str,
    pub(super) mode: Mode,
    pub(super) streams: u32,
    /// Seconds of a round, half of which are the gate's. Somebody else has the core for milliseconds every now and then: where a
    /// percentile is judged, a window has to be long enough to tell one such moment from a server that is late.
    pub(super) seconds: f64,
    /// Whether the ceiling is measured, too.
    pub(super) ceiling: bool,
    /// Servers that it must reject. What has none is not in `--quick`.
    pub(super) faults: &'static [Fault],
    pub(super) targets: &'static [Target],
}

impl Measurement {
    /// Two seconds of our server alone, which are not in `--quick`.
    const fn new(name: &'static str, mode: Mode, streams: u32, targets: &'static [Target]) -> Self {
        Self { name, mode, streams, seconds: 2.0, ceiling: false, faults: &[], targets }
    }

    /// Returns whether `--quick` has it.
    pub(super) fn is_quick(&self) -> bool {
        !self.faults.is_empty()
    }

    pub(super) fn gap_us(&self) -> u32 {
        if self.mode == Mode::Paced { GAP_US } else { 0 }
    }
}

/// What one round of a measurement gave.
pub(super) struct RoundPair {
    pub(super) ours: LoadReport,
    pub(super) raw: Option<LoadReport>,
    /// The server's memory before anybody asked.
    pub(super) idle_kib: u64,
    pub(super) streams: u32,
}

/// When a round counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counting {
    /// The host did little else.
    Quiet,
    /// And each token left in its own segment.
    Flushed,
    /// And the ceiling kept the pace: where it falls behind, lateness grows with the length of the window and says nothing
    /// of a server.
    CeilingOnTime,
    /// Memory does not depend on what else the host does.
    Always,
}

/// Who holds a target to its limits. The gate only shows what depends on how fast the host is.
#[derive(Clone, Copy)]
enum Held {
    Shown,
    /// All but the gate.
    InFull(TargetLimits),
    /// The gate, too: it is a ratio in one run, or a difference within a stream.
    ByGate(TargetLimits),
}

/// One line of the table.
pub(super) struct Target {
    pub(super) name: &'static str,
    pub(super) unit: &'static str,
    held: Held,
    counting: Counting,
    value: fn(&RoundPair) -> Option<f64>,
}

impl Target {
    /// What it is held to, by the gate or in full.
    pub(super) fn limits(&self, by_gate: bool) -> Option<TargetLimits> {
        match self.held {
            ByGate(limits) => Some(limits),
            InFull(limits) if !by_gate => Some(limits),
            InFull(_) | Shown => None,
        }
    }

    /// The target's value in one round; `None` where it cannot be told.
    pub(super) fn round(&self, pair: &RoundPair) -> Option<Round> {
        let all = |keeps: fn(&LoadReport) -> bool| keeps(&pair.ours) && pair.raw.as_ref().is_none_or(keeps);
        let quiet = all(|window| window.other_cpu <= MAX_OTHER_CORES);
        let flushed = quiet && all(|window| window.segments_per_token.is_some_and(|n| n >= FLUSHED));
        let on_time = |raw: &LoadReport| share_of_pace(raw, pair.streams) >= KEEPS_PACE;
        let counts = match self.counting {
            Quiet => quiet,
            Flushed => flushed,
            CeilingOnTime => flushed && pair.raw.as_ref().is_some_and(on_time),
            Always => true,
        };
        (self.value)(pair).map(|value| Round { value, counts })
    }
}

const fn target(
    name: &'static str,
    unit: &'static str,
    held: Held,
    counting: Counting,
    value: fn(&RoundPair) -> Option<f64>,
) -> Target {
    Target { name, unit, held, counting, value }
}

const FLUSH: &[Target] = &[
    target("flush per token: tokens/s ÷ raw", "", InFull(at_least(0.80, 0.95)), Flushed, rate_to_raw),
    // What costs a quarter more has 0.80 of the rate, and a nineteenth more 0.95.
    target(
        "flush per token: user CPU beyond raw's ÷ raw's CPU",
        "",
        ByGate(at_most(0.25, 0.053)),
        Flushed,
        own_work_to_raw,
    ),
    target("flush per token: raw's CPU per token ÷ ours", "", Shown, Flushed, cpu_to_raw),
];

const COALESCED: &[Target] = &[
    target("coalesced: million tokens/s", "", Shown, Quiet, |pair| Some(pair.ours.tokens_per_s / 1e6)),
    target("coalesced: raw's CPU per token ÷ ours", "", Shown, Quiet, cpu_to_raw),
];

const PACED_1: &[Target] = &[
    target("lateness, 1 stream: p50", " µs", InFull(at_most(150.0, 30.0)), Quiet, p50),
    target("lateness, 1 stream: p99", " µs", InFull(at_most(400.0, 100.0)), Quiet, p99),
    target("drift over 200 tokens, 1 stream", " µs", ByGate(at_most(1000.0, 200.0)), Quiet, drift),
];

const PACED_100: &[Target] = &[
    target("lateness, 100 streams: p50", " µs", InFull(at_most(150.0, 80.0)), Quiet, p50),
    target("lateness, 100 streams: p99", " µs", InFull(at_most(2800.0, 560.0)), Quiet, p99),
    target("drift over 200 tokens, 100 streams", " µs", InFull(at_most(1000.0, 200.0)), Quiet, drift),
];

const PACED_1000: &[Target] = &[
    target("1,000 × 10 ms: share of the pace", "", InFull(at_least(KEEPS_PACE, 0.995)), Quiet, OUR_SHARE_OF_PACE),
    target("1,000 × 10 ms: CPU", " cores", InFull(at_most(0.85, 0.70)), Quiet, |pair| Some(pair.ours.server.cpu)),
    target("1,000 × 10 ms: CPU per token ÷ raw's", "", ByGate(at_most(1.5, 1.2)), Quiet, cpu_of_raw),
    target("1,000 × 10 ms: p50", " µs", InFull(at_most(300.0, 150.0)), Quiet, p50),
    target("1,000 × 10 ms: p99 ÷ max(1 ms, 3 × raw)", "", ByGate(at_most(1.0, 0.3)), CeilingOnTime, p99_to_raw),
];

const OVERLOAD: &[Target] = &[
    target("5,000 × 10 ms: share of the pace", "", InFull(at_least(0.90, 0.98)), Quiet, OUR_SHARE_OF_PACE),
    target("memory per live stream", " KB", InFull(at_most(20.0, 12.0)), Always, |pair| Some(kib_per_stream(pair))),
];

/// The table.
pub(super) const MEASUREMENTS: &[Measurement] = &[
    Measurement { ceiling: true, faults: &[Fault::Slow], ..Measurement::new("flush", Mode::Flush, 32, FLUSH) },
    Measurement { ceiling: true, ..Measurement::new("coalesced", Mode::Coalesced, 32, COALESCED) },
    Measurement { faults: &[Fault::Relative], ..Measurement::new("paced 1", Mode::Paced, 1, PACED_1) },
    Measurement::new("paced 100", Mode::Paced, 100, PACED_100),
    Measurement {
        seconds: 6.0,
        ceiling: true,
        faults: &[Fault::Relative, Fault::Slow],
        ..Measurement::new("paced 1000", Mode::Paced, 1000, PACED_1000)
    },
    Measurement::new("overload", Mode::Paced, 5000, OVERLOAD),
];

fn rate_to_raw(pair: &RoundPair) -> Option<f64> {
    Some(pair.ours.tokens_per_s / pair.raw.as_ref()?.tokens_per_s)
}

fn cpu_to_raw(pair: &RoundPair) -> Option<f64> {
    Some(pair.raw.as_ref()?.server.cpu_ns_per_token / pair.ours.server.cpu_ns_per_token)
}

/// What our own code adds to the cost of a token. The rate also depends on how the reader is woken: a host whose sends are
/// cheap shows more of that than of our code.
fn own_work_to_raw(pair: &RoundPair) -> Option<f64> {
    let (ours, raw) = (pair.ours.server, pair.raw.as_ref()?.server);
    Some((ours.user_ns_per_token - raw.user_ns_per_token) / raw.cpu_ns_per_token)
}

fn cpu_of_raw(pair: &RoundPair) -> Option<f64> {
    cpu_to_raw(pair).map(f64::recip)
}

fn p50(pair: &RoundPair) -> Option<f64> {
    Some(pair.ours.lateness_us?.p50)
}

fn p99(pair: &RoundPair) -> Option<f64> {
    Some(pair.ours.lateness_us?.p99)
}

/// Against what this host can do at the moment: the host of a virtual one sometimes takes milliseconds from everybody.
fn p99_to_raw(pair: &RoundPair) -> Option<f64> {
    let raw = pair.raw.as_ref()?.lateness_us?.p99;
    Some(pair.ours.lateness_us?.p99 / (3.0 * raw).max(1000.0))
}

fn drift(pair: &RoundPair) -> Option<f64> {
    Some(pair.ours.drift_us?.p50.abs())
}

const OUR_SHARE_OF_PACE: fn(&RoundPair) -> Option<f64> = |pair| Some(share_of_pace(&pair.ours, pair.streams));

fn share_of_pace(window: &LoadReport, streams: u32) -> f64 {
    window.tokens_per_s / (f64::from(streams) * 1e6 / f64::from(GAP_US))
}

#[expect(clippy::cast_precision_loss, reason = "memory of a process is far below 2^52 KB")]
fn kib_per_stream(pair: &RoundPair) -> f64 {
    pair.ours.server.rss_kib.saturating_sub(pair.idle_kib) as f64 / f64::from(pair.streams)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(tokens_per_s: f64, p99: f64, other_cpu: f64, segments_per_token: f64) -> LoadReport {
        let user_ns = tokens_per_s * 10.0;
        let text = serde_json::json!({
            "streams": 1000, "gap_us": 0, "window_s": 1.0, "tokens": 1, "tokens_per_s": tokens_per_s,
            "errors": {"io": 0, "status": 0, "tokens": 0}, "segments_per_token": segments_per_token,
            "kernel_stamps": true, "drift_us": null, "other_cpu": other_cpu,
            "lateness_us": {"samples": 1, "dropped": 0, "p50": 9.0, "p99": p99, "max": p99},
            "server": {"cpu": 0.5, "cpu_ns_per_token": 5000.0, "user_ns_per_token": user_ns, "rss_kib": 60_000},
        });
        serde_json::from_value(text).unwrap()
    }

    fn pair(ours: LoadReport, raw: LoadReport) -> RoundPair {
        RoundPair { ours, raw: Some(raw), idle_kib: 10_000, streams: 1000 }
    }

    #[test]
    fn a_busy_host_and_merged_segments_do_not_count() {
        let flush = &MEASUREMENTS[0].targets[0];
        let counts = |ours, raw| flush.round(&pair(ours, raw)).unwrap().counts;
        let good = || window(100.0, 1.0, 0.1, 1.0);
        assert!(counts(good(), good()));
        assert!(!counts(window(100.0, 1.0, 0.2, 1.0), good()));
        assert!(!counts(good(), window(100.0, 1.0, 0.2, 1.0)));
        assert!(!counts(good(), window(100.0, 1.0, 0.1, 0.9)));
    }

    #[test]
    fn lateness_of_a_thousand_does_not_count_where_segments_were_merged_and_being_busy_is_no_excuse() {
        let thousand = MEASUREMENTS.iter().find(|measurement| measurement.name == "paced 1000").unwrap();
        // 1,000 streams with gaps of 10 ms demand 100,000 tokens/s.
        let mut pair = pair(window(90.0, 3000.0, 0.0, 1.0), window(99_500.0, 500.0, 0.0, 1.0));
        let left_out = |pair: &RoundPair| {
            let rounds = thousand.targets.iter().filter_map(|target| Some((target.name, target.round(pair)?)));
            rounds.filter(|(_, round)| !round.counts).map(|(name, _)| name).collect::<Vec<_>>()
        };
        pair.ours.server.cpu = 0.99;
        pair.raw.as_mut().unwrap().server.cpu = 0.99;
        assert_eq!(left_out(&pair), [""; 0]);
        pair.ours.segments_per_token = Some(0.9);
        assert_eq!(left_out(&pair), ["1,000 × 10 ms: p99 ÷ max(1 ms, 3 × raw)"]);
    }

    #[test]
    fn lateness_counts_only_beside_a_ceiling_that_keeps_the_pace() {
        let thousand = MEASUREMENTS.iter().find(|measurement| measurement.name == "paced 1000").unwrap();
        let lateness = thousand.targets.iter().find(|target| target.name.contains("p99")).unwrap();
        let counts = |ours, raw| {
            let pair = pair(window(ours, 1.0, 0.0, 1.0), window(raw, 1.0, 0.0, 1.0));
            lateness.round(&pair).unwrap().counts
        };
        assert!(counts(99_500.0, 99_500.0));
        assert!(!counts(99_500.0, 93_000.0));
        // Our own delay is no excuse.
        assert!(counts(93_000.0, 99_500.0));
    }

    #[test]
    fn values_are_what_their_names_say() {
        let pair = pair(window(90.0, 3000.0, 0.0, 1.0), window(100.0, 500.0, 0.0, 1.0));
        assert_eq!(rate_to_raw(&pair), Some(0.9));
        assert_eq!(p99_to_raw(&pair), Some(2.0));
        assert!((kib_per_stream(&pair) - 50.0).abs() < 1e-9);
        assert!((share_of_pace(&pair.ours, pair.streams) - 0.0009).abs() < 1e-9);
        assert_eq!(cpu_to_raw(&pair), Some(1.0));
        assert_eq!(cpu_of_raw(&pair), Some(1.0));
        // 900 ns in user mode beside raw's 1,000, of 5,000 in all.
        assert_eq!(own_work_to_raw(&pair), Some(-0.02));
    }

    #[test]
    fn the_gate_judges_nothing_that_a_slower_host_would_miss() {
        let judged = MEASUREMENTS.iter().filter(|m| m.is_quick()).flat_map(|m| m.targets);
        let names: Vec<&str> =
            judged.filter(|target| target.limits(true).is_some()).map(|target| target.name).collect();
        assert_eq!(
            names,
            [
                "flush per token: user CPU beyond raw's ÷ raw's CPU",
                "drift over 200 tokens, 1 stream",
                "1,000 × 10 ms: CPU per token ÷ raw's",
                "1,000 × 10 ms: p99 ÷ max(1 ms, 3 × raw)"
            ]
        );
    }

    #[test]
    fn the_gate_has_flush_one_stream_and_a_thousand() {
        let quick: Vec<&str> = MEASUREMENTS.iter().filter(|m| m.is_quick()).map(|m| m.name).collect();
        assert_eq!(quick, ["flush", "paced 1", "paced 1000"]);
        let gates = |m: &Measurement| m.targets.iter().any(|target| matches!(target.held, ByGate(_)));
        assert!(MEASUREMENTS.iter().all(|m| gates(m) != m.faults.is_empty()), "what a gate judges has a control");
    }
}
