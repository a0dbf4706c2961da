//! The one place where real time counts: a run in which nothing happens any more is given up.

use std::thread::Builder;
use std::time::Duration;

/// How often it looks within its patience: a run that sticks is found a tenth too late at most.
const LOOKS_PER_PATIENCE: u32 = 10;

/// How far a run is when the watchdog looks.
pub(super) enum Liveness {
    /// It is over, or nobody else is left.
    Over,
    /// It has not been started.
    Waiting,
    /// As many things have happened.
    Moved(u64),
}

/// Watches a run from a separate thread. `look` waits for the given time, at most; `give_up` is called when nothing
/// has happened for all of `patience`.
pub(super) fn watch(
    patience: Duration,
    mut look: impl FnMut(Duration) -> Liveness + Send + 'static,
    give_up: impl FnOnce() + Send + 'static,
) {
    let watching = move || {
        let (mut last, mut idle) = (None, 0);
        loop {
            let made = match look(patience / LOOKS_PER_PATIENCE) {
                Liveness::Over => return,
                Liveness::Waiting => None,
                Liveness::Moved(made) => Some(made),
            };
            idle = if made.is_some() && made == last { idle + 1 } else { 0 };
            last = made;
            if idle >= LOOKS_PER_PATIENCE {
                return give_up();
            }
        }
    };
    // Without a thread there is no watchdog; a run that never sticks does not need one.
    drop(Builder::new().name("lab-watchdog".to_owned()).spawn(watching));
}
