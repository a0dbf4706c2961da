//! Chunks that leave together.

use std::ops::Range;

use super::action::Action;
use super::stream::{Answering, Taken};
use crate::journal::ConnId;

/// Recorded chunks that lie behind one another in what their recording was encoded to: they leave as one piece of it.
#[derive(Debug, Default)]
pub(super) struct Together(Range<usize>);

impl Together {
    /// A chunk of an answer leaves: with those before it where they lie together and are not to leave `apart`, else after
    /// them. Says how long it is.
    pub(super) fn add(
        &mut self,
        conn: ConnId,
        answering: &Answering,
        taken: Taken,
        apart: bool,
        actions: &mut Vec<Action>,
    ) -> usize {
        match taken {
            Taken::Shared(place) => {
                let length = place.len();
                if apart || self.0.end != place.start {
                    self.leave(conn, answering, actions);
                    self.0.start = place.start;
                }
                self.0.end = place.end;
                length
            }
            Taken::Own(bytes) => {
                self.leave(conn, answering, actions);
                let length = bytes.len();
                actions.extend((length > 0).then_some(Action::Write { conn, bytes }));
                length
            }
        }
    }

    /// Those that have not left do.
    pub(super) fn leave(&mut self, conn: ConnId, answering: &Answering, actions: &mut Vec<Action>) {
        let place = std::mem::take(&mut self.0);
        if place.start < place.end {
            actions.push(Action::Write { conn, bytes: answering.shared(place) });
        }
    }
}
