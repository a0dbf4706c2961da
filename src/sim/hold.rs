//! What the clock has to wait for although no task can run.

use std::collections::BTreeMap;

use super::baton::Sim;

/// Holds that are out.
#[derive(Debug, Default)]
pub(super) struct Holds {
    out: BTreeMap<u64, String>,
    next: u64,
}

impl Holds {
    pub(super) fn is_empty(&self) -> bool {
        self.out.is_empty()
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.out.values().cloned().collect()
    }
}

/// While it lives, the clock stands still unless a task runs: for work outside, such as a blocking call.
#[derive(Debug)]
#[must_use = "the clock is held only as long as this lives"]
pub struct Hold {
    sim: Sim,
    number: u64,
}

impl Sim {
    /// Holds the clock; `what` is named when it is never let go.
    pub fn hold(&self, what: &str) -> Hold {
        let holds = &mut self.lock().holds;
        holds.next += 1;
        holds.out.insert(holds.next, what.to_owned());
        Hold { sim: self.clone(), number: holds.next }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let mut state = self.sim.lock();
        state.holds.out.remove(&self.number);
        drop(state);
        self.sim.advance();
    }
}
