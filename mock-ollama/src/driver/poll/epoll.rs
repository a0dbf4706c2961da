//! Linux: epoll, with a timerfd for deadlines to the nanosecond and an eventfd for wake-ups.
//!
//! `epoll_pwait2` would save a call but is missing before Linux 5.11 and denied in some containers.

use std::io;
use std::mem::MaybeUninit;
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use rustix::event::{EventfdFlags, epoll, eventfd};
use rustix::io::Errno;
use rustix::net::SendFlags;
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};

use super::ready::{MAX_READY, Ready};

pub(crate) type Listener = TcpListener;
pub(crate) type Stream = TcpStream;

/// Turns a bound listener into one that this poller can wait for.
pub(crate) fn into_listener(listener: TcpListener) -> Listener {
    listener
}

const WAKER: u64 = u64::MAX;
const TIMER: u64 = u64::MAX - 1;

/// Wakes the event loop from any thread.
#[derive(Clone, Debug)]
pub struct LoopWaker(Arc<OwnedFd>);

impl LoopWaker {
    /// Wakes the loop, so that it looks at the time again.
    pub fn wake(&self) {
        // The only failure is a counter that is full, and then the loop is being woken already.
        let _ = rustix::io::write(&*self.0, &1_u64.to_ne_bytes());
    }
}

#[derive(Debug)]
pub(crate) struct Poller {
    epoll: OwnedFd,
    timer: OwnedFd,
    waker: Arc<OwnedFd>,
}

impl Poller {
    pub(crate) fn new() -> io::Result<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK)?;
        let waker = Arc::new(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?);
        let level = epoll::EventFlags::IN;
        epoll::add(&epoll, &*waker, epoll::EventData::new_u64(WAKER), level)?;
        // Edge-triggered, it tells of each expiry once and need not be read; to set it anew takes back one that nobody saw.
        epoll::add(&epoll, &timer, epoll::EventData::new_u64(TIMER), level | epoll::EventFlags::ET)?;
        Ok(Self { epoll, timer, waker })
    }

    pub(crate) fn waker(&self) -> LoopWaker {
        LoopWaker(Arc::clone(&self.waker))
    }

    pub(crate) fn add_listener(&self, listener: &mut Listener, token: u64) -> io::Result<()> {
        self.add(listener, token, epoll::EventFlags::IN)
    }

    pub(crate) fn add_stream(&self, stream: &mut Stream, token: u64) -> io::Result<()> {
        self.add(stream, token, epoll::EventFlags::IN | epoll::EventFlags::OUT | epoll::EventFlags::RDHUP)
    }

    fn add(&self, source: &impl AsFd, token: u64, interest: epoll::EventFlags) -> io::Result<()> {
        let data = epoll::EventData::new_u64(token);
        Ok(epoll::add(&self.epoll, source, data, interest | epoll::EventFlags::ET)?)
    }

    pub(crate) fn remove_stream(&self, stream: &mut Stream) {
        // Closing the descriptor removes it as well.
        let _ = epoll::delete(&self.epoll, stream);
    }

    /// Accepts a connection that does not block.
    pub(crate) fn accept(listener: &Listener) -> io::Result<Stream> {
        let (stream, _) = listener.accept()?;
        stream.set_nonblocking(true)?;
        Ok(stream)
    }

    /// Begins to connect. The connection has been made, or has failed, when it becomes writable.
    #[cfg(feature = "record")]
    pub(crate) fn connect(addr: std::net::SocketAddr) -> io::Result<Stream> {
        use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};

        let family = if addr.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
        let socket = socket_with(family, SocketType::STREAM, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK, None)?;
        match rustix::net::connect(&socket, &addr) {
            Ok(()) | Err(Errno::INPROGRESS) => Ok(socket.into()),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes as much as a connection takes. Straight to the kernel: where there are several threads, `send` of the C library
    /// does more than that around every call, since a thread may be cancelled in it.
    pub(crate) fn send(stream: &Stream, bytes: &[u8]) -> io::Result<usize> {
        Ok(rustix::net::send(stream, bytes, SendFlags::NOSIGNAL)?)
    }

    /// Takes the count out of the waker, so that it is quiet until the next time.
    fn quieten(&self) {
        // It may have been taken already.
        let _ = rustix::io::read(&*self.waker, &mut [0_u8; 8]);
    }

    /// Waits until something happens or `timeout` has passed, and puts what happened into `ready`.
    pub(crate) fn wait(&mut self, timeout: Option<Duration>, ready: &mut Vec<Ready>) -> io::Result<()> {
        ready.clear();
        let none = Timespec { tv_sec: 0, tv_nsec: 0 };
        let poll = timeout.is_some_and(|timeout| timeout.is_zero());
        if !poll {
            // A value of zero disarms the timer.
            let it_value = timeout.map_or(none, timespec);
            let once = Itimerspec { it_interval: none, it_value };
            timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &once)?;
        }
        let mut buffer = [const { MaybeUninit::<epoll::Event>::uninit() }; MAX_READY];
        let events = match epoll::wait(&self.epoll, &mut buffer[..], poll.then_some(&none)) {
            Ok((events, _)) => events,
            Err(Errno::INTR) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        for event in events.iter() {
            let (data, flags) = (event.data, event.flags);
            match data.u64() {
                WAKER => self.quieten(),
                TIMER => {}
                token => ready.push(Ready {
                    token,
                    readable: flags.intersects(
                        epoll::EventFlags::IN
                            | epoll::EventFlags::RDHUP
                            | epoll::EventFlags::HUP
                            | epoll::EventFlags::ERR,
                    ),
                    writable: flags
                        .intersects(epoll::EventFlags::OUT | epoll::EventFlags::HUP | epoll::EventFlags::ERR),
                }),
            }
        }
        Ok(())
    }
}

fn timespec(timeout: Duration) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(timeout.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(timeout.subsec_nanos()),
    }
}
