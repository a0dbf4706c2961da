//! Pulling what the next events use into the cache.
//!
//! Thousands of streams are more than a cache holds, least of all beside the kernel's sockets: the state of one has left it
//! since its last chunk. A chunk that finds its connection, its response and its place in the recording one after the other
//! waits for memory at each of them. Memory serves several reads at once, so the next few are read in a row beforehand.

use std::hint::black_box;

use rustc_hash::FxHashMap;

use super::conn::Conn;
use super::response::ActiveResponse;
use super::timeline::Timeline;
use crate::journal::ConnId;

/// With no more connections than this nothing is gained: all of them stay in the cache.
const MIN_CONNECTIONS: usize = 64;

/// Reads what `touch` reads of each item. The results mean nothing; `black_box` keeps the compiler from dropping the reads.
pub(crate) fn prefetch<T>(items: impl Iterator<Item = T>, touch: impl Fn(T) -> u64) {
    black_box(items.map(touch).fold(0, u64::wrapping_add));
}

/// Touches the connections of the next few events, once those that it touched before have had their turn.
#[derive(Debug, Default)]
pub(super) struct Prefetcher {
    /// The connections that were touched and whose events have not happened.
    touched: Vec<ConnId>,
}

impl Prefetcher {
    /// Is called before each event.
    pub(super) fn prefetch_next(&mut self, timeline: &Timeline, conns: &FxHashMap<ConnId, Conn>) {
        if self.touched.pop().is_some() || conns.len() <= MIN_CONNECTIONS {
            return;
        }
        self.touched.extend(timeline.coming());
        let conns = || self.touched.iter().filter_map(|conn| conns.get(conn));
        let responses = || conns().filter_map(Conn::response);
        // Each level for all of them before the next one, whose addresses depend on it.
        prefetch(conns(), Conn::touch);
        prefetch(responses(), ActiveResponse::touch);
        prefetch(responses(), ActiveResponse::touch_chunk);
        // The event that is about to happen counts as well.
        self.touched.pop();
    }
}
