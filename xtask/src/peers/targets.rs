//! What ours is meant to be beside the peers.

use super::{SHAPES, Sheet};
use crate::measure::judge::{Round, TargetLimits, at_least};
use crate::measure::table::TargetRow;
use crate::pace::MAX_OTHER_CORES;
use crate::pace::Mode::{self, Coalesced, Flush, Paced};
use loadgen::report::LoadReport;

/// A ratio of ours to a peer's, or the other way round.
struct Target {
    name: &'static str,
    /// How ours is served.
    mode: Mode,
    /// The peer, and how it is served.
    peer: (&'static str, Mode),
    limits: TargetLimits,
    /// Of ours and the peer's window.
    value: fn(&LoadReport, &LoadReport) -> Option<f64>,
}

const fn target(
    name: &'static str,
    mode: Mode,
    peer: (&'static str, Mode),
    limits: TargetLimits,
    value: fn(&LoadReport, &LoadReport) -> Option<f64>,
) -> Target {
    Target { name, mode, peer, limits, value }
}

const TARGETS: &[Target] = &[
    target("coalesced: tokens/s ÷ aimock", Coalesced, ("aimock", Coalesced), at_least(8.0, 12.0), RATE),
    target("coalesced: tokens/s ÷ uvicorn", Coalesced, ("uvicorn", Coalesced), at_least(30.0, 50.0), RATE),
    target("coalesced: tokens/s ÷ wiremock", Coalesced, ("wiremock", Coalesced), at_least(0.0, 0.6), RATE),
    target("flush per token: tokens/s ÷ uvicorn", Flush, ("uvicorn", Coalesced), at_least(2.0, 2.7), RATE),
    target("100 × 10 ms: p99 of aimock ÷ ours", Paced, ("aimock", Paced), at_least(20.0, 100.0), lateness),
    target("100 × 10 ms: p99 of uvicorn ÷ ours", Paced, ("uvicorn", Paced), at_least(20.0, 100.0), lateness),
];

const RATE: fn(&LoadReport, &LoadReport) -> Option<f64> = |ours, peer| Some(ours.tokens_per_s / peer.tokens_per_s);

fn lateness(ours: &LoadReport, peer: &LoadReport) -> Option<f64> {
    Some(peer.lateness_us?.p99 / ours.lateness_us?.p99)
}

/// The lines of those targets of which both sides were measured.
pub(super) fn lines(sheet: &Sheet) -> Vec<TargetRow> {
    let windows = |mode, name| {
        let place = SHAPES.iter().position(|shape| shape.mode == mode)?;
        sheet.get(&(place, name))
    };
    let line = |target: &Target| {
        let (peer, mode) = target.peer;
        let rounds: Vec<Round> = windows(target.mode, "mock-ollama")?
            .iter()
            .zip(windows(mode, peer)?)
            .filter_map(|(ours, peer)| {
                let counts = ours.other_cpu <= MAX_OTHER_CORES && peer.other_cpu <= MAX_OTHER_CORES;
                Some(Round { value: (target.value)(ours, peer)?, counts })
            })
            .collect();
        Some(TargetRow::new(target.name, "", Some(target.limits), &rounds))
    };
    TARGETS.iter().filter_map(line).collect()
}
