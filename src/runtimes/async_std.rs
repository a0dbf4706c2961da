//! async-std's executor, with hyper over its sockets.

use std::io;
use std::time::Duration;

use ::async_std::net::TcpStream;
use ::async_std::task;
use smol_hyper::rt::FuturesIo;

use super::{AgentGroup, Environment, RunError, Runtime, in_order, on_thread};
use crate::clients::{Connection, Endpoint, Executor, Hyper, Net, Reading};
use crate::transcript::Transcript;
use crate::variant::Variant;
use crate::workload::Job;

/// The runtime of `async-std`.
pub(crate) static RUNTIME: AsyncStd = AsyncStd;

/// All runs share one executor: async-std's belongs to the process and cannot be torn down. A run that is to be alone
/// needs its own process.
pub(crate) struct AsyncStd;

const VARIANT: Variant = Variant::AsyncStd;

impl Runtime for AsyncStd {
    fn run(&self, job: &Job, environment: &Environment) -> Result<Transcript, RunError> {
        drive(AgentGroup::new(job, environment, VARIANT.policy())?)
    }
}

/// Runs a group of agents on the global executor.
pub(crate) fn drive<R: Reading + Send>(group: AgentGroup<R>) -> Result<Transcript, RunError> {
    on_thread(VARIANT.name(), || {
        // async-std says nothing of its executor; its threads are in the list of threads.
        let executor = "async-std, global executor".to_owned();
        let agents = group.build(AsyncStdNet, |server| Ok(Hyper::new(AsyncStdNet, server)))?;
        task::block_on(agents.run(executor, |agents| in_order(agents.into_iter().map(task::spawn).collect())))
    })
}

/// async-std's sockets, tasks of its executor, and its timers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AsyncStdNet;

impl Net for AsyncStdNet {
    type Io = FuturesIo<TcpStream>;

    async fn connect(&self, to: Endpoint) -> io::Result<Self::Io> {
        let socket = TcpStream::connect(to.addr()).await?;
        socket.set_nodelay(true)?;
        Ok(FuturesIo::new(socket))
    }

    fn spawn(&self, connection: Connection<Self::Io>) {
        task::spawn(connection);
    }
}

impl Executor for AsyncStdNet {
    fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        task::spawn(future);
    }

    async fn sleep(&self, time: Duration) {
        task::sleep(time).await;
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
        let socket = task::block_on(AsyncStdNet.connect(server)).unwrap();
        assert!(socket.get_ref().nodelay().unwrap());
    }
}
