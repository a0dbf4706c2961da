//! A look at what the next events are going to use.

use std::hint::black_box;

use super::conn::Conn;
use super::run::Engine;
use super::stream::Answering;

/// With no more connections than this there is nothing to gain: all of them stay in the cache.
const FEW: usize = 64;

impl Engine {
    /// Looks at the connections of the next few events, once those that were looked at have had their turn.
    ///
    /// Thousands of streams are more than a cache holds, least of all beside the kernel's sockets: what belongs to one has left
    /// it since its last chunk. Memory answers several reads at once; so what the next few are going to use is read in a row,
    /// and is there when each has its turn.
    pub(super) fn look_ahead(&mut self) {
        if self.ahead.pop().is_some() || self.conns.len() <= FEW {
            return;
        }
        // Each read for all of them before the next one, which depends on it.
        self.ahead.extend(self.timeline.coming());
        let conns = || self.ahead.iter().filter_map(|conn| self.conns.get(conn));
        black_box(conns().map(Conn::look).fold(0, u64::wrapping_add));
        let answers = || conns().filter_map(Conn::answering);
        black_box(answers().map(Answering::look).fold(0, u64::wrapping_add));
        black_box(answers().map(Answering::look_at_chunk).fold(0, u64::wrapping_add));
        self.ahead.pop();
    }
}
