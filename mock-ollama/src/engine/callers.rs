//! What is remembered of those who ask.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::journal::{Caller, ConnId, StreamId};

/// What is remembered of each caller.
#[derive(Debug, Default)]
pub(super) struct Callers(BTreeMap<Caller, State>);

#[derive(Debug, Default)]
struct State {
    exchanges: u32,
    /// How often each choice among recordings was made.
    turns: BTreeMap<(Arc<str>, usize), usize>,
}

impl Callers {
    /// The id of the caller's next stream.
    pub(super) fn next_stream(&mut self, caller: Caller) -> StreamId {
        let state = self.0.entry(caller.clone()).or_default();
        let exchange = state.exchanges;
        state.exchanges += 1;
        StreamId { caller, exchange }
    }

    /// How often `caller` has made this choice before.
    pub(super) fn take_turn(&mut self, caller: &Caller, choice: (&Arc<str>, usize)) -> usize {
        let turns = &mut self.0.entry(caller.clone()).or_default().turns;
        let turn = turns.entry((Arc::clone(choice.0), choice.1)).or_default();
        *turn += 1;
        *turn - 1
    }

    /// Forgets a caller that was known only by its connection.
    pub(super) fn forget(&mut self, conn: ConnId) {
        self.0.remove(&Caller::Connection(conn));
    }
}
