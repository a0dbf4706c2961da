//! What happens next among agents that wait: the one discrete-event loop over timers and a shared device.

use std::cmp::Reverse;
use std::collections::binary_heap::PeekMut;
use std::collections::{BTreeMap, BinaryHeap};
use std::time::Duration;

use mock_ollama::backend::{Curve, Device, Place};
use mock_ollama::clock::Instant;

/// An agent, by its place in the order in which agents of one instant go.
pub type Rank = u32;

/// Agents that wait, each for one thing: an instant, or what a device has to give it.
///
/// Its owner takes the next agent, lets happen what it waited for, and says what it waits for next.
#[derive(Debug, Default)]
pub struct Player {
    now: Instant,
    /// Agents that wait for an instant, the earliest first, of one instant the first by rank.
    timers: BinaryHeap<Reverse<(Instant, Rank)>>,
    /// The first entry of `timers` has fired and is not needed any more.
    is_spent: bool,
    device: Device,
    /// Agents on the device, and what each waits to have received since it came.
    served: BTreeMap<Rank, (Place, Duration)>,
}

impl Player {
    /// A player at the beginning of time, with an idle device and nobody who waits.
    pub fn new(curve: Curve) -> Self {
        Self { device: Device::new(curve), ..Self::default() }
    }

    /// Lets an agent wait for an instant.
    pub fn wait_until(&mut self, agent: Rank, at: Instant) {
        let timer = Reverse((at, agent));
        // The entry that fired is replaced in place, which moves half as much of a large heap as to take it out first.
        match self.timers.peek_mut() {
            Some(mut first) if self.is_spent => *first = timer,
            first => {
                drop(first);
                self.timers.push(timer);
            }
        }
        self.is_spent = false;
    }

    /// Puts one more agent on the device. All that are there slow each other down from now on.
    pub fn enter_device(&mut self) -> Place {
        self.device.enter(self.now)
    }

    /// Lets an agent wait until it has received, since it came, what takes `solo` when it is alone.
    pub fn wait_served(&mut self, agent: Rank, place: Place, solo: Duration) {
        self.served.insert(agent, (place, solo));
    }

    /// Takes one agent off the device.
    pub fn leave_device(&mut self) {
        self.device.leave(self.now);
    }

    /// Moves the time to when the next wait is over, and returns that agent; nothing when none waits.
    pub fn advance(&mut self) -> Option<(Instant, Rank)> {
        if std::mem::take(&mut self.is_spent)
            && let Some(spent) = self.timers.peek_mut()
        {
            PeekMut::pop(spent);
        }
        // What an agent on the device waits for depends on who else is there, so it is worked out anew at each step.
        let due =
            |(agent, (place, solo)): (&Rank, &(Place, Duration))| (self.device.due(*place, *solo, self.now), *agent);
        let served = self.served.iter().map(due).min();
        let timer = self.timers.peek().map(|Reverse(timer)| *timer);
        let (at, agent) = match (timer, served) {
            (Some(timer), Some(served)) if served < timer => served,
            (None, Some(served)) => served,
            (timer, _) => timer?,
        };
        self.is_spent = timer == Some((at, agent));
        self.served.remove(&agent);
        self.now = self.now.max(at);
        Some((self.now, agent))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(ms: u64) -> Instant {
        Instant::from_nanos(ms * 1_000_000)
    }

    /// Who is next, and at which millisecond, until nobody waits.
    fn order(mut player: Player) -> Vec<(u64, Rank)> {
        std::iter::from_fn(|| player.advance().map(|(at, agent)| (at.as_nanos() / 1_000_000, agent))).collect()
    }

    #[test]
    fn agents_of_one_instant_go_by_rank() {
        let mut player = Player::default();
        for (agent, ms) in [(2, 10), (1, 20), (0, 10)] {
            player.wait_until(agent, at(ms));
        }
        assert_eq!(order(player), [(10, 0), (10, 2), (20, 1)]);
    }

    #[test]
    fn an_agent_that_waits_again_takes_its_new_place() {
        let mut player = Player::default();
        player.wait_until(0, at(10));
        player.wait_until(1, at(20));
        assert_eq!(player.advance(), Some((at(10), 0)));
        player.wait_until(0, at(30));
        player.wait_until(2, at(5));
        // An instant that has passed is due now.
        assert_eq!(order(player), [(10, 2), (20, 1), (30, 0)]);
    }

    #[test]
    fn a_timer_on_the_way_slows_the_device_from_then_on() {
        let mut player = Player::new("0.5".parse().unwrap());
        let place = player.enter_device();
        player.wait_served(0, place, Duration::from_millis(30));
        player.wait_until(1, at(10));
        assert_eq!(player.advance(), Some((at(10), 1)));
        player.enter_device();
        // 10 of 30 ms alone, the other 20 at half speed.
        assert_eq!(order(player), [(50, 0)]);
    }
}
