//! What ours is meant to be beside the peers.

use super::{SHAPES, Sheet};
use crate::measure::judge::{Round, TargetLimits, conclude};
use crate::measure::table::TargetRow;
use crate::pace::{MAX_OTHER_CORES, Mode};
use loadgen::report::LoadReport;

/// A ratio of ours to a peer's, or the other way round.
struct Target {
    name: &'static str,
    /// How ours is served.
    mode: Mode,
    peer: &'static str,
    /// How the peer is served.
    peer_mode: Mode,
    limits: TargetLimits,
    /// Of ours and the peer's window.
    value: fn(&LoadReport, &LoadReport) -> Option<f64>,
}

const fn target(
    name: &'static str,
    mode: Mode,
    (peer, peer_mode): (&'static str, Mode),
    limits: TargetLimits,
    value: fn(&LoadReport, &LoadReport) -> Option<f64>,
) -> Target {
    Target { name, mode, peer, peer_mode, limits, value }
}

const TARGETS: &[Target] = &[
    target(
        "coalesced: tokens/s ÷ aimock",
        Mode::Coalesced,
        ("aimock", Mode::Coalesced),
        TargetLimits::at_least(8.0, 12.0),
        |ours, peer| Some(rate(ours, peer)),
    ),
    target(
        "coalesced: tokens/s ÷ uvicorn",
        Mode::Coalesced,
        ("uvicorn", Mode::Coalesced),
        TargetLimits::at_least(30.0, 50.0),
        |ours, peer| Some(rate(ours, peer)),
    ),
    target(
        "coalesced: tokens/s ÷ wiremock",
        Mode::Coalesced,
        ("wiremock", Mode::Coalesced),
        TargetLimits::at_least(0.0, 0.6),
        |ours, peer| Some(rate(ours, peer)),
    ),
    target(
        "flush per token: tokens/s ÷ uvicorn",
        Mode::Flush,
        ("uvicorn", Mode::Coalesced),
        TargetLimits::at_least(2.0, 2.7),
        |ours, peer| Some(rate(ours, peer)),
    ),
    target(
        "100 × 10 ms: p99 of aimock ÷ ours",
        Mode::Paced,
        ("aimock", Mode::Paced),
        TargetLimits::at_least(20.0, 100.0),
        lateness,
    ),
    target(
        "100 × 10 ms: p99 of uvicorn ÷ ours",
        Mode::Paced,
        ("uvicorn", Mode::Paced),
        TargetLimits::at_least(20.0, 100.0),
        lateness,
    ),
];

fn rate(ours: &LoadReport, peer: &LoadReport) -> f64 {
    ours.tokens_per_s / peer.tokens_per_s
}

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
        let (ours, peer) = (windows(target.mode, "mock-ollama")?, windows(target.peer_mode, target.peer)?);
        let rounds: Vec<Round> = ours
            .iter()
            .zip(peer)
            .filter_map(|(ours, peer)| {
                let counts = ours.other_cpu <= MAX_OTHER_CORES && peer.other_cpu <= MAX_OTHER_CORES;
                Some(Round { value: (target.value)(ours, peer)?, counts })
            })
            .collect();
        let (limits, conclusion) = (Some(target.limits), conclude(&rounds, Some(target.limits)));
        Some(TargetRow { target: target.name.to_owned(), unit: "", limits, conclusion, rounds: rounds.len() })
    };
    TARGETS.iter().filter_map(line).collect()
}
