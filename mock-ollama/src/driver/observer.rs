//! Who is told of reads, writes and closes.

use crate::clock::Instant;
use crate::engine::Closed;
use crate::journal::{ConnId, StreamId};

/// Is told, on the loop's thread, what moved between the sockets and the engine.
///
/// Virtual time uses it to know which bytes are in flight.
pub trait Observer: Send + 'static {
    /// The loop took `bytes` from a connection; the engine is given them next.
    fn read(&mut self, _conn: ConnId, _bytes: usize, _now: Instant) {}

    /// An event of this stream happened in the engine; what it has to write is written next.
    fn stepped(&mut self, _stream: &StreamId) {}

    /// The client will send nothing more on this connection.
    fn hung_up(&mut self, _conn: ConnId) {}

    /// The transport took `bytes` of a connection's output.
    fn wrote(&mut self, _conn: ConnId, _bytes: usize, _now: Instant) {}

    /// A connection is gone.
    fn closed(&mut self, _conn: ConnId, _how: Closed, _now: Instant) {}
}

/// Looks away.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoObserver;

impl Observer for NoObserver {}
