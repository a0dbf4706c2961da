//! One connection and its output.

use std::collections::VecDeque;
use std::io::{self, Read as _};
use std::net::Shutdown;
use std::time::Duration;

use bytes::{Buf as _, Bytes};
use socket2::SockRef;

use super::poll::{Poller, Stream};
use super::tuning::MAX_COALESCED_BYTES;

/// One connection.
#[derive(Debug)]
pub(crate) struct Socket {
    pub(crate) stream: Stream,
    /// Output, and what comes after it. The first piece is here, since there seldom is another one.
    first: Bytes,
    others: VecDeque<Bytes>,
    after_flush: Option<AfterFlush>,
    /// Edge-triggered: it may be read until it would block.
    pub(crate) readable: bool,
    /// Edge-triggered: it may be written until it would block.
    pub(crate) writable: bool,
    /// The other side will send nothing more.
    pub(crate) eof: bool,
}

/// What follows the last byte of output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AfterFlush {
    /// The output ends; the input is still read.
    Shutdown,
    /// The connection is closed.
    Close,
    /// It is closed so that the client sees a reset.
    Reset,
}

/// What a flush did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct FlushOutcome {
    /// Bytes that the transport took.
    pub(crate) bytes: usize,
    /// Whether the connection is to be dropped now.
    pub(crate) close: bool,
}

/// What a read did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReadOutcome {
    /// This number of bytes.
    Bytes(usize),
    /// Nothing for now.
    Nothing,
    /// The other side has shut its output down.
    Eof,
}

impl Socket {
    pub(crate) fn new(stream: Stream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            first: Bytes::new(),
            others: VecDeque::new(),
            after_flush: None,
            readable: true,
            writable: true,
            eof: false,
        })
    }

    /// A connection that is being made.
    #[cfg(feature = "record")]
    pub(crate) fn connecting(addr: std::net::SocketAddr) -> io::Result<Self> {
        Ok(Self { readable: false, writable: false, ..Self::new(Poller::connect(addr)?)? })
    }

    /// Returns whether a connection that was begun has been made.
    #[cfg(feature = "record")]
    pub(crate) fn is_connected(&self) -> io::Result<bool> {
        if let Some(error) = self.stream.take_error()? {
            return Err(error);
        }
        match self.stream.peer_addr() {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(false),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> io::Result<ReadOutcome> {
        loop {
            match self.stream.read(buffer) {
                Ok(0) => return Ok(ReadOutcome::Eof),
                Ok(read) => return Ok(ReadOutcome::Bytes(read)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.readable = false;
                    return Ok(ReadOutcome::Nothing);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Takes output that is not empty.
    pub(crate) fn push(&mut self, bytes: Bytes) {
        if self.first.is_empty() {
            self.first = bytes;
        } else {
            self.others.push_back(bytes);
        }
    }

    pub(crate) fn set_after_flush(&mut self, after_flush: AfterFlush) {
        self.after_flush = Some(after_flush);
    }

    /// Makes its end a reset, whatever is still to be written.
    pub(crate) fn abandon(&self) {
        // Where it fails, the connection is gone already.
        let _ = SockRef::from(&self.stream).set_linger(Some(Duration::ZERO));
    }

    /// Touches the fields that a flush uses, to pull them into the cache. The result is meaningless.
    pub(crate) fn touch(&self) -> u64 {
        let states = u64::from(self.after_flush.is_some()) ^ u64::from(self.readable);
        self.first.len() as u64 ^ self.others.len() as u64 ^ states
    }

    /// Returns whether the transport has taken all output.
    #[cfg(feature = "record")]
    pub(crate) fn is_flushed(&self) -> bool {
        self.first.is_empty()
    }

    /// Returns whether it has output that the transport may take.
    pub(crate) fn has_output(&self) -> bool {
        self.writable && !self.first.is_empty()
    }

    /// Writes as much output as the transport takes, or one piece of it where writes are `separate`. When there is no more, it
    /// does what follows the output. `scratch` is room to copy pieces together in.
    pub(crate) fn flush(&mut self, scratch: &mut Vec<u8>, separate: bool) -> io::Result<FlushOutcome> {
        let mut outcome = FlushOutcome::default();
        while self.has_output() && !(separate && outcome.bytes > 0) {
            match self.write_some(scratch, separate) {
                Ok(bytes) => outcome.bytes += bytes,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.writable = false,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        if self.first.is_empty() {
            match self.after_flush.take() {
                None => {}
                Some(AfterFlush::Shutdown) => self.stream.shutdown(Shutdown::Write)?,
                Some(AfterFlush::Close) => outcome.close = true,
                Some(AfterFlush::Reset) => {
                    SockRef::from(&self.stream).set_linger(Some(Duration::ZERO))?;
                    outcome.close = true;
                }
            }
        }
        Ok(outcome)
    }

    fn write_some(&mut self, scratch: &mut Vec<u8>, separate: bool) -> io::Result<usize> {
        let written = if separate || self.others.is_empty() || self.first.len() > MAX_COALESCED_BYTES {
            Poller::send(&self.stream, &self.first)?
        } else {
            scratch.clear();
            for piece in std::iter::once(&self.first).chain(&self.others) {
                if scratch.len() + piece.len() > MAX_COALESCED_BYTES {
                    break;
                }
                scratch.extend_from_slice(piece);
            }
            Poller::send(&self.stream, scratch)?
        };
        let mut left = written;
        while left >= self.first.len() && !self.first.is_empty() {
            left -= self.first.len();
            self.first = self.others.pop_front().unwrap_or_default();
        }
        self.first.advance(left);
        Ok(written)
    }
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use rstest::rstest;

    use super::*;
    use crate::driver::poll::into_listener;

    /// More than the kernel holds for a client that does not read.
    const TOTAL: usize = 24 * 1024 * 1024;

    /// A connection: this side, and the client's.
    fn connected() -> (Socket, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        (Socket::new(Poller::accept(&into_listener(listener)).unwrap()).unwrap(), client)
    }

    /// Pieces of all sizes, no two stretches of which are alike.
    fn pieces() -> impl Iterator<Item = Bytes> {
        let sizes = [1, 100, 70_000, 3, 200_000, 1_000].into_iter().cycle();
        let places = sizes.scan(0, |end, size| {
            *end += size;
            Some(*end - size..*end)
        });
        places
            .take_while(|place| place.start < TOTAL)
            .map(|place| place.map(|at| u8::try_from(at * 7 % 251).unwrap_or(0)).collect())
    }

    #[rstest]
    fn what_a_client_takes_bit_by_bit_is_what_was_pushed(#[values(false, true)] separate: bool) {
        let (mut socket, mut client) = connected();
        let mut pushed = Vec::new();
        for piece in pieces() {
            pushed.extend_from_slice(&piece);
            socket.push(piece);
        }
        let (mut taken, mut scratch, mut got, mut held_up) = (0, Vec::new(), Vec::new(), 0);
        let mut buffer = vec![0; 1024 * 1024];
        while got.len() < pushed.len() {
            while socket.has_output() {
                taken += socket.flush(&mut scratch, separate).unwrap().bytes;
            }
            held_up += usize::from(!socket.writable);
            let read = client.read(&mut buffer).unwrap();
            got.extend_from_slice(&buffer[..read]);
            socket.writable = true;
        }
        assert_eq!((taken, held_up > 0), (pushed.len(), true));
        assert!(got == pushed, "other bytes than were pushed");
    }
}
