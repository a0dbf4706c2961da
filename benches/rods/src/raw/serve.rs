//! The loop.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::mem::MaybeUninit;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;

use anyhow::{Context as _, Result};
use rustix::event::epoll;
use rustix::net::{AddressFamily, SocketType, bind, ipproto, listen, socket, sockopt::set_socket_reuseaddr};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};

use super::conn::{Conn, Outcome};
use super::{Fault, Mode, RawArgs, burn_nanos};
use crate::sys::monotonic;

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 4096;

const LISTENER: u64 = u64::MAX;
const TIMER: u64 = u64::MAX - 1;

/// How many events are taken from the kernel at once.
const EVENTS: usize = 256;

/// How many sends there are between two looks at the sockets.
const TURNS: usize = 32;

/// How long before a token is due the timer wakes; the rest is spun, so the spin is as short as that.
const EARLY: i64 = 50_000;

/// With more streams than this nothing is spun for: there would be nothing but spinning, and no telling what tokens cost.
const FEW: usize = 8;

/// The server.
pub(super) struct Server {
    listener: TcpListener,
    epoll: OwnedFd,
    timer: OwnedFd,
    /// What the timer was set to last.
    armed: i64,
    frames: Vec<Vec<u8>>,
    mode: Mode,
    gap: i64,
    fault: Option<Fault>,
    conns: Vec<Option<Conn>>,
    free: Vec<usize>,
    /// Connections that are being answered without a pace, and whose sockets take more: one send each, then it is the next one's
    /// turn. Sent in a row, the tokens of one answer would be merged by the kernel as soon as its reader lags.
    turns: VecDeque<usize>,
    /// When the next token of which connection is due. A connection that is gone leaves its place when its token is due.
    due: BinaryHeap<Reverse<(i64, usize)>>,
}

impl Server {
    pub(super) fn bind(args: &RawArgs, frames: Vec<Vec<u8>>) -> Result<Self> {
        let listener = listener(args.listen).with_context(|| format!("cannot listen on {}", args.listen))?;
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
            turns: VecDeque::new(),
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
            let mut buffer = [const { MaybeUninit::<epoll::Event>::uninit() }; EVENTS];
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
                    place => {
                        // Tokens of connections are places in a vector.
                        if let Ok(place) = usize::try_from(place) {
                            self.serve(place, flags);
                        }
                    }
                }
            }
            if self.mode == Mode::Paced {
                self.send_due();
            } else {
                self.take_turns();
            }
        }
    }

    /// How long to wait: for the timer, or not at all when there is something to send or the next token is due within the spin.
    fn arm(&mut self) -> Result<Option<Timespec>> {
        let none = Timespec { tv_sec: 0, tv_nsec: 0 };
        if !self.turns.is_empty() {
            return Ok(Some(none));
        }
        let Some(Reverse((due, _))) = self.due.peek() else { return Ok(None) };
        // Whoever counts gaps from one token to the next sleeps them, too, and does not wake early.
        let spins = self.due.len() <= FEW && self.fault != Some(Fault::Relative);
        let wake = if spins { due - EARLY } else { *due };
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
            let place = self.free.pop().unwrap_or(self.conns.len());
            let data = epoll::EventData::new_u64(place as u64);
            let conn = epoll::add(&self.epoll, &socket, data, epoll::EventFlags::IN).ok().map(|()| Conn::new(socket));
            if place == self.conns.len() {
                self.conns.push(conn);
            } else {
                self.conns[place] = conn;
            }
        }
    }

    /// Something happened to a connection.
    fn serve(&mut self, place: usize, flags: epoll::EventFlags) {
        let Some(conn) = self.conns.get_mut(place).and_then(Option::as_mut) else { return };
        if flags.intersects(epoll::EventFlags::IN | epoll::EventFlags::HUP | epoll::EventFlags::ERR) {
            match conn.read() {
                Outcome::Gone => return self.close(place),
                Outcome::Ready => {
                    conn.asked = monotonic();
                    if self.mode == Mode::Paced {
                        // The k-th token, counted from one, is due k gaps after the request.
                        self.due.push(Reverse((conn.asked + self.gap, place)));
                    } else {
                        self.turns.push_back(place);
                    }
                }
                _ => {}
            }
        }
        if flags.intersects(epoll::EventFlags::OUT) {
            self.watch(place, false);
        }
    }

    /// Gives connections their turns, and then the sockets are looked at again.
    fn take_turns(&mut self) {
        for _ in 0..TURNS {
            let Some(place) = self.turns.pop_front() else { return };
            let Some(conn) = &mut self.conns[place] else {
                self.free.push(place);
                continue;
            };
            let outcome = conn.send(&self.frames, conn.frame + 1);
            let busy = conn.busy;
            burn(self.fault, self.mode);
            match outcome {
                Outcome::Gone => self.close(place),
                Outcome::Full => self.watch(place, true),
                _ if busy => self.turns.push_back(place),
                _ => {}
            }
        }
    }

    /// Has epoll tell when the socket takes more; or takes note that it does.
    fn watch(&mut self, place: usize, full: bool) {
        let Some(conn) = &mut self.conns[place] else { return };
        let out = if full { epoll::EventFlags::OUT } else { epoll::EventFlags::empty() };
        let data = epoll::EventData::new_u64(place as u64);
        if epoll::modify(&self.epoll, &conn.socket, data, epoll::EventFlags::IN | out).is_err() {
            self.close(place);
        } else if !full {
            self.turns.push_back(place);
        }
    }

    /// Sends the tokens that are due.
    fn send_due(&mut self) {
        let now = if self.due.is_empty() { return } else { monotonic() };
        while let Some(Reverse((due, place))) = self.due.peek().copied() {
            if due > now {
                return;
            }
            self.due.pop();
            let Some(conn) = &mut self.conns[place] else {
                self.free.push(place);
                continue;
            };
            // What the socket does not take now goes out with the next token.
            let outcome = conn.send(&self.frames, (conn.frame + 1).min(self.frames.len()));
            burn(self.fault, self.mode);
            if outcome == Outcome::Gone {
                self.conns[place] = None;
                self.free.push(place);
            } else if conn.busy {
                let next = if self.fault == Some(Fault::Relative) { monotonic() } else { due };
                self.due.push(Reverse((next + self.gap, place)));
            }
        }
    }

    /// Ends a connection. A place that is still due or in line is free only when its turn has come and found nobody.
    fn close(&mut self, place: usize) {
        let waits = match self.mode {
            Mode::Paced => self.conns[place].as_ref().is_some_and(|conn| conn.busy),
            Mode::Flush | Mode::Coalesced => self.turns.contains(&place),
        };
        self.conns[place] = None;
        if !waits {
            self.free.push(place);
        }
    }
}

fn burn(fault: Option<Fault>, mode: Mode) {
    if fault == Some(Fault::Slow) {
        let until = monotonic() + burn_nanos(mode);
        while monotonic() < until {}
    }
}

/// Binds with a backlog for thousands of connections at once, which the standard library does not offer.
fn listener(addr: SocketAddr) -> Result<TcpListener> {
    let family = if addr.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let socket = socket(family, SocketType::STREAM, Some(ipproto::TCP))?;
    set_socket_reuseaddr(&socket, true)?;
    bind(&socket, &addr)?;
    listen(&socket, BACKLOG)?;
    let listener = TcpListener::from(socket);
    listener.set_nonblocking(true)?;
    Ok(listener)
}
