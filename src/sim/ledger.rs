//! The ledger of bytes in flight between clients and a server on sockets.

use std::collections::BTreeMap;

use mock_ollama::clock::Instant;
use mock_ollama::driver::LoopWaker;
use mock_ollama::engine::Engine;
use mock_ollama::journal::{Caller, ConnId, Fate, StreamId};

use super::key::TimerKey;

/// What is in flight between clients and a server, and whether the driver has work.
#[derive(Default)]
pub(super) struct InFlightLedger {
    /// The engine's next event, as of when the driver last had nothing to do.
    next: Option<TimerKey>,
    /// Whether the driver has nothing to do.
    idle: bool,
    /// Whether it may let one event happen.
    pub(super) granted: bool,
    pub(super) waker: Option<LoopWaker>,
    flights: BTreeMap<StreamId, Flight>,
    /// Entries of the journal that have been seen.
    entries: usize,
    /// Streams of which something happened since the driver last had nothing to do …
    pub(super) touched: Vec<StreamId>,
    /// … and connections that ended.
    pub(super) gone: Vec<ConnId>,
    in_flight: usize,
}

/// One exchange between a client and the server.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is one thing that one side has done, in any order")]
pub(super) struct Flight {
    /// Where the server got it, and its entry in the journal.
    received: Option<(ConnId, usize)>,
    /// The server sent the head.
    head: bool,
    pub(super) head_seen: bool,
    /// Bytes of the body that the server sent, and that the client read.
    served: u64,
    pub(super) taken: u64,
    /// The server sent the end.
    ended: bool,
    /// The client hung up.
    pub(super) cancelled: bool,
    /// The server knows of the end of the connection.
    pub(super) gone: bool,
}

impl Flight {
    /// Whether one side has sent what the other has not got.
    fn is_in_flight(&self) -> bool {
        let Some(_) = self.received else { return true };
        // After a hang-up nobody reads what the server still sends.
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

impl InFlightLedger {
    pub(super) fn next(&self) -> Option<&TimerKey> {
        self.next.as_ref()
    }

    pub(super) fn in_flight(&self) -> bool {
        !self.idle || self.in_flight > 0
    }

    /// Lets the driver carry out one event. The caller moves the clock and wakes it.
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

    /// Changes a flight, and keeps count of those that hold the clock: counting them anew at each step would cost as much
    /// as there are agents.
    pub(super) fn change(&mut self, stream: &StreamId, change: impl FnOnce(&mut Flight) -> Keep) {
        let Some(flight) = self.flights.get_mut(stream) else { return };
        let before = flight.is_in_flight();
        let keep = change(flight);
        let after = keep == Keep::Yes && flight.is_in_flight();
        if keep == Keep::No {
            self.flights.remove(stream);
        }
        self.in_flight = self.in_flight + usize::from(after) - usize::from(before);
    }

    /// A client is about to send a request.
    pub(super) fn begin(&mut self, stream: StreamId) {
        if self.flights.insert(stream, Flight::default()).is_none() {
            self.in_flight += 1;
        }
    }

    /// The streams in flight on a connection.
    fn on(&self, conn: ConnId) -> Vec<StreamId> {
        let on = |flight: &Flight| flight.received.is_some_and(|(at, _)| at == conn);
        self.flights.iter().filter(|(_, flight)| on(flight)).map(|(stream, _)| stream.clone()).collect()
    }

    /// Enters what the driver has done, once it has nothing to do. Returns whether it has to look again.
    pub(super) fn settle(&mut self, engine: &Engine, now: Instant) -> bool {
        // Requests first: what was sent of a stream can only be entered once its request is known.
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
        // An event that was granted and is still due has not happened yet; the driver has to look again for it.
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
pub(super) enum Keep {
    Yes,
    No,
}
