//! `cargo xtask peers`: other mock servers beside ours, with the same answer. For people, not for CI.
//!
//! [`peer`] is the table of them, [`targets`] what ours is meant to be beside them.

mod peer;
mod targets;

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use clap::{Args, ValueEnum};
use lab_stats::quantile::median;
use loadgen::report::LoadReport;

use crate::measure::Setup;
use crate::measure::table::markdown;
use crate::measure::window::{self, Load, usual_warm};
use crate::pace::{GAP_US, MAX_OTHER_CORES, Mode, ours};
use crate::server::ServerProcess;
use peer::{PEERS, Peer};

/// The flags.
#[derive(Args, Debug)]
pub(crate) struct PeersArgs {
    /// What to do; without it both
    what: Option<What>,
    /// Rounds
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=99))]
    rounds: u32,
    /// Seconds to wait for a quiet host before each measurement
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    patience: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum What {
    /// Install and build the peers, below `target/peers`
    Prepare,
    /// Measure those that are there
    Run,
}

/// A load, and which servers it is put on.
struct Shape {
    name: &'static str,
    mode: Mode,
    streams: u32,
}

const SHAPES: &[Shape] = &[
    Shape { name: "unpaced, 32 connections", mode: Mode::Coalesced, streams: 32 },
    Shape { name: "unpaced and flushed, 32 connections", mode: Mode::Flush, streams: 32 },
    Shape { name: "10 ms, 100 streams", mode: Mode::Paced, streams: 100 },
    Shape { name: "10 ms, 1,000 streams", mode: Mode::Paced, streams: 1000 },
];

/// Windows by shape and server, in the order of rounds.
type Sheet = BTreeMap<(usize, &'static str), Vec<LoadReport>>;

/// Prepares, measures and prints.
pub(crate) fn run(args: &PeersArgs) -> Result<()> {
    let setup = Setup::prepare("peers")?;
    let mut peers: Vec<&Peer> = Vec::new();
    for peer in PEERS {
        let ready = if args.what == Some(What::Run) { peer.ready(&setup) } else { peer.prepare(&setup) };
        match ready {
            Ok(()) => peers.push(peer),
            Err(why) => println!("{}: skipped: {why:#}", peer.name),
        }
    }
    if args.what == Some(What::Prepare) {
        return Ok(());
    }
    let mut sheet = Sheet::new();
    for round in 0..args.rounds {
        for (place, shape) in SHAPES.iter().enumerate() {
            let server = ServerProcess::start(&mut setup.on_server_core(&ours(&setup, shape.mode)))?;
            note(&mut sheet, &setup, args.patience, round, (place, "mock-ollama"), &server);
            for peer in peers.iter().filter(|peer| peer.modes.contains(&shape.mode)) {
                let server = peer.start(&setup, if shape.mode == Mode::Paced { GAP_US } else { 0 });
                match server.with_context(|| format!("cannot start {}", peer.name)) {
                    Ok(server) => note(&mut sheet, &setup, args.patience, round, (place, peer.name), &server),
                    Err(error) => eprintln!("{error:#}"),
                }
            }
        }
    }
    print!("{}", shown(&sheet));
    println!("{}", markdown(&targets::lines(&sheet)));
    Ok(())
}

/// Measures one server; a peer that gives no whole answers is left out of the round.
fn note(
    sheet: &mut Sheet,
    setup: &Setup,
    patience: u16,
    round: u32,
    (place, name): (usize, &'static str),
    server: &ServerProcess,
) {
    let Shape { name: shape, mode, streams } = &SHAPES[place];
    let gap_us = if *mode == Mode::Paced { GAP_US } else { 0 };
    let (streams, warm) = (*streams, usual_warm(*streams, gap_us));
    let load = Load { streams, gap_us, warm, seconds: 2.0, patience: f64::from(patience) };
    match window::measure(setup, server, load, u32::from(patience > 0), MAX_OTHER_CORES) {
        Ok(window) => {
            let (rate, other) = (window.tokens_per_s, window.other_cpu);
            eprintln!("round {} {shape}, {name}: {rate:.0} tokens/s, others {other:.2}", round + 1);
            sheet.entry((place, name)).or_default().push(window);
        }
        Err(error) => eprintln!("round {} {shape}, {name}: {error:#}", round + 1),
    }
}

/// A table for each shape: medians over rounds.
fn shown(sheet: &Sheet) -> String {
    let mut text = String::new();
    for (place, shape) in SHAPES.iter().enumerate() {
        let head = "| server | tokens/s | CPU ns/token | segments/token | p50 µs | p99 µs | drift µs | memory KB | others' cores |";
        text.extend(["\n### ", shape.name, "\n\n", head, "\n| --- |", &" ---: |".repeat(8), "\n"]);
        for ((_, name), windows) in sheet.range((place, "")..(place + 1, "")) {
            let cell = |value: fn(&LoadReport) -> Option<f64>| {
                let median = median(windows.iter().filter_map(value).collect());
                median.map_or("–".to_owned(), |value| format!("{value:.*}", usize::from(value.abs() < 10.0) * 2))
            };
            let cells = [
                cell(|window| Some(window.tokens_per_s)),
                cell(|window| Some(window.server.cpu_ns_per_token)),
                cell(|window| window.segments_per_token),
                cell(|window| Some(window.lateness_us?.p50)),
                cell(|window| Some(window.lateness_us?.p99)),
                cell(|window| Some(window.drift_us?.p50)),
                cell(|window| u32::try_from(window.server.rss_kib).ok().map(f64::from)),
                cell(|window| Some(window.other_cpu)),
            ];
            text.extend(["| ", name, " | ", &cells.join(" | "), " |\n"]);
        }
    }
    text.push('\n');
    text
}
