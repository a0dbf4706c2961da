//! The loop.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::mem::MaybeUninit;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::fd::OwnedFd;

use anyhow::{Context as _, Result};
use rustix::event::epoll;
use rustix::net::{AddressFamily, SocketType, bind, ipproto, listen, socket};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};

use super::conn::{IoOutcome, RawConn};
use super::{RawArgs, RawFault, SendMode, burn_nanos};
use crate::sys::monotonic;

/// Connections that may wait to be accepted.
const LISTEN_BACKLOG: i32 = 4096;

const LISTENER: u64 = u64::MAX;
const TIMER: u64 = u64::MAX - 1;

/// How many events are taken from the kernel at once.
const MAX_EVENTS_PER_WAIT: usize = 256;

/// How many sends there are between two looks at the sockets.
const SENDS_PER_WAIT: usize = 32;

/// How long before a token is due the timer wakes; the rest is spun, so the spin is as short as that.
const WAKEUP_LEAD_NANOS: i64 = 50_000;

/// With more streams than this nothing is spun for: there would be nothing but spinning, and no telling what tokens cost.
const MAX_SPINNING_STREAMS: usize = 8;

/// The server.
pub(super) struct RawServer {
    listener: TcpListener,
    epoll: OwnedFd,
    timer: OwnedFd,
    /// What the timer was set to last.
    armed: i64,
    frames: Vec<Vec<u8>>,
    mode: SendMode,
    gap: i64,
    fault: Option<RawFault>,
    conns: Vec<Option<RawConn>>,
    free: Vec<usize>,
    /// Connections that are being answered without a pace, and whose sockets take more: one send each, then it is the next one's
    /// turn. Sent in a row, the tokens of one answer would be merged by the kernel as soon as its reader lags.
    ready: VecDeque<usize>,
    /// When the next token of which connection is due. A connection that is gone leaves its slot when its token is due.
    due: BinaryHeap<Reverse<(i64, usize)>>,
}

impl RawServer {
    pub(super) fn bind(args: &RawArgs, frames: Vec<Vec<u8>>) -> Result<Self> {
        let listener = listener().context("cannot listen")?;
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK)?;
        epoll::add(&epoll, &listener, epoll::EventData::new_u64(LISTENER), epoll::EventFlags::IN)?;
        // Edge-triggered, the timer needs no reading.
        let edge = epoll::EventFlags::IN | epoll::EventFlags::ET;
        epoll::add(&epoll, &timer, epoll::EventData::new_u64(TIMER), edge)?;
        Ok(Self {
            listener,
            epoll,
            timer,
            armed: 0,
            frames,
            mode: args.mode,
            gap: i64::from(args.gap_us) * 1000,
            fault: args.fault,
            conns: Vec::new(),
            free: Vec::new(),
            ready: VecDeque::new(),
            due: BinaryHeap::new(),
        })
    }

    pub(super) fn addr(&self) -> Result<SocketAddr> {
        self.listener.local_addr().context("the listener has no address")
    }

    /// Serves until something fails that should not.
    pub(super) fn run(&mut self) -> Result<()> {
        loop {
            let timeout = self.arm()?;
            let mut buffer = [const { MaybeUninit::<epoll::Event>::uninit() }; MAX_EVENTS_PER_WAIT];
            let events = match epoll::wait(&self.epoll, &mut buffer[..], timeout.as_ref()) {
                Ok((events, _)) => events,
                Err(rustix::io::Errno::INTR) => continue,
                Err(error) => return Err(error).context("cannot wait"),
            };
            for event in events.iter() {
                let (data, flags) = (event.data, event.flags);
                match data.u64() {
                    LISTENER => self.accept(),
                    TIMER => {}
                    slot => {
                        // Tokens of connections are slots in a vector.
                        if let Ok(slot) = usize::try_from(slot) {
                            self.serve(slot, flags);
                        }
                    }
                }
            }
            if self.mode == SendMode::Paced {
                self.send_due();
            } else {
                self.send_ready();
            }
        }
    }

    /// How long to wait: for the timer, or not at all when there is something to send or the next token is due within the spin.
    fn arm(&mut self) -> Result<Option<Timespec>> {
        let none = Timespec { tv_sec: 0, tv_nsec: 0 };
        if !self.ready.is_empty() {
            return Ok(Some(none));
        }
        let Some(Reverse((due, _))) = self.due.peek() else { return Ok(None) };
        // A server that counts gaps from one token to the next sleeps them, too, and does not wake early.
        let spins = self.due.len() <= MAX_SPINNING_STREAMS && self.fault != Some(RawFault::Relative);
        let wake = if spins { due - WAKEUP_LEAD_NANOS } else { *due };
        if wake <= monotonic() {
            return Ok(Some(none));
        }
        if wake != self.armed {
            let it_value = Timespec { tv_sec: wake / 1_000_000_000, tv_nsec: wake % 1_000_000_000 };
            let once = Itimerspec { it_interval: none, it_value };
            timerfd_settime(&self.timer, TimerfdTimerFlags::ABSTIME, &once)?;
            self.armed = wake;
        }
        Ok(None)
    }

    fn accept(&mut self) {
        while let Ok((socket, _)) = self.listener.accept() {
            if socket.set_nonblocking(true).and_then(|()| socket.set_nodelay(true)).is_err() {
                continue;
            }
            let slot = self.free.pop().unwrap_or(self.conns.len());
            let data = epoll::EventData::new_u64(slot as u64);
            let conn =
                epoll::add(&self.epoll, &socket, data, epoll::EventFlags::IN).ok().map(|()| RawConn::new(socket));
            if slot == self.conns.len() {
                self.conns.push(conn);
            } else {
                self.conns[slot] = conn;
            }
        }
    }

    /// Something happened to a connection.
    fn serve(&mut self, slot: usize, flags: epoll::EventFlags) {
        let Some(conn) = self.conns.get_mut(slot).and_then(Option::as_mut) else { return };
        if flags.intersects(epoll::EventFlags::IN | epoll::EventFlags::HUP | epoll::EventFlags::ERR) {
            match conn.read() {
                IoOutcome::Gone => return self.close(slot),
                IoOutcome::Ready => {
                    conn.asked = monotonic();
                    if self.mode == SendMode::Paced {
                        // The k-th token, counted from one, is due k gaps after the request.
                        self.due.push(Reverse((conn.asked + self.gap, slot)));
                    } else {
                        self.ready.push_back(slot);
                    }
                }
                _ => {}
            }
        }
        if flags.intersects(epoll::EventFlags::OUT) {
            self.watch(slot, false);
        }
    }

    /// Gives connections their ready, and then the sockets are looked at again.
    fn send_ready(&mut self) {
        for _ in 0..SENDS_PER_WAIT {
            let Some(slot) = self.ready.pop_front() else { return };
            let Some(conn) = &mut self.conns[slot] else {
                self.free.push(slot);
                continue;
            };
            let outcome = conn.send(&self.frames, conn.frame + 1);
            let busy = conn.busy;
            burn(self.fault, self.mode);
            match outcome {
                IoOutcome::Gone => self.close(slot),
                IoOutcome::Full => self.watch(slot, true),
                _ if busy => self.ready.push_back(slot),
                _ => {}
            }
        }
    }

    /// Has epoll tell when the socket takes more; or takes note that it does.
    fn watch(&mut self, slot: usize, full: bool) {
        let Some(conn) = &mut self.conns[slot] else { return };
        let out = if full { epoll::EventFlags::OUT } else { epoll::EventFlags::empty() };
        let data = epoll::EventData::new_u64(slot as u64);
        if epoll::modify(&self.epoll, &conn.socket, data, epoll::EventFlags::IN | out).is_err() {
            self.close(slot);
        } else if !full {
            self.ready.push_back(slot);
        }
    }

    /// Sends the tokens that are due.
    fn send_due(&mut self) {
        let now = if self.due.is_empty() { return } else { monotonic() };
        while let Some(Reverse((due, slot))) = self.due.peek().copied() {
            if due > now {
                return;
            }
            self.due.pop();
            let Some(conn) = &mut self.conns[slot] else {
                self.free.push(slot);
                continue;
            };
            // What the socket does not take now goes out with the next token.
            let outcome = conn.send(&self.frames, (conn.frame + 1).min(self.frames.len()));
            burn(self.fault, self.mode);
            if outcome == IoOutcome::Gone {
                self.conns[slot] = None;
                self.free.push(slot);
            } else if conn.busy {
                let next = if self.fault == Some(RawFault::Relative) { monotonic() } else { due };
                self.due.push(Reverse((next + self.gap, slot)));
            }
        }
    }

    /// Ends a connection. A slot that is still due or in line is free only when its turn has come and found nobody.
    fn close(&mut self, slot: usize) {
        let waits = match self.mode {
            SendMode::Paced => self.conns[slot].as_ref().is_some_and(|conn| conn.busy),
            SendMode::Flush | SendMode::Coalesced => self.ready.contains(&slot),
        };
        self.conns[slot] = None;
        if !waits {
            self.free.push(slot);
        }
    }
}

fn burn(fault: Option<RawFault>, mode: SendMode) {
    if fault == Some(RawFault::Slow) {
        let until = monotonic() + burn_nanos(mode);
        while monotonic() < until {}
    }
}

/// Binds a free port of this host with a backlog for thousands of connections at once, which the standard library does not offer.
fn listener() -> Result<TcpListener> {
    let socket = socket(AddressFamily::INET, SocketType::STREAM, Some(ipproto::TCP))?;
    bind(&socket, &SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
    listen(&socket, LISTEN_BACKLOG)?;
    let listener = TcpListener::from(socket);
    listener.set_nonblocking(true)?;
    Ok(listener)
}
