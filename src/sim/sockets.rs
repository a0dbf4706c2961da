//! The socket driver under virtual time.
//!
//! The driver asks before each event of the engine whether it may happen, and says when it has nothing to do; so its
//! events take their places among the timers. What left it and has not been read by a client holds the clock: a request
//! until the engine has received it, the bytes of a body until the client has read them, an end until the client has
//! seen it, a client's hang-up until the driver has.

use std::num::NonZeroUsize;
use std::time::Duration;

use mock_ollama::clock::{Clock, Instant, WallAnchor};
use mock_ollama::driver::{CloseReason, LoopWaker, Observer, TimeSource};
use mock_ollama::engine::Engine;
use mock_ollama::journal::{ConnId, StreamId};

use super::ledger::{Flight, InFlightLedger, Keep};
use super::scheduler::{Sim, SimServer};

/// The time source of a server under virtual time.
#[derive(Clone, Debug)]
pub struct SimTimeSource(Sim);

/// The observer of a server under virtual time.
#[derive(Clone, Debug)]
pub struct LedgerObserver(Sim);

impl Sim {
    /// The time source for the server.
    pub fn time_source(&self) -> SimTimeSource {
        SimTimeSource(self.clone())
    }

    /// The observer for the server, which enters its reads and writes into the ledger.
    pub fn observer(&self) -> LedgerObserver {
        LedgerObserver(self.clone())
    }

    fn with_sockets<T>(&self, act: impl FnOnce(&mut InFlightLedger) -> T) -> Option<T> {
        match &mut self.lock().server {
            SimServer::Sockets(sockets) => Some(act(sockets)),
            SimServer::Absent | SimServer::Memory(_) => None,
        }
    }
}

impl Clock for SimTimeSource {
    fn now(&self) -> Instant {
        self.0.now()
    }
}

impl TimeSource for SimTimeSource {
    fn attach(&self, waker: LoopWaker) {
        self.0.with_sockets(|sockets| sockets.waker = Some(waker));
    }

    fn admits(&self, due: Instant, _known: Instant) -> Option<Instant> {
        let now = self.0.now();
        // One event a grant: the next one has to take its place among the timers again.
        let admitted = self.0.with_sockets(|sockets| due <= now && std::mem::take(&mut sockets.granted));
        (admitted == Some(true)).then_some(now)
    }

    fn max_batch(&self) -> NonZeroUsize {
        // Several events in one go would skip the timers between them.
        NonZeroUsize::MIN
    }

    fn timeout(&self, engine: &Engine) -> Option<Duration> {
        let now = self.0.now();
        let again = self.0.with_sockets(|sockets| sockets.settle(engine, now));
        // A granted event that is still due has not happened: the driver asks again at once, and the clock stays.
        if again == Some(true) {
            return Some(Duration::ZERO);
        }
        self.0.advance();
        None
    }

    fn wall(&self) -> WallAnchor {
        WallAnchor { at: Instant::ZERO, unix_nanos: 0 }
    }
}

impl Observer for LedgerObserver {
    fn stepped(&mut self, stream: &StreamId) {
        self.0.with_sockets(|sockets| sockets.touched.push(stream.clone()));
    }

    fn hung_up(&mut self, conn: ConnId) {
        self.0.with_sockets(|sockets| sockets.gone.push(conn));
    }

    fn closed(&mut self, conn: ConnId, _reason: CloseReason, _now: Instant) {
        self.0.with_sockets(|sockets| sockets.gone.push(conn));
    }
}

/// The client's side of the ledger: one exchange. Dropped before its end, it is a hang-up.
#[derive(Debug)]
pub(super) struct LedgerEntry {
    sim: Sim,
    stream: StreamId,
    open: bool,
}

impl LedgerEntry {
    /// The request is about to be sent.
    pub(super) fn begin(sim: &Sim, stream: StreamId) -> Self {
        sim.with_sockets(|sockets| sockets.begin(stream.clone()));
        Self { sim: sim.clone(), stream, open: true }
    }

    /// The response head has been read.
    pub(super) fn head_seen(&self) {
        self.change(|flight| {
            flight.head_seen = true;
            Keep::Yes
        });
    }

    /// Bytes of the body have been read.
    pub(super) fn taken(&self, bytes: u64) {
        self.change(|flight| {
            flight.taken += bytes;
            Keep::Yes
        });
    }

    /// The end, or an error, has been seen.
    pub(super) fn close(&mut self) {
        if std::mem::take(&mut self.open) {
            self.change(|_| Keep::No);
        }
    }

    fn change(&self, change: impl FnOnce(&mut Flight) -> Keep) {
        self.sim.with_sockets(|sockets| sockets.change(&self.stream, change));
    }
}

impl Drop for LedgerEntry {
    fn drop(&mut self) {
        if std::mem::take(&mut self.open) {
            // The clock waits until the server knows, or the instant of the hang-up in its journal would be chance.
            self.change(|flight| {
                flight.cancelled = true;
                if flight.gone { Keep::No } else { Keep::Yes }
            });
            self.sim.advance();
        }
    }
}
