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

const TARGETS: &[Target] = &[
    Target {
        name: "coalesced: tokens/s ÷ aimock",
        mode: Mode::Coalesced,
        peer: "aimock",
        peer_mode: Mode::Coalesced,
        limits: TargetLimits::at_least(8.0, 12.0),
        value: |ours, peer| Some(rate(ours, peer)),
    },
    Target {
        name: "coalesced: tokens/s ÷ uvicorn",
        mode: Mode::Coalesced,
        peer: "uvicorn",
        peer_mode: Mode::Coalesced,
        limits: TargetLimits::at_least(30.0, 50.0),
        value: |ours, peer| Some(rate(ours, peer)),
    },
    Target {
        name: "coalesced: tokens/s ÷ wiremock",
        mode: Mode::Coalesced,
        peer: "wiremock",
        peer_mode: Mode::Coalesced,
        limits: TargetLimits::at_least(0.0, 0.6),
        value: |ours, peer| Some(rate(ours, peer)),
    },
    Target {
        name: "flush per token: tokens/s ÷ uvicorn",
        mode: Mode::Flush,
        peer: "uvicorn",
        peer_mode: Mode::Coalesced,
        limits: TargetLimits::at_least(2.0, 2.7),
        value: |ours, peer| Some(rate(ours, peer)),
    },
    Target {
        name: "100 × 10 ms: p99 of aimock ÷ ours",
        mode: Mode::Paced,
        peer: "aimock",
        peer_mode: Mode::Paced,
        limits: TargetLimits::at_least(20.0, 100.0),
        value: lateness,
    },
    Target {
        name: "100 × 10 ms: p99 of uvicorn ÷ ours",
        mode: Mode::Paced,
        peer: "uvicorn",
        peer_mode: Mode::Paced,
        limits: TargetLimits::at_least(20.0, 100.0),
        value: lateness,
    },
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
