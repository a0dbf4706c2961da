//! Released chunks that wait for streams to come, under a stepped pace.

use std::collections::BTreeMap;

use super::action::Release;
use crate::journal::StreamId;

/// Releases that no open stream took.
#[derive(Debug, Default)]
pub(super) struct Permits {
    next: u64,
    named: BTreeMap<StreamId, u64>,
}

impl Permits {
    /// Keeps a release for the next stream that opens, or for the one that it names.
    pub(super) fn keep(&mut self, which: &Release, chunks: u64) {
        let kept = match which {
            Release::All => &mut self.next,
            Release::Stream(stream) => self.named.entry(stream.clone()).or_default(),
        };
        *kept = kept.saturating_add(chunks);
    }

    /// Takes what waited for a stream that opens.
    pub(super) fn take(&mut self, stream: &StreamId) -> u64 {
        let named = self.named.remove(stream).unwrap_or_default();
        std::mem::take(&mut self.next).saturating_add(named)
    }
}
