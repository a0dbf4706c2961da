//! The observer of reads, writes and closes.

use crate::clock::Instant;
use crate::journal::{ConnId, StreamId};

/// How a connection ended, seen from the driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseReason {
    /// The client shut its output down, which Ollama takes for a hang-up.
    Eof,
    /// The connection broke.
    Error,
    /// This side closed it.
    Local,
}

/// Is told, on the loop's thread, what moved between the sockets and the engine.
///
/// Virtual time uses it to know which bytes are in flight.
pub trait Observer: Send + 'static {
    /// The loop took `bytes` from a connection; the engine is given them next.
    fn read(&mut self, _conn: ConnId, _bytes: usize, _now: Instant) {}

    /// An event of this stream happened in the engine; its output is written next.
    fn stepped(&mut self, _stream: &StreamId) {}

    /// The client has shut its output down.
    fn hung_up(&mut self, _conn: ConnId) {}

    /// The transport took `bytes` of a connection's output.
    fn wrote(&mut self, _conn: ConnId, _bytes: usize, _now: Instant) {}

    /// A connection is gone.
    fn closed(&mut self, _conn: ConnId, _reason: CloseReason, _now: Instant) {}
}

/// Ignores everything.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoObserver;

impl Observer for NoObserver {}
