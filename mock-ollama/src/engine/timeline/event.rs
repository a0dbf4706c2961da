//! The events of the timeline and their places.

use bytes::Bytes;

use crate::clock::Instant;
use crate::engine::action::Seq;
use crate::journal::{ConnId, ServerId, StreamId};

/// The place of an event: events of one instant are in the order of their streams, those of a stream in sequence. No
/// two events ever have the same place.
pub(in crate::engine) type Key = (Instant, StreamId, Seq);

/// Something that is going to happen on a connection.
#[derive(Debug)]
pub(in crate::engine) struct Event {
    pub(in crate::engine) conn: ConnId,
    pub(in crate::engine) kind: EventKind,
}

/// What happens.
#[derive(Debug)]
pub(in crate::engine) enum EventKind {
    /// Bytes outside any response leave. Boxed, since there are few: it keeps the others small.
    Send(Box<Bytes>),
    /// The next chunk of the response leaves.
    Chunk {
        /// When it is due. Its place is later where a late stream has gone behind the others.
        due: Instant,
    },
    /// The response ends.
    ResponseEnd,
    /// The output ends.
    Shutdown,
    /// The connection ends.
    Close,
    /// The connection ends as a reset.
    Reset,
    /// The connection may have reached a limit.
    LimitTimer,
    /// The load of a model on this server ends.
    LoadEnds(ServerId),
}
