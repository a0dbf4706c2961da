//! The published runs of TR115 against our own formulas.

use std::time::Duration;

use super::published::{Published, RunRow};
use crate::measure::factors::Walls;

fn published() -> Published {
    Published::built_in().unwrap()
}

fn millis(millis: f64) -> Duration {
    Duration::from_secs_f64(millis / 1e3)
}

/// The times of both agents of `run` in the concurrent run.
fn contended(published: &Published, run: &RunRow) -> Vec<Duration> {
    published.agents_of(run).map(|row| millis(row.total_ms)).collect()
}

#[test]
fn our_legacy_efficiency_is_the_published_figure() {
    let published = published();
    for run in &published.runs {
        let times = contended(&published, run);
        let walls = Walls {
            alone: &times,
            contended: &times,
            limit: None,
            wall: millis(run.wall_s * 1e3),
            scripts: millis(run.wall_s * 1e3),
            code: None,
            serial_wall: None,
            tokens: 0,
        };
        let legacy = walls.factors().unwrap().legacy_efficiency;
        assert!((legacy * 100.0 - run.efficiency_pct).abs() < 1e-6, "{run:?}: {legacy}");
    }
}

#[test]
fn where_agents_overlapped_the_published_figure_is_the_balance_of_the_answers() {
    // Within 0.011 percentage points, and nothing of a runtime in it; async-std never overlapped.
    let published = published();
    let mut worst: f64 = 0.0;
    for run in published.runs.iter().filter(|run| run.runtime != "async-std") {
        let times = contended(&published, run);
        let longest = *times.iter().max().unwrap();
        let walls = Walls {
            alone: &times,
            contended: &times,
            limit: None,
            wall: longest,
            scripts: longest,
            code: None,
            serial_wall: None,
            tokens: 0,
        };
        let balance = walls.factors().unwrap().balance;
        worst = worst.max((balance * 100.0 - run.efficiency_pct).abs());
    }
    assert!(worst < 0.011, "{worst}");
}
