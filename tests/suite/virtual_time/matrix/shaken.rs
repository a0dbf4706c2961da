//! Delays around the polls of every task, so that threads overtake each other wherever they can.

use std::future::poll_fn;
use std::hint::spin_loop;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use futures::FutureExt as _;
use mock_ollama::seed::Seed;
use rand::{Rng, RngExt as _};
use runtime_lab::clients::Executor as _;
use runtime_lab::runtimes::RunError;
use runtime_lab::sim::EventLog;

use super::executors::{AgentTask, Logs, Play, Spawner};

/// A run whose tasks are all delayed before and after each poll.
pub(super) struct Shaken<P> {
    pub(super) play: P,
    /// What the delays are drawn from.
    pub(super) seed: Seed,
}

impl<P: Play> Play for Shaken<P> {
    async fn on<F: Future<Output = Logs>>(
        self,
        spawner: Spawner,
        compose: impl FnOnce(Vec<AgentTask>) -> F,
    ) -> Result<EventLog, RunError> {
        let shaker = Shaker { seed: self.seed, shaken: Arc::default() };
        let for_connections = shaker.clone();
        let spawner = Spawner::new(move |task| spawner.spawn(for_connections.shake(task)));
        let compose =
            |agents: Vec<AgentTask>| compose(agents.into_iter().map(|agent| shaker.shake(agent).boxed()).collect());
        self.play.on(spawner, compose).await
    }
}

#[derive(Clone)]
struct Shaker {
    seed: Seed,
    shaken: Arc<AtomicU64>,
}

impl Shaker {
    fn shake<F>(&self, task: F) -> impl Future<Output = F::Output> + Send + use<F>
    where
        F: Future<Output: 'static> + Send + 'static,
    {
        let number = self.shaken.fetch_add(1, Ordering::Relaxed);
        let mut rng = self.seed.derive("delays", [number.to_le_bytes().as_slice()]).rng();
        let mut task = task.boxed();
        poll_fn(move |cx| {
            delay(&mut rng);
            let polled = task.poll_unpin(cx);
            delay(&mut rng);
            polled
        })
    }
}

/// Nothing, some hundred nanoseconds to some microseconds, or whatever another thread needs.
fn delay(rng: &mut impl Rng) {
    match rng.random_range(0..8) {
        0..3 => {}
        3 => thread::yield_now(),
        _ => (0..1_u32 << rng.random_range(2..8)).for_each(|_| spin_loop()),
    }
}
