//! One connection and the answer on it.

use std::io::{self, IoSliceMut};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsRawFd as _;
use std::time::Duration;

use nix::sys::socket::sockopt::ReceiveTimestampns;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg, setsockopt};
use rustix::net::{SendFlags, send, sockopt::set_socket_linger};

use crate::counter::TokenCounter;

/// How long a server may take to accept.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Arrivals of one answer that are kept.
const MAX_ARRIVALS: usize = 1 << 20;

/// A connection that has been opened.
#[derive(Debug)]
pub(super) struct LoadStream {
    pub(super) socket: TcpStream,
    pub(super) counter: TokenCounter,
    /// Tokens of this answer.
    pub(super) tokens: u64,
    /// When each token came; only kept where there is a pace.
    pub(super) arrivals: Vec<i64>,
}

impl LoadStream {
    /// Connects; room is made for `tokens` arrivals. With `stamps` the kernel stamps what it receives.
    pub(super) fn open(addr: SocketAddr, stamps: bool, tokens: usize) -> io::Result<Self> {
        let socket = TcpStream::connect_timeout(&addr, CONNECT_TIMEOUT)?;
        socket.set_nonblocking(true)?;
        socket.set_nodelay(true)?;
        // Closed with a reset, thousands of ports are not left waiting between runs.
        set_socket_linger(&socket, Some(Duration::ZERO))?;
        if stamps {
            setsockopt(&socket, ReceiveTimestampns, &true)?;
        }
        let arrivals = Vec::with_capacity(tokens.min(MAX_ARRIVALS));
        Ok(Self { socket, counter: TokenCounter::new(), tokens: 0, arrivals })
    }

    /// Asks. A request is small and the socket empty, so it goes out whole or something is wrong.
    pub(super) fn ask(&mut self, request: &[u8]) -> io::Result<()> {
        self.tokens = 0;
        self.arrivals.clear();
        let sent = send(&self.socket, request, SendFlags::NOSIGNAL)?;
        if sent == request.len() { Ok(()) } else { Err(io::ErrorKind::WriteZero.into()) }
    }

    /// Takes note of `tokens` more at `now`.
    pub(super) fn arrived(&mut self, tokens: u64, now: i64, keep: bool) {
        self.tokens += tokens;
        if keep {
            let room = MAX_ARRIVALS.saturating_sub(self.arrivals.len());
            let more = usize::try_from(tokens).unwrap_or(room).min(room);
            self.arrivals.extend(std::iter::repeat_n(now, more));
        }
    }
}

/// Reads what there is, and the kernel's stamp of the last packet in it.
pub(super) fn read_stamped(
    socket: &TcpStream,
    buffer: &mut [u8],
    space: &mut [u8],
) -> io::Result<(usize, Option<i64>)> {
    let mut parts = [IoSliceMut::new(buffer)];
    let message = recvmsg::<()>(socket.as_raw_fd(), &mut parts, Some(space), MsgFlags::empty())?;
    let stamp = message.cmsgs()?.find_map(|note| match note {
        ControlMessageOwned::ScmTimestampns(time) => Some(time.tv_sec() * 1_000_000_000 + time.tv_nsec()),
        _ => None,
    });
    Ok((message.bytes, stamp))
}
