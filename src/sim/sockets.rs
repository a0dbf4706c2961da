//! The socket driver under virtual time, and the ledger of bytes in flight.
//!
//! The driver asks before each event of the engine whether it may happen, and says when it has nothing to do; so its
//! events take their places among the timers. What left it and has not been read by a client holds the clock: a request
//! until the engine has received it, the bytes of a body until the client has read them, an end until the client has
//! seen it, a client's hang-up until the driver has.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::time::Duration;

use mock_ollama::clock::{Clock, Instant, WallAnchor};
use mock_ollama::driver::{CloseReason, LoopWaker, Observer, TimeSource};
use mock_ollama::engine::Engine;
use mock_ollama::journal::{Caller, ConnId, Fate, StreamId};

use super::baton::{Key, Server, Sim};

/// The driver and the ledger.
#[derive(Default)]
pub(super) struct Sockets {
    /// The engine's next event, as of when the driver last had nothing to do.
    next: Option<Key>,
    /// Whether the driver has nothing to do.
    idle: bool,
    /// Whether it may let one event happen.
    granted: bool,
    waker: Option<LoopWaker>,
    flights: BTreeMap<StreamId, Flight>,
    /// Entries of the journal that have been seen.
    entries: usize,
    /// Streams of which something happened since the driver last had nothing to do …
    touched: Vec<StreamId>,
    /// … and connections that ended.
    gone: Vec<ConnId>,
    in_flight: usize,
}

/// One exchange between a client and the server.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is one thing that one side has done, in any order")]
struct Flight {
    /// Where the server got it, and its entry in the journal.
    received: Option<(ConnId, usize)>,
    /// The server sent the head.
    head: bool,
    head_seen: bool,
    /// Bytes of the body that the server sent, and that the client read.
    served: u64,
    taken: u64,
    /// The server sent the end.
    ended: bool,
    /// The client hung up.
    cancelled: bool,
    /// The server knows of the end of the connection.
    gone: bool,
}

impl Flight {
    /// Whether one side has sent what the other has not got.
    fn is_in_flight(&self) -> bool {
        let Some(_) = self.received else { return true };
        if self.cancelled {
            return !self.gone;
        }
        self.ended || (self.head && !self.head_seen) || self.served > self.taken
    }

    fn describe(&self, stream: &StreamId) -> String {
        let Self { served, taken, .. } = self;
        let what = match self {
            Self { received: None, .. } => "its request, which the server has not received".to_owned(),
            Self { cancelled: true, .. } => "the client's hang-up, which the server has not seen".to_owned(),
            Self { served, taken, .. } if served > taken => format!("{} bytes of its body", served - taken),
            Self { ended: true, .. } => "the end of its body, which the client has not seen".to_owned(),
            _ => "its head".to_owned(),
        };
        format!("{stream}: {what} ({served} bytes served, {taken} read)")
    }
}

impl Sockets {
    pub(super) fn next(&self) -> Option<&Key> {
        self.next.as_ref()
    }

    pub(super) fn in_flight(&self) -> bool {
        !self.idle || self.in_flight > 0
    }

    /// Lets the driver carry out one event; whoever calls moves the clock and wakes it.
    pub(super) fn grant(&mut self) -> Option<LoopWaker> {
        self.granted = true;
        self.idle = false;
        self.waker.clone()
    }

    pub(super) fn outstanding(&self) -> Vec<String> {
        let flights = self.flights.iter().filter(|(_, flight)| flight.is_in_flight());
        let driver = (!self.idle).then(|| "the server has work to do".to_owned());
        driver.into_iter().chain(flights.map(|(stream, flight)| flight.describe(stream))).collect()
    }

    /// Changes a flight and keeps count of those that hold the clock.
    fn change(&mut self, stream: &StreamId, change: impl FnOnce(&mut Flight) -> Keep) {
        let Some(flight) = self.flights.get_mut(stream) else { return };
        let before = flight.is_in_flight();
        let keep = change(flight);
        let after = keep == Keep::Yes && flight.is_in_flight();
        if keep == Keep::No {
            self.flights.remove(stream);
        }
        self.in_flight = self.in_flight + usize::from(after) - usize::from(before);
    }

    /// The streams in flight on a connection.
    fn on(&self, conn: ConnId) -> Vec<StreamId> {
        let on = |flight: &Flight| flight.received.is_some_and(|(at, _)| at == conn);
        self.flights.iter().filter(|(_, flight)| on(flight)).map(|(stream, _)| stream.clone()).collect()
    }

    /// The driver has nothing to do: what it did is entered. Says whether it has to look again.
    fn settle(&mut self, engine: &Engine, now: Instant) -> bool {
        let entries = &engine.journal().entries;
        for (index, entry) in entries.iter().enumerate().skip(self.entries) {
            self.change(&entry.stream, |flight| {
                flight.received = Some((entry.conn, index));
                Keep::Yes
            });
        }
        self.entries = entries.len();
        for stream in std::mem::take(&mut self.touched) {
            match stream.caller {
                // An event of the connection itself: it ends.
                Caller::Connection(conn) => self.on(conn).iter().for_each(|stream| self.enter(stream, engine, true)),
                Caller::Agent(_) => self.enter(&stream, engine, false),
            }
        }
        for conn in std::mem::take(&mut self.gone) {
            for stream in self.on(conn) {
                self.change(&stream, |flight| {
                    flight.gone = true;
                    flight.ended = true;
                    if flight.cancelled { Keep::No } else { Keep::Yes }
                });
            }
        }
        self.next = engine.poll_place().cloned();
        let due = self.next.as_ref().is_some_and(|next| next.0 <= now);
        self.granted &= due;
        self.idle = !self.granted;
        self.granted
    }

    /// What the server has sent of a stream.
    fn enter(&mut self, stream: &StreamId, engine: &Engine, connection_ends: bool) {
        self.change(stream, |flight| {
            if let Some((conn, entry)) = flight.received {
                let entry = &engine.journal().entries[entry];
                flight.head |= !entry.chunks.is_empty();
                flight.served = entry.chunks.last().map_or(0, |chunk| chunk.body_end);
                // An answer that breaks off is at its end when the connection is.
                flight.ended |= entry.fate != Fate::Open && (connection_ends || !engine.is_leaving(conn));
            }
            Keep::Yes
        });
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Keep {
    Yes,
    No,
}

/// The time source of a server under virtual time.
#[derive(Clone, Debug)]
pub struct SimTimeSource(Sim);

/// The observer of a server under virtual time.
#[derive(Clone, Debug)]
pub struct InFlightLedger(Sim);

impl Sim {
    /// What the server is to take its instants from.
    pub fn time_source(&self) -> SimTimeSource {
        SimTimeSource(self.clone())
    }

    /// What the server is to tell of its reads and writes.
    pub fn observer(&self) -> InFlightLedger {
        InFlightLedger(self.clone())
    }

    fn with_sockets<T>(&self, act: impl FnOnce(&mut Sockets) -> T) -> Option<T> {
        match &mut self.lock().server {
            Server::Sockets(sockets) => Some(act(sockets)),
            Server::Absent | Server::Memory(_) => None,
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
        let admitted = self.0.with_sockets(|sockets| due <= now && std::mem::take(&mut sockets.granted));
        (admitted == Some(true)).then_some(now)
    }

    fn max_batch(&self) -> NonZeroUsize {
        NonZeroUsize::MIN
    }

    fn timeout(&self, engine: &Engine) -> Option<Duration> {
        let now = self.0.now();
        let again = self.0.with_sockets(|sockets| sockets.settle(engine, now));
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

impl Observer for InFlightLedger {
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
pub(super) struct Entry {
    sim: Sim,
    stream: StreamId,
    open: bool,
}

impl Entry {
    /// The request is about to be sent.
    pub(super) fn begin(sim: &Sim, stream: StreamId) -> Self {
        sim.with_sockets(|sockets| {
            if sockets.flights.insert(stream.clone(), Flight::default()).is_none() {
                sockets.in_flight += 1;
            }
        });
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

impl Drop for Entry {
    fn drop(&mut self) {
        if std::mem::take(&mut self.open) {
            self.change(|flight| {
                flight.cancelled = true;
                if flight.gone { Keep::No } else { Keep::Yes }
            });
            self.sim.advance();
        }
    }
}
