//! smol's `LocalExecutor` on one thread, with hyper over smol's sockets.

use std::any::type_name_of_val;
use std::io;
use std::rc::{Rc, Weak};
use std::time::Duration;

use smol::net::TcpStream;
use smol::{LocalExecutor, Timer};
use smol_hyper::rt::FuturesIo;

use super::{AgentGroup, Environment, RunError, Runtime, in_order, on_thread};
use crate::clients::{Client, ClientError, Connection, Endpoint, Executor, Hyper, Net, Reading};
use crate::transcript::Transcript;
use crate::variant::Variant;
use crate::workload::Job;

/// The runtime of `smol`.
#[cfg(feature = "runtime-smol")]
pub(crate) static RUNTIME: Smol = Smol(Variant::Smol);

/// Each run has a new executor on a new thread. The reactor (with its thread `async-io`) is the process's: smol has no
/// other.
pub(crate) struct Smol(pub(super) Variant);

impl Runtime for Smol {
    fn run(&self, job: &Job, environment: &Environment) -> Result<Transcript, RunError> {
        let Self(variant) = *self;
        let group = AgentGroup::new(job, environment, variant.policy())?.read_cap(variant.read_cap());
        drive(variant.name(), group, move |net, server| {
            Ok(Hyper::new(net, server).http1_read_buf_exact_size(variant.read_cap()))
        })
    }
}

/// Runs a group of agents on a thread called `thread`, through the client that `connect` makes.
pub(crate) fn drive<R: Reading, C: Client>(
    thread: &str,
    group: AgentGroup<R>,
    connect: impl FnOnce(SmolNet, Endpoint) -> Result<C, ClientError> + Send + 'static,
) -> Result<Transcript, RunError> {
    on_thread(thread, || {
        let executor = Rc::new(LocalExecutor::new());
        let net = SmolNet(Rc::downgrade(&executor));
        let description = type_name_of_val(&*executor).to_owned();
        let agents = group.build(net.clone(), move |server| connect(net, server))?;
        let spawn = |agents: Vec<_>| in_order(agents.into_iter().map(|agent| executor.spawn(agent)).collect());
        smol::block_on(executor.run(agents.run(description, spawn)))
    })
}

/// smol's sockets, tasks of the run's executor, and smol's timers.
///
/// The reference is weak, since agents hold this and the executor holds the agents: after a panic, neither would be
/// dropped. The executor lives as long as anything polls its tasks.
#[derive(Clone, Debug)]
pub(crate) struct SmolNet(Weak<LocalExecutor<'static>>);

impl SmolNet {
    fn spawn<T: 'static>(&self, task: impl Future<Output = T> + 'static) {
        if let Some(executor) = self.0.upgrade() {
            executor.spawn(task).detach();
        }
    }
}

impl Net for SmolNet {
    type Io = FuturesIo<TcpStream>;

    async fn connect(&self, to: Endpoint) -> io::Result<Self::Io> {
        let socket = TcpStream::connect(to.addr()).await?;
        socket.set_nodelay(true)?;
        Ok(FuturesIo::new(socket))
    }

    fn spawn(&self, connection: Connection<Self::Io>) {
        self.spawn(connection);
    }
}

impl Executor for SmolNet {
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.spawn(task);
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
        let socket = smol::block_on(SmolNet(Weak::new()).connect(server)).unwrap();
        assert!(socket.get_ref().nodelay().unwrap());
    }
}
