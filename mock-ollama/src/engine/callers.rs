//! What is remembered of each caller.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::journal::{Caller, ConnId, StreamId};

/// What is remembered of each caller.
#[derive(Debug, Default)]
pub(super) struct Callers(BTreeMap<Caller, History>);

#[derive(Debug, Default)]
struct History {
    exchanges: u32,
    /// How often each recording was chosen.
    choices: BTreeMap<(Arc<str>, usize), usize>,
}

impl Callers {
    /// Returns the id of the caller's next stream.
    pub(super) fn next_stream(&mut self, caller: Caller) -> StreamId {
        let history = self.0.entry(caller.clone()).or_default();
        let exchange = history.exchanges;
        history.exchanges += 1;
        StreamId { caller, exchange }
    }

    /// Returns whether this stream has been opened.
    pub(super) fn has_begun(&self, stream: &StreamId) -> bool {
        self.0.get(&stream.caller).is_some_and(|history| stream.exchange < history.exchanges)
    }

    /// Returns how often `caller` was given this recording before, and counts it.
    pub(super) fn count_choice(&mut self, caller: &Caller, choice: (&Arc<str>, usize)) -> usize {
        // Counted for each caller, so that the choice does not depend on what others ask meanwhile.
        let choices = &mut self.0.entry(caller.clone()).or_default().choices;
        let count = choices.entry((Arc::clone(choice.0), choice.1)).or_default();
        *count += 1;
        *count - 1
    }

    /// Forgets a caller that was known only by its connection.
    pub(super) fn forget(&mut self, conn: ConnId) {
        self.0.remove(&Caller::Connection(conn));
    }
}
