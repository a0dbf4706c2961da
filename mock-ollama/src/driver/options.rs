//! How the loop serves its sockets.

use std::time::Duration;

/// How the loop serves its sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SocketOptions {
    /// Whether every chunk leaves in a write, and so in a TCP segment, of its own, also where several are due.
    pub flush: bool,
    /// How long before a deadline the loop wakes to spin the rest, while few streams are in progress. It is the least: where
    /// waking took longer lately, it is that, up to four times as long. Zero never spins.
    pub spin: Duration,
    /// Connections at once; the next one is answered with 503. By default what the process may open, less a reserve.
    pub connections: Option<usize>,
}

impl Default for SocketOptions {
    fn default() -> Self {
        Self { flush: false, spin: Duration::from_micros(50), connections: None }
    }
}

/// Descriptors that are left for other uses than connections, beside those of the loop.
#[cfg(target_os = "linux")]
const RESERVED_DESCRIPTORS: u64 = 64;

impl SocketOptions {
    /// Returns the limit of connections, where the loop has `loop_descriptors` for itself.
    pub(crate) fn max_connections(&self, loop_descriptors: usize) -> usize {
        self.connections.unwrap_or_else(|| descriptors_beside(loop_descriptors))
    }
}

#[cfg(target_os = "linux")]
fn descriptors_beside(loop_descriptors: usize) -> usize {
    use rustix::process::{Resource, getrlimit};

    let allowed = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let left = allowed.saturating_sub(RESERVED_DESCRIPTORS.saturating_add(loop_descriptors as u64));
    usize::try_from(left.max(1)).unwrap_or(usize::MAX)
}

#[cfg(not(target_os = "linux"))]
fn descriptors_beside(_loop_descriptors: usize) -> usize {
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
