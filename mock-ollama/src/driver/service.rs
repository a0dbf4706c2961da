//! How a loop serves its sockets.

use std::time::Duration;

/// How a loop serves its sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Service {
    /// Whether every chunk leaves in a write, and so in a TCP segment, of its own, also where several are due.
    pub flush: bool,
    /// How long before a deadline the loop wakes to spin the rest, while few streams are in progress; zero never spins.
    pub spin: Duration,
    /// Connections at once; the next one is answered with 503. By default what the process may open, less a reserve.
    pub connections: Option<usize>,
}

impl Default for Service {
    fn default() -> Self {
        Self { flush: false, spin: Duration::from_micros(50), connections: None }
    }
}

/// Descriptors that are left for other uses than connections.
#[cfg(target_os = "linux")]
const RESERVE: u64 = 64;

impl Service {
    /// Connections at once.
    pub(super) fn most(&self) -> usize {
        self.connections.unwrap_or_else(descriptors)
    }
}

#[cfg(target_os = "linux")]
fn descriptors() -> usize {
    use rustix::process::{Resource, getrlimit};

    let allowed = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    usize::try_from(allowed.saturating_sub(RESERVE).max(1)).unwrap_or(usize::MAX)
}

#[cfg(not(target_os = "linux"))]
fn descriptors() -> usize {
    usize::MAX
}

/// Lets this process open as many descriptors as the system allows it. It keeps its limit where it cannot be raised.
pub fn raise_descriptor_limit() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

        let limit = getrlimit(Resource::Nofile);
        let raised = Rlimit { current: limit.maximum, ..limit };
        let _ = setrlimit(Resource::Nofile, raised);
    }
}
