//! Who is told of reads, writes and closes.

use crate::clock::Instant;
use crate::engine::Closed;
use crate::journal::ConnId;

/// Is told, on the loop's thread, what moved between the sockets and the engine.
///
/// Virtual time uses it to know which bytes are in flight.
pub trait Observer: Send + 'static {
    /// The loop took `bytes` from a connection; the engine is given them next.
    fn read(&mut self, _conn: ConnId, _bytes: usize, _now: Instant) {}

    /// The transport took `bytes` of a connection's output.
    fn wrote(&mut self, _conn: ConnId, _bytes: usize, _now: Instant) {}

    /// A connection is gone.
    fn closed(&mut self, _conn: ConnId, _how: Closed, _now: Instant) {}
}

/// Looks away.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoObserver;

impl Observer for NoObserver {}
