//! The loop of a recorder: one thread for the sockets of all exchanges.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::Sender;
use std::time::Duration;

use slab::Slab;

use super::exchange::{Exchange, LoopContext, Step};
use super::state::{ExchangePermit, RecorderState};
use super::writers::WriteJob;
use crate::clock::Clock as _;
use crate::driver::{
    ACCEPT_PAUSE, Listener, LoopWaker, Monotonic, Poller, Ready, Socket, SocketOptions, into_listener,
};

/// Exchanges at once, with those that are being written. Further clients wait until one is over.
const MAX_EXCHANGES: usize = 1024;

/// Descriptors of the loop beside those of exchanges.
const OWN_DESCRIPTORS: usize = 4;

/// Descriptors of an exchange: its two sockets. A file is written when these are closed.
const DESCRIPTORS_OF_EXCHANGE: usize = 2;

/// The size of one read, in bytes.
const READ_BYTES: usize = 64 * 1024;

/// The token of the listener. An exchange has the next two after those of the exchange before it.
const LISTENER: u64 = 0;

/// One thread for the sockets of all exchanges.
pub(super) struct EventLoop {
    state: Arc<RecorderState>,
    poller: Poller,
    listener: Listener,
    /// Edge-triggered: there may be connections to accept.
    acceptable: bool,
    exchanges: Slab<Exchange>,
    /// Exchanges with something to do that no event will announce.
    due: Vec<usize>,
    jobs: Sender<WriteJob>,
    /// How many exchanges there are, with those that are being written.
    taken: Arc<AtomicUsize>,
    max_exchanges: usize,
    stop: Arc<AtomicBool>,
    buffer: Vec<u8>,
    gathered: Vec<u8>,
}

impl EventLoop {
    /// Returns a loop around a bound listener. It ends soon after `stop` has been set and its waker has been used.
    pub(super) fn new(
        listener: TcpListener,
        state: Arc<RecorderState>,
        jobs: Sender<WriteJob>,
        stop: Arc<AtomicBool>,
    ) -> io::Result<Self> {
        let poller = Poller::new()?;
        let mut listener = into_listener(listener);
        poller.add_listener(&mut listener, LISTENER)?;
        let max_exchanges = SocketOptions::default().max_connections(OWN_DESCRIPTORS) / DESCRIPTORS_OF_EXCHANGE;
        Ok(Self {
            state,
            poller,
            listener,
            acceptable: true,
            exchanges: Slab::new(),
            due: Vec::new(),
            jobs,
            taken: Arc::default(),
            max_exchanges: max_exchanges.clamp(1, MAX_EXCHANGES),
            stop,
            buffer: vec![0; READ_BYTES],
            gathered: Vec::new(),
        })
    }

    pub(super) fn waker(&self) -> LoopWaker {
        self.poller.waker()
    }

    /// Runs until `stop` is set; then every exchange is cut.
    pub(super) fn run(mut self) -> io::Result<()> {
        let outcome = self.run_until_stopped();
        for key in self.keys() {
            self.with(key, Exchange::cut);
        }
        outcome
    }

    fn run_until_stopped(&mut self) -> io::Result<()> {
        let mut ready = Vec::new();
        while !self.stop.load(Ordering::SeqCst) {
            let paused = self.accept();
            for key in std::mem::take(&mut self.due) {
                self.with(key, Exchange::advance);
            }
            let timeout = self.timeout(paused);
            self.poller.wait(timeout, &mut ready)?;
            self.apply_readiness(&ready);
            self.time_out();
        }
        Ok(())
    }

    /// Accepts while there is room. Returns whether accepting failed although there is room, so that it is tried again soon.
    fn accept(&mut self) -> bool {
        while self.acceptable && self.taken.load(Ordering::SeqCst) < self.max_exchanges {
            match Poller::accept(&self.listener) {
                Ok(stream) => {
                    // A connection that broke before it was set up is skipped.
                    let Ok(mut client) = Socket::new(stream) else { continue };
                    let entry = self.exchanges.vacant_entry();
                    let (of_client, of_upstream) = tokens_of(entry.key());
                    if self.poller.add_stream(&mut client.stream, of_client).is_ok() {
                        let permit = Arc::new(ExchangePermit::take(&self.taken, self.poller.waker()));
                        self.due.push(entry.key());
                        entry.insert(Exchange::new(client, of_upstream, permit));
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.acceptable = false,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                // The process is out of descriptors.
                Err(_) => return true,
            }
        }
        false
    }

    fn apply_readiness(&mut self, ready: &[Ready]) {
        for event in ready {
            let Some((key, is_client)) = owner_of(event.token) else {
                self.acceptable = true;
                continue;
            };
            let Some(exchange) = self.exchanges.get_mut(key) else { continue };
            if is_client {
                exchange.set_client_ready(event.readable, event.writable);
            } else {
                exchange.set_upstream_ready(event.readable, event.writable);
            }
            self.due.push(key);
        }
    }

    /// Returns how long to wait: not at all while there is something to do.
    fn timeout(&self, paused: bool) -> Option<Duration> {
        if !self.due.is_empty() {
            return Some(Duration::ZERO);
        }
        let deadline = self.exchanges.iter().filter_map(|(_, exchange)| exchange.deadline()).min();
        let timeout = deadline.map(|deadline| deadline.saturating_since(Monotonic.now()));
        if paused { Some(timeout.unwrap_or(ACCEPT_PAUSE).min(ACCEPT_PAUSE)) } else { timeout }
    }

    fn time_out(&mut self) {
        let now = Monotonic.now();
        for key in self.keys() {
            if self.exchanges[key].deadline().is_some_and(|deadline| deadline <= now) {
                self.with(key, Exchange::time_out);
            }
        }
    }

    fn keys(&self) -> Vec<usize> {
        self.exchanges.iter().map(|(key, _)| key).collect()
    }

    /// Lets an exchange do something, and closes it when it is over.
    fn with(&mut self, key: usize, act: fn(&mut Exchange, &mut LoopContext<'_>) -> Step) {
        let Self { exchanges, state, poller, jobs, buffer, gathered, .. } = self;
        let Some(exchange) = exchanges.get_mut(key) else { return };
        match act(exchange, &mut LoopContext { state, poller, jobs, buffer, gathered }) {
            Step::Wait => {}
            Step::Again => self.due.push(key),
            Step::Close => drop(self.exchanges.remove(key)),
        }
    }
}

/// Returns the tokens of an exchange's sockets: that of the client, and that of the upstream.
fn tokens_of(key: usize) -> (u64, u64) {
    let first = 2 * key as u64 + 1;
    (first, first + 1)
}

/// Returns the exchange whose socket has this token, and whether it is the client's; `None` for the listener.
fn owner_of(token: u64) -> Option<(usize, bool)> {
    let place = token.checked_sub(1)?;
    Some((usize::try_from(place / 2).ok()?, place % 2 == 0))
}
