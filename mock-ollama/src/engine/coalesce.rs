//! Chunks that leave in one write.

use std::ops::Range;

use super::action::{Action, Batch};
use super::response::ActiveResponse;
use crate::fault::{Payload, PlannedChunk};
use crate::journal::ConnId;

/// Collects recorded chunks that are adjacent in the encoded form of their recording: they leave as one slice of it, and
/// nothing is copied.
#[derive(Debug, Default)]
pub(super) struct WriteCoalescer(Range<usize>);

impl WriteCoalescer {
    /// Takes a chunk, behind those before it, and returns the number of its encoded bytes. The bytes of its body stay.
    #[inline]
    pub(super) fn add(
        &mut self,
        (conn, response): (ConnId, &ActiveResponse),
        chunk: &mut PlannedChunk,
        batch: Batch,
        actions: &mut Vec<Action>,
    ) -> usize {
        match &mut chunk.payload {
            Payload::Encoded(place) => {
                let length = place.len();
                if batch.separate_writes || self.0.end != place.start {
                    self.flush((conn, response), actions);
                    self.0.start = place.start;
                }
                self.0.end = place.end;
                length
            }
            Payload::Plain { head, data } => {
                // What was collected before it leaves before it.
                self.flush((conn, response), actions);
                let bytes = response.encode(std::mem::take(head), data);
                let length = bytes.len();
                actions.extend((length > 0).then_some(Action::Write { conn, bytes }));
                length
            }
        }
    }

    /// Queues a write of what has been collected.
    #[inline]
    pub(super) fn flush(&mut self, (conn, response): (ConnId, &ActiveResponse), actions: &mut Vec<Action>) {
        let place = std::mem::take(&mut self.0);
        if place.start < place.end {
            actions.push(Action::Write { conn, bytes: response.encoded(place) });
        }
    }
}
