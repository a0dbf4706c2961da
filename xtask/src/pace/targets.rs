//! What is measured and what is demanded.

use super::subject::{Fault, GAP_US};
use crate::measure::judge::{Round, TargetLimits};
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
    /// Whether `--quick` has it.
    pub(super) quick: bool,
    /// Servers that it must reject, where `--quick` has it.
    pub(super) faults: &'static [Fault],
    pub(super) targets: &'static [Target],
}

impl Measurement {
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

/// One line of the table.
pub(super) struct Target {
    pub(super) name: &'static str,
    pub(super) unit: &'static str,
    limits: Option<TargetLimits>,
    /// Whether the gate judges by it: a ratio in one run, or a difference within a stream. What depends on how fast the
    /// host is, it only shows.
    gates: bool,
    counting: Counting,
    value: fn(&RoundPair) -> Option<f64>,
}

impl Target {
    /// The same, and the gate judges by it.
    const fn gating(mut self) -> Self {
        self.gates = true;
        self
    }

    /// What it is held to, by the gate or in full.
    pub(super) fn limits(&self, by_gate: bool) -> Option<TargetLimits> {
        self.limits.filter(|_| self.gates || !by_gate)
    }

    /// The target's value in one round; `None` where it cannot be told.
    pub(super) fn round(&self, pair: &RoundPair) -> Option<Round> {
        let all = |keeps: fn(&LoadReport) -> bool| keeps(&pair.ours) && pair.raw.as_ref().is_none_or(keeps);
        let quiet = all(|window| window.other_cpu <= MAX_OTHER_CORES);
        let flushed = quiet && all(|window| window.segments_per_token.is_some_and(|n| n >= FLUSHED));
        let on_time = |raw: &LoadReport| share_of_pace(raw, pair.streams) >= KEEPS_PACE;
        let counts = match self.counting {
            Counting::Quiet => quiet,
            Counting::Flushed => flushed,
            Counting::CeilingOnTime => flushed && pair.raw.as_ref().is_some_and(on_time),
            Counting::Always => true,
        };
        (self.value)(pair).map(|value| Round { value, counts })
    }
}

const fn target(
    name: &'static str,
    unit: &'static str,
    limits: TargetLimits,
    counting: Counting,
    value: fn(&RoundPair) -> Option<f64>,
) -> Target {
    Target { name, unit, limits: Some(limits), gates: false, counting, value }
}

/// A target without limits.
const fn shown(name: &'static str, counting: Counting, value: fn(&RoundPair) -> Option<f64>) -> Target {
    Target { name, unit: "", limits: None, gates: false, counting, value }
}

/// The table.
pub(super) const MEASUREMENTS: &[Measurement] = &[
    Measurement {
        name: "flush",
        mode: Mode::Flush,
        streams: 32,
        seconds: 2.0,
        ceiling: true,
        quick: true,
        faults: &[Fault::Slow],
        targets: &[
            target(
                "flush per token: tokens/s ÷ raw",
                "",
                TargetLimits::at_least(0.80, 0.95),
                Counting::Flushed,
                rate_to_raw,
            ),
            target(
                "flush per token: user CPU beyond raw's ÷ raw's CPU",
                "",
                // What costs a quarter more has 0.80 of the rate, and a nineteenth more 0.95.
                TargetLimits::at_most(0.25, 0.053),
                Counting::Flushed,
                own_work_to_raw,
            )
            .gating(),
            shown("flush per token: raw's CPU per token ÷ ours", Counting::Flushed, cpu_to_raw),
        ],
    },
    Measurement {
        name: "coalesced",
        mode: Mode::Coalesced,
        streams: 32,
        seconds: 2.0,
        ceiling: true,
        quick: false,
        faults: &[],
        targets: &[
            shown("coalesced: million tokens/s", Counting::Quiet, |pair| Some(pair.ours.tokens_per_s / 1e6)),
            shown("coalesced: raw's CPU per token ÷ ours", Counting::Quiet, cpu_to_raw),
        ],
    },
    Measurement {
        name: "paced 1",
        mode: Mode::Paced,
        streams: 1,
        seconds: 2.0,
        ceiling: false,
        quick: true,
        faults: &[Fault::Relative],
        targets: &[
            target("lateness, 1 stream: p50", " µs", TargetLimits::at_most(150.0, 30.0), Counting::Quiet, p50),
            target("lateness, 1 stream: p99", " µs", TargetLimits::at_most(400.0, 100.0), Counting::Quiet, p99),
            target(
                "drift over 200 tokens, 1 stream",
                " µs",
                TargetLimits::at_most(1000.0, 200.0),
                Counting::Quiet,
                drift,
            )
            .gating(),
        ],
    },
    Measurement {
        name: "paced 100",
        mode: Mode::Paced,
        streams: 100,
        seconds: 2.0,
        ceiling: false,
        quick: false,
        faults: &[],
        targets: &[
            target("lateness, 100 streams: p50", " µs", TargetLimits::at_most(150.0, 80.0), Counting::Quiet, p50),
            target("lateness, 100 streams: p99", " µs", TargetLimits::at_most(2800.0, 560.0), Counting::Quiet, p99),
            target(
                "drift over 200 tokens, 100 streams",
                " µs",
                TargetLimits::at_most(1000.0, 200.0),
                Counting::Quiet,
                drift,
            ),
        ],
    },
    Measurement {
        name: "paced 1000",
        mode: Mode::Paced,
        streams: 1000,
        seconds: 6.0,
        ceiling: true,
        quick: true,
        faults: &[Fault::Relative, Fault::Slow],
        targets: &[
            target(
                "1,000 × 10 ms: share of the pace",
                "",
                TargetLimits::at_least(KEEPS_PACE, 0.995),
                Counting::Quiet,
                |pair| Some(share_of_pace(&pair.ours, pair.streams)),
            ),
            target("1,000 × 10 ms: CPU", " cores", TargetLimits::at_most(0.85, 0.70), Counting::Quiet, |pair| {
                Some(pair.ours.server.cpu)
            }),
            target(
                "1,000 × 10 ms: CPU per token ÷ raw's",
                "",
                TargetLimits::at_most(1.5, 1.2),
                Counting::Quiet,
                cpu_of_raw,
            )
            .gating(),
            target("1,000 × 10 ms: p50", " µs", TargetLimits::at_most(300.0, 150.0), Counting::Quiet, p50),
            target(
                "1,000 × 10 ms: p99 ÷ max(1 ms, 3 × raw)",
                "",
                TargetLimits::at_most(1.0, 0.3),
                Counting::CeilingOnTime,
                p99_to_raw,
            )
            .gating(),
        ],
    },
    Measurement {
        name: "overload",
        mode: Mode::Paced,
        streams: 5000,
        seconds: 2.0,
        ceiling: false,
        quick: false,
        faults: &[],
        targets: &[
            target(
                "5,000 × 10 ms: share of the pace",
                "",
                TargetLimits::at_least(0.90, 0.98),
                Counting::Quiet,
                |pair| Some(share_of_pace(&pair.ours, pair.streams)),
            ),
            target("memory per live stream", " KB", TargetLimits::at_most(20.0, 12.0), Counting::Always, |pair| {
                Some(kib_per_stream(pair))
            }),
        ],
    },
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
    Some(pair.ours.server.cpu_ns_per_token / pair.raw.as_ref()?.server.cpu_ns_per_token)
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
            "streams": 1000, "gap_us": 0, "window_s": 1.0, "responses": 1, "requests_per_s": 1.0, "tokens": 1, "bytes": 1,
            "tokens_per_s": tokens_per_s, "errors": {"io": 0, "status": 0, "tokens": 0}, "tokens_per_read": 1.0,
            "tokens_per_chunk": 1.0, "segments_per_token": segments_per_token, "stamp": "kernel", "ttft_us": null,
            "lateness_us": {"samples": 1, "dropped": 0, "p50": 9.0, "p99": p99, "max": p99}, "gap_error_us": null,
            "drift_us": null, "load_cpu": 0.1, "other_cpu": other_cpu,
            "server": {"cpu": 0.5, "cpu_ns_per_token": 5000.0, "user_ns_per_token": user_ns, "rss_kib": 60_000,
                "peak_rss_kib": 60_000, "threads": 1},
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
        let judged = MEASUREMENTS.iter().filter(|m| m.quick).flat_map(|m| m.targets);
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
        let quick: Vec<&str> = MEASUREMENTS.iter().filter(|m| m.quick).map(|m| m.name).collect();
        assert_eq!(quick, ["flush", "paced 1", "paced 1000"]);
        assert!(MEASUREMENTS.iter().all(|m| m.quick != m.faults.is_empty()), "what a gate judges has a control");
    }
}
