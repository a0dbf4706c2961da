//! The environment of agents: which clock, which transport.

use std::fmt;
use std::sync::Arc;

use mock_ollama::clock::{Clock, Instant};
use mock_ollama::journal::StreamId;

use crate::clients::{AgentClock, Executor};
use crate::sim::Sim;

/// The environment that agents run in. The executor is the variant's own in each.
#[derive(Clone)]
pub enum Environment {
    /// Real time and real sockets, through the variant's own client.
    Wall(Arc<dyn Clock>),
    /// Virtual time, and hyper over in-memory pipes whatever the variant's client is.
    Memory(Sim),
    /// Virtual time and real sockets, through the variant's own client.
    Sockets(Sim),
}

impl Environment {
    /// The time.
    pub(super) fn now(&self) -> Instant {
        match self {
            Self::Wall(clock) => clock.now(),
            Self::Memory(sim) | Self::Sockets(sim) => sim.now(),
        }
    }

    /// The simulation, in virtual time.
    pub(super) fn sim(&self) -> Option<&Sim> {
        match self {
            Self::Wall(_) => None,
            Self::Memory(sim) | Self::Sockets(sim) => Some(sim),
        }
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wall(clock) => write!(f, "Wall({})", clock.now()),
            Self::Memory(sim) => write!(f, "Memory({sim:?})"),
            Self::Sockets(sim) => write!(f, "Sockets({sim:?})"),
        }
    }
}

/// Real time: a clock to read, and the timers of a runtime.
#[derive(Clone)]
pub(super) struct RealTime<E> {
    pub(super) clock: Arc<dyn Clock>,
    pub(super) executor: E,
}

impl<E: Executor> AgentClock for RealTime<E> {
    fn now(&self) -> Instant {
        self.clock.now()
    }

    async fn sleep_until(&self, at: Instant, _stream: &StreamId) {
        let left = at.saturating_since(self.clock.now());
        if !left.is_zero() {
            self.executor.sleep(left).await;
        }
    }
}
