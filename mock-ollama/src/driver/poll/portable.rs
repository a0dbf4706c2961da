//! Everywhere else: mio. Its timeouts are rounded up to whole milliseconds, so that a chunk may leave up to
//! a millisecond late.

use std::io::{self, Write as _};
use std::sync::Arc;
use std::time::Duration;

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};

use super::ready::{MAX_READY, Ready};

pub(crate) type Listener = TcpListener;
pub(crate) type Stream = TcpStream;

/// Turns a bound listener into one that this poller can wait for.
pub(crate) fn into_listener(listener: std::net::TcpListener) -> Listener {
    Listener::from_std(listener)
}

const WAKER: Token = Token(usize::MAX);

/// Wakes the event loop from any thread.
#[derive(Clone, Debug)]
pub struct LoopWaker(Arc<mio::Waker>);

impl LoopWaker {
    /// Wakes the loop, so that it looks at the time again.
    pub fn wake(&self) {
        // The only failure is a counter that is full, and then the loop is being woken already.
        let _ = self.0.wake();
    }
}

#[derive(Debug)]
pub(crate) struct Poller {
    poll: Poll,
    waker: LoopWaker,
    events: Events,
}

impl Poller {
    pub(crate) fn new() -> io::Result<Self> {
        let poll = Poll::new()?;
        let waker = LoopWaker(Arc::new(mio::Waker::new(poll.registry(), WAKER)?));
        Ok(Self { poll, waker, events: Events::with_capacity(MAX_READY) })
    }

    pub(crate) fn waker(&self) -> LoopWaker {
        self.waker.clone()
    }

    pub(crate) fn add_listener(&self, listener: &mut Listener, token: u64) -> io::Result<()> {
        self.poll.registry().register(listener, to_token(token), Interest::READABLE)
    }

    pub(crate) fn add_stream(&self, stream: &mut Stream, token: u64) -> io::Result<()> {
        self.poll.registry().register(stream, to_token(token), Interest::READABLE | Interest::WRITABLE)
    }

    pub(crate) fn remove_stream(&self, stream: &mut Stream) {
        // Closing the descriptor removes it as well.
        let _ = self.poll.registry().deregister(stream);
    }

    /// Writes as much as a connection takes.
    pub(crate) fn send(mut stream: &Stream, bytes: &[u8]) -> io::Result<usize> {
        stream.write(bytes)
    }

    /// Begins to connect. The connection has been made, or has failed, when it becomes writable.
    #[cfg(feature = "record")]
    pub(crate) fn connect(addr: std::net::SocketAddr) -> io::Result<Stream> {
        TcpStream::connect(addr)
    }

    /// Accepts a connection that does not block.
    pub(crate) fn accept(listener: &Listener) -> io::Result<Stream> {
        listener.accept().map(|(stream, _)| stream)
    }

    /// Waits until something happens or `timeout` has passed, and puts what happened into `ready`.
    pub(crate) fn wait(&mut self, timeout: Option<Duration>, ready: &mut Vec<Ready>) -> io::Result<()> {
        ready.clear();
        match self.poll.poll(&mut self.events, timeout) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            Err(error) => return Err(error),
        }
        ready.extend(self.events.iter().filter(|event| event.token() != WAKER).map(|event| Ready {
            token: event.token().0 as u64,
            readable: event.is_readable() || event.is_read_closed() || event.is_error(),
            writable: event.is_writable() || event.is_error(),
        }));
        Ok(())
    }
}

fn to_token(token: u64) -> Token {
    // Tokens count listeners, then connections, from zero.
    Token(usize::try_from(token).unwrap_or(usize::MAX - 1))
}
