//! The one place where real time counts: a run in which nothing happens any more is given up.

use std::thread::Builder;
use std::time::Duration;

use super::baton::Sim;
use super::failure::FailureReason;

/// How often it looks.
const LOOKS: u32 = 10;

/// Watches a simulation from a thread of its own until it is over or everybody else has left it.
pub(super) fn watch(sim: &Sim, patience: Duration) {
    let watched = sim.clone();
    let watching = move || {
        let (mut seen, mut idle) = (None, 0);
        loop {
            let (over, progress) = watched.watch(patience / LOOKS);
            if over || watched.is_abandoned() {
                return;
            }
            idle = if progress.is_some() && progress == seen { idle + 1 } else { 0 };
            seen = progress;
            if idle >= LOOKS {
                return watched.fail(watched.lock(), FailureReason::Stuck { patience });
            }
        }
    };
    // Without a thread there is no watchdog; a run that never sticks does not need one.
    drop(Builder::new().name("lab-watchdog".to_owned()).spawn(watching));
}
