//! A bound listener.

use std::collections::BTreeSet;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Mutex, PoisonError};

use socket2::{Domain, Protocol, Socket, Type};

/// How many connections the kernel keeps for the loop to accept.
const BACKLOG: i32 = 4096;

/// How often the kernel is asked for another port before the process is out of ports.
const PORT_TRIES: usize = 1024;

/// Ports that a server of this process had: a client that still holds a connection to an earlier server
/// must never reach a later one.
static HAD: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());

/// Binds a listener. With port 0 the kernel picks one that no earlier server of this process had.
pub(crate) fn bind(addr: SocketAddr) -> io::Result<TcpListener> {
    // Ports that were had before stay bound until another one is found, or the kernel might offer them again.
    let mut declined = Vec::new();
    while declined.len() < PORT_TRIES {
        let listener = bind_once(addr)?;
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

fn bind_once(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(addr), Type::STREAM, Some(Protocol::TCP))?;
    // Off Unix this would let two servers share a port.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&addr.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests {
    use super::bind;

    #[test]
    fn a_port_is_never_handed_out_twice() {
        let any = "127.0.0.1:0".parse().unwrap();
        let ports: std::collections::BTreeSet<u16> =
            (0..200).map(|_| bind(any).unwrap().local_addr().unwrap().port()).collect();
        assert_eq!(ports.len(), 200);
    }
}
