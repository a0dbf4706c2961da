//! What the clock has to wait for although no task can run.

use super::scheduler::Sim;

/// While it lives, the clock stands still unless a task runs: for work outside, such as a blocking call.
#[derive(Debug)]
#[must_use = "the clock is held only as long as this lives"]
pub struct Hold {
    sim: Sim,
    number: u64,
}

impl Sim {
    /// Holds the clock; `what` is named when it is never released.
    pub fn hold(&self, what: &str) -> Hold {
        let mut state = self.lock();
        state.next_hold += 1;
        let number = state.next_hold;
        state.holds.insert(number, what.to_owned());
        Hold { sim: self.clone(), number }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.sim.lock().holds.remove(&self.number);
        // It may have been all that kept the clock, and then nobody else moves it on.
        self.sim.advance();
    }
}
