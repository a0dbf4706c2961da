//! Released chunks that wait for streams to come, under a stepped pace.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::action::Release;
use super::conn::Conn;
use super::timeline::Timeline;
use crate::clock::Instant;
use crate::journal::{ConnId, StreamId};

/// Lets chunks of open streams leave; returns whether there was one for them.
pub(super) fn release(
    which: &Release,
    chunks: u64,
    now: Instant,
    (streams, conns): (&BTreeMap<StreamId, ConnId>, &mut FxHashMap<ConnId, Conn>),
    timeline: &mut Timeline,
) -> bool {
    let mut is_taken = false;
    for (stream, conn) in streams {
        if matches!(which, Release::Stream(wanted) if wanted != stream) {
            continue;
        }
        let Some(state) = conns.get_mut(conn) else { continue };
        let Some(response) = state.response_mut().filter(|response| response.is_stepped()) else { continue };
        is_taken = true;
        let was_blocked = response.released == 0;
        response.released = response.released.saturating_add(chunks);
        if was_blocked && chunks > 0 && response.is_started {
            state.schedule_chunk(timeline, now, now);
        }
    }
    is_taken
}

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
