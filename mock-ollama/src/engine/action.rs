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

/// How much of a stream that is late leaves as one event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// So many chunks at most.
    pub most: NonZeroUsize,
    /// Whether each of them is an action of its own; else those that lie together leave together.
    pub apart: bool,
}

impl Turn {
    /// One chunk at a time, each in its place among those of the other streams.
    pub const ONE: Self = Self { most: NonZeroUsize::MIN, apart: true };
}

/// What a driver is told to do. Actions of one connection keep their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Write these bytes.
    Write {
        /// To whom.
        conn: ConnId,
        /// What.
        bytes: Bytes,
    },
    /// Say that nothing more will be written, once everything before is.
    Shutdown {
        /// To whom.
        conn: ConnId,
    },
    /// Close the connection, once everything before is written.
    Close {
        /// Which.
        conn: ConnId,
    },
    /// Close it so that the client sees a reset, once everything before is written.
    Reset {
        /// Which.
        conn: ConnId,
    },
    /// The same at once, whatever there is left to write.
    Abandon {
        /// Which.
        conn: ConnId,
    },
}

/// How a connection ended, seen from the driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    /// The client said that it will send nothing more, which Ollama takes for a hang-up.
    Eof,
    /// The connection broke.
    Error,
    /// This side closed it.
    Local,
}

/// Which streams a release is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Release {
    /// Each stream that is open now.
    All,
    /// This one.
    Stream(StreamId),
}
