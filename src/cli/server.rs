//! Where the server of a run is.

use std::fmt;

use clap::ValueEnum;
use runtime_lab::report::{Classified, ErrorClass};
use runtime_lab::run::ClockKind;

/// Where the server of a run is. Each clock has one place for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ServerPlace {
    /// In a process of its own, which shares no thread, reactor or allocator with the agents (wall)
    Process,
    /// On a thread of the agents' process, behind sockets (virtual-sockets)
    Thread,
    /// In the agents' memory, without sockets (virtual)
    Memory,
    /// Nowhere: the model has no server (model)
    None,
}

impl ServerPlace {
    /// The clock that has this place.
    const fn clock(self) -> ClockKind {
        match self {
            Self::Process => ClockKind::Wall,
            Self::Thread => ClockKind::VirtualSockets,
            Self::Memory => ClockKind::Virtual,
            Self::None => ClockKind::Model,
        }
    }
}

/// What a clock has for a server, in words.
const fn server_of(clock: ClockKind) -> &'static str {
    match clock {
        ClockKind::Wall => "its server in a process of its own",
        ClockKind::VirtualSockets => "its server on a thread of the agents' process",
        ClockKind::Virtual => "its server in the agents' memory",
        ClockKind::Model => "no server",
    }
}

impl fmt::Display for ServerPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_possible_value().map_or(Ok(()), |value| f.pad(value.get_name()))
    }
}

/// A place for the server that a clock does not have.
#[derive(Debug, thiserror::Error)]
#[error(
    "`--server {wanted}` does not go with `--clock {clock}`, which has {}; leave `--server` out, or take `--clock {}`",
    server_of(*clock),
    wanted.clock()
)]
pub(super) struct OtherPlace {
    wanted: ServerPlace,
    clock: ClockKind,
}

impl Classified for OtherPlace {
    fn class(&self) -> ErrorClass {
        ErrorClass::Usage
    }
}

/// Refuses a place that the clock does not have. Of no place nothing is asked.
pub(super) fn check(wanted: Option<ServerPlace>, clock: ClockKind) -> Result<(), OtherPlace> {
    match wanted {
        Some(wanted) if wanted.clock() != clock => Err(OtherPlace { wanted, clock }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_is_that_of_the_clock_that_is_named_for_it() {
        for clock in ClockKind::ALL {
            assert_eq!(
                ServerPlace::value_variants().iter().filter(|place| place.clock() == clock).count(),
                1,
                "{clock}"
            );
        }
        assert_eq!(ServerPlace::value_variants().len(), ClockKind::ALL.len());
    }
}
