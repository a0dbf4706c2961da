//! The entry that all runtimes share.

use std::io;

use super::Environment;
use crate::clients::ClientError;
use crate::sim;
use crate::transcript::Transcript;
use crate::workload::Job;

/// An executor, its reactor and its client, ready to run agents.
///
/// # Sockets that stay on their thread
///
/// Nothing below this trait demands `Send`: `examples/own_executor.rs` runs the lab's agents on compio. Its sockets would
/// not fit if anything did:
///
/// ```compile_fail,E0277
/// fn demand_send<T: Send>() {}
/// demand_send::<compio::net::TcpStream>();
/// ```
///
/// They fit what hyper is given here, through an adapter that is no more `Send` than they are:
///
/// ```
/// # #[cfg(feature = "runtime-smol")]
/// fn is_an_io<T: hyper::rt::Read + hyper::rt::Write + Unpin + 'static>() {}
/// # #[cfg(feature = "runtime-smol")]
/// is_an_io::<smol_hyper::rt::FuturesIo<compio_io::compat::AsyncStream<compio::net::TcpStream>>>();
/// ```
pub trait Runtime: Send + Sync {
    /// Runs every agent of the job as a task, and returns when the last one has ended.
    ///
    /// It blocks the calling thread and works on new threads, which it names. Each run makes what it needs and tears it
    /// down, as far as the executor can be torn down.
    ///
    /// Fails only where agents could not be started, or where virtual time stands still; what happens to an agent is
    /// in its log. A panic of an agent continues in the caller.
    fn run(&self, job: &Job, environment: &Environment) -> Result<Transcript, RunError>;
}

/// Why a run did not begin, or did not finish.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The operating system refused a thread.
    #[error("cannot start the thread `{name}`")]
    Thread {
        /// The thread's name.
        name: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The executor could not be made.
    #[error("cannot build the executor")]
    Executor(#[source] io::Error),
    /// Virtual time stands still, or would depend on chance.
    #[error(transparent)]
    Virtual(#[from] Box<sim::SimFailure>),
    /// The client could not be made.
    #[error("cannot build the client")]
    Client(#[from] ClientError),
}
