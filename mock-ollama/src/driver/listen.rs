//! Bound listeners.

use std::collections::BTreeSet;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Mutex, PoisonError};

use socket2::{Domain, Protocol, Socket, Type};

/// How many connections the kernel keeps for the loop to accept.
const ACCEPT_BACKLOG: i32 = 4096;

/// How often the kernel is asked for another port before the process is out of ports.
const MAX_PORT_TRIES: usize = 1024;

/// Ports that servers of this process used: a client that still holds a connection to an earlier server must never reach a
/// later one.
static USED_PORTS: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());

/// Binds a listener. With port 0 the kernel picks one that no earlier server of this process had.
pub(crate) fn bind(addr: SocketAddr) -> io::Result<TcpListener> {
    // Ports that were used before stay bound until another one is found, or the kernel might offer them again.
    let mut declined = Vec::new();
    while declined.len() < MAX_PORT_TRIES {
        let listener = listen(open(addr)?, addr)?;
        let port = listener.local_addr()?.port();
        let fresh = USED_PORTS.lock().unwrap_or_else(PoisonError::into_inner).insert(port);
        if fresh || addr.port() != 0 {
            return Ok(listener);
        }
        declined.push(listener);
    }
    Err(io::Error::new(io::ErrorKind::AddrNotAvailable, "this process had every port that the kernel offers"))
}

/// Returns the name of this host, by which clients may address it; none where the system does not tell.
pub(crate) fn host_names() -> Vec<String> {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let name = name.or_else(|| std::env::var("HOSTNAME").or_else(|_| std::env::var("COMPUTERNAME")).ok());
    name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).into_iter().collect()
}

fn open(addr: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(addr), Type::STREAM, Some(Protocol::TCP))?;
    // Off Unix this would let two servers share a port.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

fn listen(socket: Socket, addr: SocketAddr) -> io::Result<TcpListener> {
    socket.bind(&addr.into())?;
    socket.listen(ACCEPT_BACKLOG)?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::io::ErrorKind;
    use std::net::SocketAddr;

    use super::bind;

    fn any() -> SocketAddr {
        "127.0.0.1:0".parse().unwrap()
    }

    #[test]
    fn a_port_is_never_handed_out_twice() {
        let ports: BTreeSet<u16> = (0..200).map(|_| bind(any()).unwrap().local_addr().unwrap().port()).collect();
        assert_eq!(ports.len(), 200);
    }

    #[test]
    fn another_server_cannot_share_a_port() {
        let listener = bind(any()).unwrap();
        assert_eq!(bind(listener.local_addr().unwrap()).unwrap_err().kind(), ErrorKind::AddrInUse);
    }
}
