//! Measured without load: how fast the server starts, how large it is, and what it takes while nobody asks. It is
//! built as who installs it would build it, with the profile `dist`.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::subject::ours;
use super::targets::Mode;
use crate::cargo;
use crate::measure::Setup;
use crate::measure::judge::{Conclusion, Round, TargetLimits, conclude};
use crate::measure::table::TargetRow;
use crate::server::time_to_first_byte;

/// Starts in one round; the fastest counts, since a busy host makes starts slow and never fast.
const STARTS_PER_ROUND: usize = 5;

/// One round.
pub(super) struct Start {
    first_byte_ms: f64,
    idle_mib: f64,
}

/// Builds the server as it is installed.
pub(super) fn build() -> Result<PathBuf> {
    cargo::run(&["build", "--profile", "dist", "--locked", "--package", "mock-ollama"])?;
    Ok(cargo::target().join("dist/mock-ollama"))
}

pub(super) fn measure(setup: &Setup, program: &Path) -> Result<Start> {
    let mut command = ours(setup, Mode::Coalesced);
    command[0] = program.into();
    let mut round = Start { first_byte_ms: f64::MAX, idle_mib: 0.0 };
    for _ in 0..STARTS_PER_ROUND {
        let (took, server) = time_to_first_byte(&mut setup.on_server_core(&command))?;
        round.first_byte_ms = round.first_byte_ms.min(took.as_secs_f64() * 1e3);
        round.idle_mib = round.idle_mib.max(mib(server.rss_kib()? * 1024));
    }
    Ok(round)
}

pub(super) fn lines(program: &Path, starts: &[Start]) -> Result<Vec<TargetRow>> {
    let line = |target: &str, unit, limits, value: fn(&Start) -> f64| {
        let rounds: Vec<Round> = starts.iter().map(|start| Round { value: value(start), counts: true }).collect();
        let conclusion = conclude(&rounds, Some(limits));
        TargetRow { target: target.to_owned(), unit, limits: Some(limits), conclusion, rounds: rounds.len() }
    };
    let first = line("start to first byte", " ms", TargetLimits::at_most(25.0, 10.0), |start| start.first_byte_ms);
    let idle = line("memory, idle", " MB", TargetLimits::at_most(8.0, 4.0), |start| start.idle_mib);
    // The size is what it is: once is as good as any number of rounds.
    let limits = TargetLimits::at_most(10.0, 5.0);
    let bytes = program.metadata().context("cannot see how large the program is")?.len();
    let conclusion =
        Conclusion { counted: 1, ..conclude(&[Round { value: mib(bytes), counts: true }; 3], Some(limits)) };
    let size =
        TargetRow { target: "program, stripped".to_owned(), unit: " MB", limits: Some(limits), conclusion, rounds: 1 };
    Ok(vec![first, idle, size])
}

#[expect(clippy::cast_precision_loss, reason = "memory of a process is far below 2^52 bytes")]
fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
