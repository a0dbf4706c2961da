//! The same requests alone and together.

use std::time::Duration;

use mock_ollama::clock::Instant;

use super::simulate::{DeviceStream, Need};

/// Recordings of the same requests alone and together on one host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Set {
    /// Its name, from that of its folder.
    pub name: String,
    /// How often it was done; at least once.
    pub repetitions: Vec<Repetition>,
}

/// One time that all agents asked together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repetition {
    /// Its name, from those of its files.
    pub name: String,
    /// Who asked; at least two, and of one at least it is known how it is alone.
    pub agents: Vec<Agent>,
}

/// Who asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agent {
    /// Its name, from that of its file.
    pub name: String,
    /// From the request to the first chunk.
    pub prompt: Duration,
    /// When each chunk arrived, on the clock of the set; at least two.
    pub together: Vec<Instant>,
    /// The time of each chunk since the first one when the agent was alone; as many as together.
    pub alone: Option<Vec<Duration>>,
}

impl Agent {
    /// When the first chunk arrived.
    pub fn first(&self) -> Instant {
        self.together.first().copied().unwrap_or_default()
    }

    /// When the last chunk arrived.
    pub fn last(&self) -> Instant {
        self.together.last().copied().unwrap_or_default()
    }

    fn stream(&self) -> DeviceStream {
        let need = self.alone.clone().map_or(Need::Until(self.last()), Need::Served);
        DeviceStream { first: self.first(), need }
    }
}

impl Repetition {
    /// What the device has to do.
    pub fn streams(&self) -> Vec<DeviceStream> {
        self.agents.iter().map(Agent::stream).collect()
    }
}
