//! Waits in the hands of the loop, which settles them, since it alone knows the state of the server.
//!
//! It owns their deadlines, too: a future needs no timer.

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

use crate::clock::Instant;
use crate::engine::Engine;
use crate::journal::Journal;

/// What a wait is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WaitGoal {
    /// Exactly this number of streams in progress.
    InFlight(usize),
    /// At least this number of requests.
    Requests(usize),
    /// No request in progress.
    Idle,
}

impl WaitGoal {
    fn is_reached(self, engine: &Engine) -> bool {
        match self {
            Self::InFlight(streams) => engine.journal().in_flight == streams,
            Self::Requests(requests) => engine.journal().requests() >= requests,
            Self::Idle => engine.is_idle(),
        }
    }
}

impl fmt::Display for WaitGoal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InFlight(1) => f.write_str("1 stream in flight"),
            Self::InFlight(streams) => write!(f, "{streams} streams in flight"),
            Self::Requests(1) => f.write_str("1 request"),
            Self::Requests(requests) => write!(f, "{requests} requests"),
            Self::Idle => f.write_str("no request in progress"),
        }
    }
}

/// Where the loop leaves the outcome of a wait.
#[derive(Debug, Default)]
pub(super) struct WaitOutcome {
    slot: Mutex<Slot>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Slot {
    /// Whether there has been a result; the first one counts.
    is_set: bool,
    result: Option<Result<(), WaitError>>,
    waker: Option<Waker>,
}

impl WaitOutcome {
    fn lock(&self) -> MutexGuard<'_, Slot> {
        // A plain value that every holder leaves whole.
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn poll(&self, waker: &Waker) -> Poll<Result<(), WaitError>> {
        let mut slot = self.lock();
        let Some(result) = slot.result.take() else {
            // The last poll's waker counts: a future may move from task to task.
            slot.waker = Some(waker.clone());
            return Poll::Pending;
        };
        Poll::Ready(result)
    }

    pub(super) fn block(&self) -> Result<(), WaitError> {
        let mut slot = self.lock();
        loop {
            if let Some(result) = slot.result.take() {
                return result;
            }
            slot = self.changed.wait(slot).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn set(&self, result: impl FnOnce() -> Result<(), WaitError>) {
        let mut slot = self.lock();
        if std::mem::replace(&mut slot.is_set, true) {
            return;
        }
        slot.result = Some(result());
        let waker = slot.waker.take();
        drop(slot);
        self.changed.notify_all();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// A wait in the hands of the loop. Dropping it tells its owner that the server has ended.
#[derive(Debug)]
pub(super) struct PendingWait {
    goal: WaitGoal,
    limit: Duration,
    /// Counts from the moment at which the loop took it.
    deadline: Instant,
    outcome: Arc<WaitOutcome>,
}

impl PendingWait {
    /// Returns a wait whose outcome is left in `outcome`.
    pub(super) fn new(goal: WaitGoal, limit: Duration, outcome: Arc<WaitOutcome>) -> Self {
        Self { goal, limit, deadline: Instant::ZERO, outcome }
    }

    fn error(&self, cause: WaitFailure, journal: Journal) -> WaitError {
        WaitError { goal: self.goal, limit: self.limit, cause, journal: Box::new(journal) }
    }

    /// Returns whether it is over, and leaves its outcome then.
    fn settle(&self, engine: &Engine, now: Instant) -> bool {
        if self.goal.is_reached(engine) {
            self.outcome.set(|| Ok(()));
        } else if self.deadline <= now {
            self.outcome.set(|| Err(self.error(WaitFailure::TimedOut, engine.journal().clone())));
        } else {
            // Its owner may have dropped the future.
            return Arc::strong_count(&self.outcome) == 1;
        }
        true
    }
}

impl Drop for PendingWait {
    fn drop(&mut self) {
        self.outcome.set(|| Err(self.error(WaitFailure::ServerEnded, Journal::default())));
    }
}

/// The waits in the hands of the loop.
#[derive(Debug, Default)]
pub(super) struct Waits(Vec<PendingWait>);

impl Waits {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes a wait, whose time begins at `now`.
    pub(super) fn add(&mut self, mut wait: PendingWait, now: Instant) {
        wait.deadline = now.saturating_add(wait.limit);
        self.0.push(wait);
    }

    /// Returns how long it is to the first deadline.
    pub(super) fn timeout(&self, now: Instant) -> Option<Duration> {
        self.0.iter().map(|wait| wait.deadline.saturating_since(now)).min()
    }

    /// Ends those that are over at `now`.
    pub(super) fn settle(&mut self, engine: &Engine, now: Instant) {
        self.0.retain(|wait| !wait.settle(engine, now));
    }

    /// Ends all of them, since the server has ended.
    pub(super) fn end(&mut self, journal: &Journal) {
        for wait in self.0.drain(..) {
            wait.outcome.set(|| Err(wait.error(WaitFailure::ServerEnded, journal.clone())));
        }
    }
}

/// Why a wait came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WaitFailure {
    TimedOut,
    ServerEnded,
}

/// A wait that came to nothing: what was waited for, how far the server is, and its journal. `Debug` prints the same, so that
/// `unwrap` shows it.
#[derive(Clone)]
pub struct WaitError {
    goal: WaitGoal,
    limit: Duration,
    cause: WaitFailure,
    journal: Box<Journal>,
}

impl WaitError {
    /// What had happened when the wait ended; empty when the server's thread failed.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::time::Duration;
    /// let server = mock_ollama::MockOllama::builder().start()?;
    /// let error = server.in_flight(1).within(Duration::ZERO).wait().unwrap_err();
    /// assert_eq!(error.journal().requests(), 0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn journal(&self) -> &Journal {
        &self.journal
    }
}

impl fmt::Display for WaitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { goal, limit, cause, journal } = self;
        match cause {
            WaitFailure::TimedOut => write!(f, "waited {limit:?} for {goal}")?,
            WaitFailure::ServerEnded => write!(f, "the server ended while a test waited for {goal}")?,
        }
        write!(f, "; requests so far: {}, streams in flight: {}", journal.requests(), journal.in_flight)?;
        // A line end before the lines of the journal, and none behind them.
        let lines = journal.to_string();
        if lines.is_empty() { Ok(()) } else { write!(f, "\n{}", lines.trim_end()) }
    }
}

impl fmt::Debug for WaitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for WaitError {}
