//! What goes in beside bytes, and what comes out.

use std::num::NonZeroUsize;

use bytes::Bytes;

use crate::journal::{ConnId, StreamId};

/// The place of an event among those of its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seq(pub u64);

/// One event that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The stream it belongs to; one of the connection itself where it belongs to none.
    pub stream: StreamId,
    /// What the driver is to do for it, if anything.
    pub action: Option<Action>,
}

/// How much of a late stream leaves as one event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batch {
    /// The most chunks that leave.
    pub max_chunks: NonZeroUsize,
    /// Whether each chunk is an action by itself. Otherwise adjacent chunks are coalesced.
    pub separate_writes: bool,
}

impl Batch {
    /// One chunk at a time, each in its place among those of the other streams.
    pub const ONE: Self = Self { max_chunks: NonZeroUsize::MIN, separate_writes: true };
}

/// What a driver is told to do. Actions of one connection keep their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Write these bytes.
    Write {
        /// The connection.
        conn: ConnId,
        /// The bytes, of one chunk or of several.
        bytes: Bytes,
    },
    /// Shut the output down, once everything before is written.
    Shutdown {
        /// The connection.
        conn: ConnId,
    },
    /// Close the connection, once everything before is written.
    Close {
        /// The connection.
        conn: ConnId,
    },
    /// Close it so that the client sees a reset, once everything before is written.
    Reset {
        /// The connection.
        conn: ConnId,
    },
    /// Reset it at once, whatever is still to be written.
    Abandon {
        /// The connection.
        conn: ConnId,
    },
}

impl Action {
    /// Returns the connection that it concerns.
    pub fn conn(&self) -> ConnId {
        match self {
            Self::Write { conn, .. }
            | Self::Shutdown { conn }
            | Self::Close { conn }
            | Self::Reset { conn }
            | Self::Abandon { conn } => *conn,
        }
    }
}

/// Which streams a release is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Release {
    /// Each stream that is open now; where none is, the next one.
    All,
    /// This one, open or still to come.
    Stream(StreamId),
}
