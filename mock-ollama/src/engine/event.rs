//! The events of the timeline and their places.

use bytes::Bytes;

use super::action::Seq;
use crate::clock::Instant;
use crate::journal::{ConnId, ServerId, StreamId};

/// The place of an event: events of one instant are in the order of their streams, those of a stream in sequence. No
/// two events ever have the same place.
pub(super) type Key = (Instant, StreamId, Seq);

/// Something that is going to happen on a connection.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) conn: ConnId,
    pub(super) kind: EventKind,
}

/// What happens.
#[derive(Debug)]
pub(super) enum EventKind {
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
