//! What is remembered of each caller.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::journal::{Caller, ConnId, StreamId};

/// What is remembered of each caller.
#[derive(Debug, Default)]
pub(super) struct Callers {
    histories: BTreeMap<Caller, History>,
    /// How often each recording was chosen, whoever asked.
    choices: Choices,
}

/// How often each recording was chosen.
type Choices = BTreeMap<(Arc<str>, usize), usize>;

#[derive(Debug, Default)]
struct History {
    exchanges: u32,
    choices: Choices,
}

impl Callers {
    /// Returns the id of the caller's next stream.
    pub(super) fn next_stream(&mut self, caller: Caller) -> StreamId {
        let history = self.histories.entry(caller.clone()).or_default();
        let exchange = history.exchanges;
        history.exchanges += 1;
        StreamId { caller, exchange }
    }

    /// Returns whether this stream has been opened.
    pub(super) fn has_begun(&self, stream: &StreamId) -> bool {
        self.histories.get(&stream.caller).is_some_and(|history| stream.exchange < history.exchanges)
    }

    /// Returns how often this recording was given before, to `caller` or to anybody, and counts it.
    pub(super) fn count_choice(&mut self, caller: Option<&Caller>, choice: (&Arc<str>, usize)) -> usize {
        let choices = match caller {
            Some(caller) => &mut self.histories.entry(caller.clone()).or_default().choices,
            None => &mut self.choices,
        };
        let count = choices.entry((Arc::clone(choice.0), choice.1)).or_default();
        *count += 1;
        *count - 1
    }

    /// Forgets how often each recording was chosen.
    pub(super) fn reset(&mut self) {
        self.choices.clear();
        for history in self.histories.values_mut() {
            history.choices.clear();
        }
    }

    /// Forgets a caller that was known only by its connection.
    pub(super) fn forget(&mut self, conn: ConnId) {
        self.histories.remove(&Caller::Connection(conn));
    }
}
