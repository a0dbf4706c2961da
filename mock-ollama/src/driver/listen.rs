//! Bound listeners.

use std::collections::BTreeSet;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};

#[cfg(target_os = "linux")]
use socket2::SockRef;
use socket2::{Domain, Protocol, Socket, Type};

/// How many connections the kernel keeps for the loop to accept.
const BACKLOG: i32 = 4096;

/// How often the kernel is asked for another port before the process is out of ports.
const PORT_TRIES: usize = 1024;

/// Ports that a server of this process had: a client that still holds a connection to an earlier server
/// must never reach a later one.
static HAD: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());

/// Binds a listener for each of so many loops, all to the same port. On Linux the kernel deals connections to them; elsewhere
/// they are one, from which whoever comes first accepts.
pub(crate) fn bind(addr: SocketAddr, loops: NonZeroUsize) -> io::Result<Vec<TcpListener>> {
    let first = bind_first(addr)?;
    let others: Vec<TcpListener> = (1..loops.get()).map(|_| join(&first)).collect::<io::Result<_>>()?;
    Ok([first].into_iter().chain(others).collect())
}

/// Another listener on the port of the first.
#[cfg(target_os = "linux")]
fn join(first: &TcpListener) -> io::Result<TcpListener> {
    // Not before it is bound: a port that somebody else has must be refused, whether they would share it or not.
    SockRef::from(first).set_reuse_port(true)?;
    let addr = first.local_addr()?;
    let socket = open(addr)?;
    socket.set_reuse_port(true)?;
    listen(socket, addr)
}

#[cfg(not(target_os = "linux"))]
fn join(first: &TcpListener) -> io::Result<TcpListener> {
    first.try_clone()
}

/// Binds a listener. With port 0 the kernel picks one that no earlier server of this process had.
fn bind_first(addr: SocketAddr) -> io::Result<TcpListener> {
    // Ports that were had before stay bound until another one is found, or the kernel might offer them again.
    let mut declined = Vec::new();
    while declined.len() < PORT_TRIES {
        let listener = listen(open(addr)?, addr)?;
        let port = listener.local_addr()?.port();
        let fresh = HAD.lock().unwrap_or_else(PoisonError::into_inner).insert(port);
        if fresh || addr.port() != 0 {
            return Ok(listener);
        }
        declined.push(listener);
    }
    Err(io::Error::new(io::ErrorKind::AddrNotAvailable, "this process had every port that the kernel offers"))
}

/// The name of this machine, by which it may be asked; none where the system does not tell.
pub(crate) fn host_names() -> Vec<String> {
    let told = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let told = told.or_else(|| std::env::var("HOSTNAME").or_else(|_| std::env::var("COMPUTERNAME")).ok());
    told.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).into_iter().collect()
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
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::io::ErrorKind;
    use std::net::SocketAddr;
    use std::num::NonZeroUsize;

    use super::bind;

    fn any() -> SocketAddr {
        "127.0.0.1:0".parse().unwrap()
    }

    #[test]
    fn a_port_is_never_handed_out_twice() {
        let one = NonZeroUsize::MIN;
        let ports: BTreeSet<u16> =
            (0..200).map(|_| bind(any(), one).unwrap()[0].local_addr().unwrap().port()).collect();
        assert_eq!(ports.len(), 200);
    }

    #[test]
    fn the_loops_of_a_server_share_its_port_and_another_server_cannot() {
        let three = NonZeroUsize::new(3).unwrap();
        let listeners = bind(any(), three).unwrap();
        let addrs: BTreeSet<SocketAddr> = listeners.iter().map(|listener| listener.local_addr().unwrap()).collect();
        assert_eq!((listeners.len(), addrs.len()), (3, 1));
        for loops in [NonZeroUsize::MIN, three] {
            let other = bind(*addrs.first().unwrap(), loops);
            assert_eq!(other.unwrap_err().kind(), ErrorKind::AddrInUse, "{loops} loops");
        }
    }
}
