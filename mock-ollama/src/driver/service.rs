//! How a loop serves its sockets.

use std::time::Duration;

/// How a loop serves its sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Service {
    /// Whether every chunk leaves in a write, and so in a TCP segment, of its own, also where several are due.
    pub flush: bool,
    /// How long before a deadline the loop wakes to spin the rest, while few streams are in progress: so long, or as long as
    /// waking took lately, up to four times as long. Zero never spins.
    pub spin: Duration,
    /// Connections at once; the next one is answered with 503. By default what the process may open, less a reserve.
    pub connections: Option<usize>,
}

impl Default for Service {
    fn default() -> Self {
        Self { flush: false, spin: Duration::from_micros(50), connections: None }
    }
}

/// Descriptors that are left for other uses than connections, beside those of the loops.
#[cfg(target_os = "linux")]
const RESERVE: u64 = 64;

impl Service {
    /// Connections at once, where the loops have so many descriptors for themselves.
    pub(crate) fn most(&self, of_loops: usize) -> usize {
        self.connections.unwrap_or_else(|| left_beside(of_loops))
    }
}

#[cfg(target_os = "linux")]
fn left_beside(of_loops: usize) -> usize {
    use rustix::process::{Resource, getrlimit};

    let allowed = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let left = allowed.saturating_sub(RESERVE.saturating_add(of_loops as u64));
    usize::try_from(left.max(1)).unwrap_or(usize::MAX)
}

#[cfg(not(target_os = "linux"))]
fn left_beside(_of_loops: usize) -> usize {
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
