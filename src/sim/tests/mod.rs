//! Every invariant of virtual time, kept and broken on purpose.
//!
//! | file | what |
//! | --- | --- |
//! | `outside` | who takes part is registered; joins and blocking calls are told (I1, I2, I3) |
//! | `timers` | one timer at a time, in its order (I4) |
//! | `turns` | a task that ends gives back its turn (I5) |
//! | `failure` | a run that cannot continue says so (I6) |
//! | `executors` | the same of the executors' own tasks (I1, I2, I3) |
//! | `wall_clock` | what only real time can tell (I3, I5, I6, I7) |

mod executors;
mod failure;
mod outside;
mod timers;
mod turns;
mod wall_clock;

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use futures::FutureExt as _;
use futures::future::{LocalBoxFuture, join_all};
use mock_ollama::clock::Instant;
use mock_ollama::journal::{Caller, StreamId};

use super::{Sim, SimFailure, SimSettings};
use crate::clients::AgentEvent;

/// `seconds` after the beginning.
const fn second(seconds: u64) -> Instant {
    Instant::from_nanos(seconds * 1_000_000_000)
}

fn stream(name: &str) -> StreamId {
    StreamId::of(name, 0)
}

/// Runs a future on this thread.
fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        thread::park();
    }
}

/// A simulation without a server, and everything that runs, on one thread. All are polled in the order of their coming.
struct Stage {
    sim: Sim,
    running: Vec<LocalBoxFuture<'static, ()>>,
}

impl Stage {
    fn new() -> Self {
        Self::with(SimSettings::default())
    }

    fn with(settings: SimSettings) -> Self {
        Self { sim: Sim::without_server(settings), running: Vec::new() }
    }

    fn agent(&mut self, name: &str, future: impl Future<Output = ()> + 'static) {
        let agent = self.sim.agent(name, future);
        self.unregistered(agent.map(drop));
    }

    /// Something that the simulation does not know.
    fn unregistered(&mut self, future: impl Future<Output = ()> + 'static) {
        self.running.push(future.boxed_local());
    }

    /// An agent that does nothing but note when it has slept.
    fn sleeper(&mut self, name: &'static str, until: Instant) {
        let sim = self.sim.clone();
        self.agent(name, async move {
            sim.sleep_until(until, &stream(name)).await;
            sim.note(&stream(name), AgentEvent::Sent);
        });
    }

    /// Runs it to its end.
    fn play(self) -> Result<(), SimFailure> {
        self.sim.start();
        let mut running = join_all(self.running).fuse();
        let mut finished = pin!(self.sim.finished());
        block_on(poll_fn(|cx| {
            let _ = running.poll_unpin(cx);
            finished.as_mut().poll(cx)
        }))
    }
}

/// Who noted something, and in which second.
fn noted(sim: &Sim) -> Vec<(u64, String)> {
    let caller = |stream: &StreamId| match &stream.caller {
        Caller::Agent(name) => name.to_string(),
        Caller::Connection(conn) => panic!("a connection noted something: {conn:?}"),
    };
    let log = sim.log();
    log.events().iter().map(|event| (event.at.as_nanos() / 1_000_000_000, caller(&event.stream))).collect()
}

/// The same, as a test writes it.
fn notes<const N: usize>(expected: [(u64, &str); N]) -> Vec<(u64, String)> {
    expected.map(|(second, name)| (second, name.to_owned())).into()
}
