//! smol's `LocalExecutor` on one thread, with hyper over smol's sockets.

use std::any::type_name_of_val;
use std::io;
use std::pin::Pin;
use std::time::Duration;

use futures::StreamExt;
use futures::channel::mpsc::{self, UnboundedSender};
use smol::net::TcpStream;
use smol::{LocalExecutor, Timer};
use smol_hyper::rt::FuturesIo;

use super::{AgentTask, Crew, RunError, Runtime, World, on_thread};
use crate::clients::{Client, ClientError, Endpoint, Host, Hyper, Net, Reading};
use crate::transcript::{AgentLog, Transcript};
use crate::variant::Variant;
use crate::workload::Job;

/// The runtime of `smol`.
#[cfg(feature = "runtime-smol")]
pub(crate) static RUNTIME: Smol = Smol(Variant::Smol);

/// Each run has an executor of its own on a thread of its own. The reactor (with its thread `async-io`) is the
/// process's: smol has no other.
pub(crate) struct Smol(pub(super) Variant);

impl Runtime for Smol {
    fn run(&self, job: &Job, world: &World) -> Result<Transcript, RunError> {
        let Self(variant) = *self;
        let crew = Crew::new(job, world, variant.policy())?.read_cap(variant.read_cap());
        drive(variant.name(), crew, |net, server| {
            Ok(Hyper::new(net, server).http1_read_buf_exact_size(variant.read_cap()))
        })
    }
}

/// Runs a crew on a thread called `thread`, through the client that `connect` makes.
pub(crate) fn drive<R: Reading, C: Client>(
    thread: &str,
    crew: Crew<R>,
    connect: impl FnOnce(SmolNet, Endpoint) -> Result<C, ClientError> + Send,
) -> Result<Transcript, RunError> {
    on_thread(thread, || {
        let executor = LocalExecutor::new();
        let (net, mut connections) = SmolNet::new();
        let spawn_connections = async {
            while let Some(connection) = connections.next().await {
                executor.spawn(connection).detach();
            }
            std::future::pending().await
        };
        let description = type_name_of_val(&executor).to_owned();
        let connect = |server| connect(net.clone(), server);
        let work = crew.work(net.clone(), description, connect, |agents| spawn_each(&executor, agents));
        smol::block_on(executor.run(smol::future::or(work, spawn_connections)))
    })
}

/// Every agent as a task of its own.
async fn spawn_each(executor: &LocalExecutor<'_>, agents: Vec<AgentTask>) -> Vec<Option<AgentLog>> {
    let tasks: Vec<_> = agents.into_iter().map(|agent| executor.spawn(agent)).collect();
    let mut logs = Vec::with_capacity(tasks.len());
    for task in tasks {
        logs.push(task.await);
    }
    logs
}

/// smol's sockets, tasks of the run's executor, and smol's timers.
///
/// A `LocalExecutor` cannot leave its thread, not even as a reference in a future that could; so connections reach it
/// through a channel, once each.
#[derive(Clone, Debug)]
pub(crate) struct SmolNet {
    connections: UnboundedSender<Connection>,
}

/// A connection, to be run as a task.
type Connection = Pin<Box<dyn Future<Output = ()> + Send>>;

impl SmolNet {
    fn new() -> (Self, mpsc::UnboundedReceiver<Connection>) {
        let (connections, spawned) = mpsc::unbounded();
        (Self { connections }, spawned)
    }
}

impl Net for SmolNet {
    type Io = FuturesIo<TcpStream>;

    async fn connect(&self, to: Endpoint) -> io::Result<Self::Io> {
        let socket = TcpStream::connect(to.addr()).await?;
        socket.set_nodelay(true)?;
        Ok(FuturesIo::new(socket))
    }

    fn spawn(&self, connection: impl Future<Output = ()> + Send + 'static) {
        Host::spawn(self, connection);
    }
}

impl Host for SmolNet {
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        // The receiver lives as long as the executor; without it there is nothing to run on.
        let _ = self.connections.unbounded_send(Box::pin(task));
    }

    async fn sleep(&self, time: Duration) {
        Timer::after(time).await;
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn sockets_send_without_delay() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server: Endpoint = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let socket = smol::block_on(SmolNet::new().0.connect(server)).unwrap();
        assert!(socket.get_ref().nodelay().unwrap());
    }
}
