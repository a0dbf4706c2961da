//! The client's end of an in-memory connection, for hyper.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::FutureExt as _;
use hyper::rt::ReadBufCursor;
use mock_ollama::journal::ConnId;

use super::scheduler::{Sim, SimServer};
use crate::clients::{Connection, Endpoint, Executor, Net};

/// The client's end of a connection to the server in memory. Dropping it hangs up.
#[derive(Debug)]
pub struct Pipe {
    sim: Sim,
    conn: ConnId,
}

impl Sim {
    /// Connects to the server in memory.
    ///
    /// Fails with `NotConnected` where there is none.
    pub fn connect(&self) -> io::Result<Pipe> {
        match &mut self.lock().server {
            SimServer::Memory(memory) => Ok(Pipe { sim: self.clone(), conn: memory.connect(self.now()) }),
            SimServer::Absent | SimServer::Sockets(_) => Err(io::ErrorKind::NotConnected.into()),
        }
    }
}

impl Pipe {
    fn hang_up(&self) {
        let stale = match &mut self.sim.lock().server {
            SimServer::Memory(memory) => memory.hang_up(self.conn, self.sim.now()),
            SimServer::Absent | SimServer::Sockets(_) => None,
        };
        // Dropping a waker may drop a task, which locks the state: only once it is unlocked.
        drop(stale);
    }
}

impl hyper::rt::Read for Pipe {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, mut buf: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        let room = buf.remaining();
        match &mut self.sim.lock().server {
            SimServer::Memory(memory) => memory.read(self.conn, room, cx.waker(), |piece| buf.put_slice(piece)),
            SimServer::Absent | SimServer::Sockets(_) => Poll::Ready(Ok(())),
        }
    }
}

impl hyper::rt::Write for Pipe {
    fn poll_write(self: Pin<&mut Self>, _cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if let SimServer::Memory(memory) = &mut self.sim.lock().server {
            memory.receive(self.conn, bytes, self.sim.now());
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.hang_up();
        Poll::Ready(Ok(()))
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        self.hang_up();
    }
}

/// Connections in memory, run as tasks of an executor.
#[derive(Clone, Debug)]
pub struct PipeNet<E> {
    sim: Sim,
    executor: E,
}

impl<E> PipeNet<E> {
    /// Connections to the server of `sim` on the executor `executor`.
    pub fn new(sim: Sim, executor: E) -> Self {
        Self { sim, executor }
    }
}

impl<E: Executor> Net for PipeNet<E> {
    type Io = Pipe;

    async fn connect(&self, _to: Endpoint) -> io::Result<Pipe> {
        self.sim.connect()
    }

    fn spawn(&self, connection: Connection<Pipe>) {
        // Registered before it is spawned, so that the order of tasks does not depend on the executor.
        self.executor.spawn(self.sim.service("a connection", connection).map(drop));
    }
}
