//! One connection and its output.

use std::collections::VecDeque;
use std::io::{self, Read as _};
use std::net::{Shutdown, SocketAddr};
use std::time::Duration;

use bytes::{Buf as _, Bytes};
use socket2::SockRef;

use super::poll::{Poller, Stream};

/// How many bytes of output go into one call at most, unless one piece alone has more.
///
/// Pieces are copied together rather than handed over as a list: for the hundred bytes of a token's line, a list costs
/// the kernel more than the copy.
const GATHERED: usize = 64 * 1024;

/// One connection.
#[derive(Debug)]
pub(crate) struct Socket {
    pub(crate) stream: Stream,
    /// Output, and what comes after it. The first piece is here, since there seldom is another one.
    first: Bytes,
    others: VecDeque<Bytes>,
    ending: Option<Ending>,
    /// Edge-triggered: it may be read until it would block.
    pub(crate) readable: bool,
    /// Edge-triggered: it may be written until it would block.
    pub(crate) writable: bool,
    /// The other side will send nothing more.
    pub(crate) eof: bool,
}

/// What follows the last byte of output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The output ends; the input is still read.
    Shutdown,
    /// The connection is closed.
    Close,
    /// It is closed so that the client sees a reset.
    Reset,
}

/// What a flush did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flushed {
    /// Bytes that the transport took.
    pub(crate) bytes: usize,
    /// Whether the connection is to be dropped now.
    pub(crate) close: bool,
}

/// What a read did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Got {
    /// So many bytes.
    Bytes(usize),
    /// Nothing for now.
    Nothing,
    /// Nothing ever again.
    Eof,
}

impl Socket {
    pub(crate) fn new(stream: Stream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            first: Bytes::new(),
            others: VecDeque::new(),
            ending: None,
            readable: true,
            writable: true,
            eof: false,
        })
    }

    /// A connection that is being made.
    pub(crate) fn connecting(addr: SocketAddr) -> io::Result<Self> {
        Ok(Self { readable: false, writable: false, ..Self::new(Poller::connect(addr)?)? })
    }

    /// Whether a connection that was begun has been made.
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

    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> io::Result<Got> {
        loop {
            match self.stream.read(buffer) {
                Ok(0) => return Ok(Got::Eof),
                Ok(read) => return Ok(Got::Bytes(read)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.readable = false;
                    return Ok(Got::Nothing);
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

    pub(crate) fn end(&mut self, ending: Ending) {
        self.ending = Some(ending);
    }

    /// Lets its end be a reset, whatever there is left to write.
    pub(crate) fn abandon(&self) {
        // Where it fails, the connection is gone already.
        let _ = SockRef::from(&self.stream).set_linger(Some(Duration::ZERO));
    }

    /// Reads of every part that a flush is going to use; the value means nothing.
    pub(crate) fn look(&self) -> usize {
        self.first.len() ^ self.others.len() ^ usize::from(self.ending.is_some()) ^ usize::from(self.readable)
    }

    /// Whether the transport has taken all output.
    pub(crate) fn is_flushed(&self) -> bool {
        self.first.is_empty()
    }

    /// Whether it has output that the transport may take.
    pub(crate) fn has_output(&self) -> bool {
        self.writable && !self.first.is_empty()
    }

    /// Writes as much output as the transport takes, or one piece of it where pieces leave `apart`; when there is no more, ends
    /// as told. `gathered` is room to copy pieces together in.
    pub(crate) fn flush(&mut self, gathered: &mut Vec<u8>, apart: bool) -> io::Result<Flushed> {
        let mut flushed = Flushed::default();
        while self.has_output() && !(apart && flushed.bytes > 0) {
            match self.write_some(gathered, apart) {
                Ok(bytes) => flushed.bytes += bytes,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.writable = false,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        if self.first.is_empty() {
            match self.ending.take() {
                None => {}
                Some(Ending::Shutdown) => self.stream.shutdown(Shutdown::Write)?,
                Some(Ending::Close) => flushed.close = true,
                Some(Ending::Reset) => {
                    SockRef::from(&self.stream).set_linger(Some(Duration::ZERO))?;
                    flushed.close = true;
                }
            }
        }
        Ok(flushed)
    }

    fn write_some(&mut self, gathered: &mut Vec<u8>, apart: bool) -> io::Result<usize> {
        let written = if apart || self.others.is_empty() || self.first.len() > GATHERED {
            Poller::send(&self.stream, &self.first)?
        } else {
            gathered.clear();
            for piece in std::iter::once(&self.first).chain(&self.others) {
                if gathered.len() + piece.len() > GATHERED {
                    break;
                }
                gathered.extend_from_slice(piece);
            }
            Poller::send(&self.stream, gathered)?
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
    use crate::driver::event_loop::into_listener;

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
    fn what_a_client_takes_bit_by_bit_is_what_was_pushed(#[values(false, true)] apart: bool) {
        let (mut socket, mut client) = connected();
        let mut pushed = Vec::new();
        for piece in pieces() {
            pushed.extend_from_slice(&piece);
            socket.push(piece);
        }
        let (mut taken, mut gathered, mut got, mut held_up) = (0, Vec::new(), Vec::new(), 0);
        let mut buffer = vec![0; 1024 * 1024];
        while got.len() < pushed.len() {
            while socket.has_output() {
                taken += socket.flush(&mut gathered, apart).unwrap().bytes;
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
