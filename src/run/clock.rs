//! Which clock a run goes by.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Which clock a run goes by, and with it which transport.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClockKind {
    /// Real time, over sockets, each run in processes of its own.
    #[default]
    Wall,
    /// Virtual time in memory, on each variant's executor.
    Virtual,
    /// Virtual time over sockets, on each variant's executor and through its own client.
    VirtualSockets,
    /// Virtual time without tasks, HTTP or variants.
    Model,
}

impl ClockKind {
    /// All of them, in the order in which help lists them.
    pub const ALL: [Self; 4] = [Self::Wall, Self::Virtual, Self::VirtualSockets, Self::Model];

    /// As `--clock` spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Wall => "wall",
            Self::Virtual => "virtual",
            Self::VirtualSockets => "virtual-sockets",
            Self::Model => "model",
        }
    }

    /// As reports say it.
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Wall => "real time",
            Self::Virtual => "virtual time, in memory",
            Self::VirtualSockets => "virtual time, over sockets",
            Self::Model => "virtual time, model",
        }
    }

    /// The most agents that it is used with: sockets need descriptors, tasks need memory.
    pub const fn most_agents(self) -> usize {
        match self {
            Self::Wall => 10_000,
            Self::VirtualSockets => 9_000,
            Self::Virtual | Self::Model => crate::workload::file::MAX_AGENTS,
        }
    }
}

/// No clock is called so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no clock is called `{0}`; there are wall, virtual, virtual-sockets and model")]
pub struct UnknownClock(String);

impl FromStr for ClockKind {
    type Err = UnknownClock;

    fn from_str(text: &str) -> Result<Self, UnknownClock> {
        Self::ALL.into_iter().find(|kind| kind.name() == text).ok_or_else(|| UnknownClock(text.to_owned()))
    }
}

impl fmt::Display for ClockKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
