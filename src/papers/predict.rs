//! When two agents on one device would have ended: a prediction from counters, in virtual time.

use std::num::NonZeroUsize;
use std::time::Duration;

use mock_ollama::backend::{Curve, Slots};
use mock_ollama::clock::Instant;
use mock_ollama::journal::StreamId;
use mock_ollama::models::Batching;

use crate::sim::{Player, Rank};

/// What the prediction knows of an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counters {
    /// `eval_count`.
    pub tokens: u32,
    /// `load_duration`.
    pub load: Duration,
    /// `prompt_eval_duration`.
    pub prompt_eval: Duration,
}

/// What it knows of the backend: two constants of the device, one of the way to it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Constants {
    /// Tokens a second of an agent that decodes alone.
    pub alone: f64,
    /// Tokens a second of each of two that decode.
    pub together: f64,
    /// What passes between sending a request and the beginning of its load.
    pub gap: Duration,
}

/// Everything that a prediction is made from. Nothing that was measured in the run itself is here but the server's
/// counters of work: no time of decoding, no total, and not the runtime's name.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Input {
    /// Both agents, the one that was first before the other.
    pub agents: [Counters; 2],
    /// The backend.
    pub constants: Constants,
}

/// What lets agents through to the servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limiter {
    /// Nothing.
    None,
    /// A semaphore of two.
    SemaphoreOfTwo,
    /// A mutex, held for the whole call.
    Mutex,
}

/// What the agents' servers have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Backend {
    /// Nothing: a device for each.
    Independent,
    /// The device: two servers on one.
    SharedDevice,
    /// Everything: one server with one slot.
    OneSlot,
}

/// How an experiment is put together: the components that can be swapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Setup {
    /// What lets agents through.
    pub limiter: Limiter,
    /// What they share.
    pub backend: Backend,
}

/// When an agent sent its request, after the limiter, and when its answer had ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    /// The request.
    pub sent: Instant,
    /// The end.
    pub ended: Instant,
}

/// Both agents, in the order of the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Predicted(pub [Span; 2]);

impl Predicted {
    /// From the start of both to the end of the last.
    pub(crate) fn wall(&self) -> Duration {
        let [one, other] = self.0;
        one.ended.max(other.ended).saturating_since(Instant::from_nanos(0))
    }

    /// The published figure, in per cent: both agents' own times over twice the wall time.
    pub(crate) fn efficiency_pct(&self) -> f64 {
        let [one, other] = self.0.map(|span| span.ended.saturating_since(span.sent).as_secs_f64());
        efficiency_pct([one, other], self.wall().as_secs_f64())
    }
}

/// The rule of the published program, in its own order of operations, so that published figures come out to their last
/// digit.
pub(crate) fn efficiency_pct([one, other]: [f64; 2], wall: f64) -> f64 {
    (one + other) / wall / 2.0 * 100.0
}

impl Input {
    /// How long an agent decodes when it is alone.
    pub(crate) fn solo(&self, agent: usize) -> Duration {
        Duration::try_from_secs_f64(f64::from(self.agents[agent].tokens) / self.constants.alone)
            .unwrap_or(Duration::MAX)
    }

    /// How much of its speed each of two has left.
    pub(crate) fn curve(&self) -> Curve {
        let millionths = (self.constants.together / self.constants.alone * 1e6).round().clamp(1.0, 1e6);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is within 1 and a million")]
        Curve::Shared(vec![millionths as u32])
    }
}

/// What an agent does, and until when where it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AgentState {
    Held,
    Loading(Instant),
    Queued,
    Reading,
    Decoding,
    Ended,
}

/// Every agent uses the same model.
const MODEL: &str = "model";

/// Both agents on their way through the servers and the device.
struct Pair<'a> {
    input: &'a Input,
    backend: Backend,
    player: Player,
    slots: Slots,
    streams: [StreamId; 2],
    states: [AgentState; 2],
    spans: [Span; 2],
}

/// Plays both agents.
pub(crate) fn predict(input: &Input, setup: Setup) -> Predicted {
    let start = Instant::from_nanos(0);
    let curve = match setup.backend {
        Backend::Independent => Curve::Independent,
        Backend::SharedDevice | Backend::OneSlot => input.curve(),
    };
    let slots = if setup.backend == Backend::OneSlot { NonZeroUsize::new(1) } else { None };
    let mut pair = Pair {
        input,
        backend: setup.backend,
        player: Player::new(curve),
        slots: Slots::new(slots),
        streams: [StreamId::of("first", 0), StreamId::of("second", 0)],
        states: [AgentState::Held; 2],
        spans: [Span { sent: start, ended: start }; 2],
    };
    pair.send(0, start);
    if setup.limiter != Limiter::Mutex {
        pair.send(1, start);
    }
    while let Some((now, rank)) = pair.player.advance() {
        pair.step(rank as usize, now);
        if pair.states == [AgentState::Ended, AgentState::Held] {
            pair.send(1, now);
        }
    }
    Predicted(pair.spans)
}

impl Pair<'_> {
    fn send(&mut self, agent: usize, now: Instant) {
        self.spans[agent].sent = now;
        let until = now.saturating_add(self.input.constants.gap + self.input.agents[agent].load);
        let until = match (self.backend, agent, self.states[0]) {
            // On the way to one slot the second never overtakes the first, whatever their counters say.
            (Backend::OneSlot, 1, AgentState::Loading(first)) => until.max(first),
            _ => until,
        };
        self.states[agent] = AgentState::Loading(until);
        self.player.wait_until(rank(agent), until);
    }

    fn step(&mut self, agent: usize, now: Instant) {
        match self.states[agent] {
            AgentState::Loading(_) if self.slots.arrive(MODEL, Batching::Together, self.streams[agent].clone()) => {
                self.read(agent, now);
            }
            AgentState::Loading(_) => self.states[agent] = AgentState::Queued,
            AgentState::Reading => {
                self.states[agent] = AgentState::Decoding;
                let place = self.player.enter_device();
                self.player.wait_served(rank(agent), place, self.input.solo(agent));
            }
            AgentState::Decoding => self.end(agent, now),
            AgentState::Held | AgentState::Queued | AgentState::Ended => {}
        }
    }

    fn read(&mut self, agent: usize, now: Instant) {
        self.states[agent] = AgentState::Reading;
        self.player.wait_until(rank(agent), now.saturating_add(self.input.agents[agent].prompt_eval));
    }

    fn end(&mut self, agent: usize, now: Instant) {
        self.states[agent] = AgentState::Ended;
        self.spans[agent].ended = now;
        self.player.leave_device();
        let next = self.slots.leave(MODEL, &self.streams[agent]);
        if let Some(next) = self.streams.iter().position(|stream| Some(stream) == next.as_ref()) {
            self.read(next, now);
        }
    }
}

/// Of what is due at one instant the first agent's goes first.
fn rank(agent: usize) -> Rank {
    u32::from(agent == 1)
}

#[cfg(test)]
mod tests;
