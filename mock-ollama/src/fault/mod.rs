//! What an answer does on the wire, step by step, before its bytes are encoded: the place where faults act.
//!
//! The engine asks a response when its next step happens ([`NextStep`]), what leaves with it ([`PlannedChunk`]) and how it
//! ends ([`WireEnd`]). Only afterwards are chunks encoded and coalesced into writes. So a fault sees the stream, the number of
//! the chunk and the bytes of the body that it carries, and answers with another step, another chunk or another end.
//!
//! Everything here is pure. The only deviation today is the end that a recording or a script states.

use std::ops::Range;

use bytes::Bytes;

use crate::clock::Instant;
use crate::recording::End;

/// When the next step of an answer happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NextStep {
    /// A chunk leaves at this instant.
    ChunkAt(Instant),
    /// A chunk leaves when a test releases it.
    ChunkOnRelease,
    /// The body ends.
    End,
}

/// One chunk of an answer, after the schedule and before the encoder.
#[derive(Debug)]
pub(crate) struct PlannedChunk {
    /// Which chunk of the answer it is, counted from zero.
    pub(crate) number: usize,
    /// When it was due.
    pub(crate) due: Instant,
    /// Which bytes of the body it carries.
    pub(crate) body: Range<u64>,
    pub(crate) payload: Payload,
}

/// The bytes of a planned chunk.
#[derive(Debug)]
pub(crate) enum Payload {
    /// A recorded chunk as it stands: its place in the encoded form of the recording.
    Encoded(Range<usize>),
    /// Bytes that are not encoded yet.
    Plain {
        /// The encoded head of the response; empty when it has left.
        head: Vec<u8>,
        /// The bytes of the body.
        data: Bytes,
    },
}

/// How an answer ends on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WireEnd {
    /// Whole; the connection may serve another request.
    Complete,
    /// The output ends in the middle of the body.
    Truncated,
    /// The client sees a reset in the middle of the body.
    Reset,
}

impl From<End> for WireEnd {
    fn from(recorded: End) -> Self {
        match recorded {
            End::Clean => Self::Complete,
            End::Reset => Self::Reset,
            // What a server would have sent after the recorder left is not known: the connection ends there.
            End::Eof | End::ClientClosed | End::Timeout => Self::Truncated,
        }
    }
}
