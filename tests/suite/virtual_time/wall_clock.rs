//! The same agents in real time, by the timers of each runtime. How exact those are is not judged here.

use std::time::Duration;

use mock_ollama::schedule::Pace;
use runtime_lab::for_each_variant;
use runtime_lab::runtimes::of;
use runtime_lab::transcript::ExchangeOutcome;
use runtime_lab::workload::AgentBehavior;

use super::recordings::steady;
use crate::util::Scenario;

const SHORT: Duration = Duration::from_millis(40);

for_each_variant! {
    fn agents_think_and_time_out_by_the_timers_of_their_runtime(variant: Variant) {
        // Far too long to be waited for.
        let mut scenario = Scenario::each(2, vec![steady("slow", 60_000, 10, 3)], Pace::recorded());
        let behavior = AgentBehavior { think: SHORT, timeout: Some(SHORT), retries: 1, retry_pause: SHORT, ..AgentBehavior::default() };
        scenario.agents.iter_mut().for_each(|agent| agent.behavior = behavior);
        let run = scenario.play(of(variant));
        for agent in &run.transcript.agents {
            let [first, second] = agent.exchanges.as_slice() else { panic!("two tries: {agent:?}") };
            assert_eq!([first, second].map(|exchange| exchange.outcome.kind()), [ExchangeOutcome::TIMED_OUT; 2]);
            assert!(first.sent.saturating_since(agent.started) >= SHORT);
            assert!(first.ended.saturating_since(first.sent) >= SHORT);
            assert!(second.sent.saturating_since(first.ended) >= SHORT);
        }
    }
}

/// The fourth factor: a client that keeps its core busy loses to its runtime, and to nothing else.
#[cfg(feature = "runtime-tokio-localset")]
mod busy {
    use std::time::{Duration, Instant};

    use bytes::Bytes;
    use futures::future::join_all;
    use runtime_lab::chunking::ChunkPolicy;
    use runtime_lab::clients::{
        AgentRequest, Client, ClientError, ClientResponse, Endpoint, Executor, Reqwest, ResponseBody,
    };
    use runtime_lab::runtimes::{AgentGroup, Environment};
    use runtime_lab::transcript::AgentLog;
    use runtime_lab::workload::Job;

    use super::super::recordings::steady;
    use super::super::util::in_memory;
    use crate::util::{Scenario, wall};
    use mock_ollama::MockOllama;
    use mock_ollama::schedule::Pace;
    use runtime_lab::runtimes::of;
    use runtime_lab::variant::Variant;

    /// Spins so long before it hands on what it has read.
    #[derive(Clone)]
    struct Busy<C>(C, Duration);

    struct BusyBody<B>(B, Duration);

    impl<C: Client> Client for Busy<C> {
        type Body = BusyBody<C::Body>;

        async fn send(&mut self, request: AgentRequest<'_>) -> Result<ClientResponse<Self::Body>, ClientError> {
            let ClientResponse { status, body } = self.0.send(request).await?;
            Ok(ClientResponse { status, body: BusyBody(body, self.1) })
        }

        fn describe(&self) -> String {
            self.0.describe()
        }
    }

    impl<B: ResponseBody> ResponseBody for BusyBody<B> {
        async fn next(&mut self) -> Option<Result<Bytes, ClientError>> {
            let next = self.0.next().await;
            let since = Instant::now();
            while since.elapsed() < self.1 {
                std::hint::spin_loop();
            }
            next
        }
    }

    #[derive(Clone, Copy)]
    struct Tokio;

    impl Executor for Tokio {
        fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
            tokio::spawn(task);
        }

        async fn sleep(&self, time: Duration) {
            tokio::time::sleep(time).await;
        }
    }

    /// The wall time of two agents on one thread, each of which is busy for so long at every read.
    fn wall_of(scenario: &Scenario, busy: Duration) -> Duration {
        let server = MockOllama::builder()
            .count_per(mock_ollama::Per::Caller)
            .recordings(scenario.recordings.clone())
            .pace(scenario.pace)
            .start()
            .unwrap();
        let job = Job { url: server.url(), agents: scenario.agents.clone(), limit: None };
        let environment: Environment = wall();
        let group = AgentGroup::new(&job, &environment, ChunkPolicy::AsReceived).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let connect = move |server: Endpoint| Ok(Busy(Reqwest::new(server)?, busy));
        let run = runtime.block_on(async {
            let agents = group.build(Tokio, connect)?;
            agents.run("tokio".to_owned(), spawn_each).await
        });
        let run = run.unwrap();
        run.ended.saturating_since(run.started)
    }

    async fn spawn_each<A>(agents: Vec<A>) -> Vec<Option<AgentLog>>
    where
        A: Future<Output = Option<AgentLog>> + Send + 'static,
    {
        let tasks: Vec<_> = agents.into_iter().map(tokio::spawn).collect();
        join_all(tasks).await.into_iter().map(Result::unwrap).collect()
    }

    #[test]
    fn a_busy_loop_in_the_client_moves_the_runtime_and_nothing_else() {
        // 60 reads of each of two agents, 10 ms of work at each, on one thread: longer than the 0.3 s of the script.
        let scenario = Scenario::each(2, vec![steady("busy", 5, 5, 60)], Pace::recorded());
        let virtual_run = in_memory(of(Variant::TokioLocalset), &scenario).unwrap().run.transcript;
        let code = virtual_run.ended.saturating_since(virtual_run.started);
        assert_eq!(code, Duration::from_millis(300), "in virtual time it has no share");
        let busy = wall_of(&scenario, Duration::from_millis(10));
        // At least the work itself, which no machine does faster.
        assert!(busy >= Duration::from_millis(10) * 60 * 2, "{busy:?}");
        assert!(code.as_secs_f64() / busy.as_secs_f64() <= 0.25, "the runtime's factor");
    }
}
