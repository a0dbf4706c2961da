//! An executor of your own whose sockets never leave their thread: compio, with the lab's agents as they are.
//!
//! Run it with `cargo run --example own_executor`. The lab demands `Send` nowhere, so neither a wrapper nor a second
//! thread stands between an agent and its socket.

use std::error::Error;
use std::io;
use std::panic;
use std::sync::Arc;
use std::time::Duration;

use compio::net::TcpStream;
use compio::runtime::spawn;
use compio::time::sleep;
use compio_io::compat::AsyncStream;
use mock_ollama::driver::Monotonic;
use mock_ollama::{Matching, MockOllama, Pace};
use runtime_lab::chunking::ChunkPolicy;
use runtime_lab::clients::{Connection, Endpoint, Executor, Hyper, Net};
use runtime_lab::runtimes::{AgentGroup, Environment, RunError, Runtime, on_thread};
use runtime_lab::transcript::{AgentLog, Transcript};
use runtime_lab::workload::{AgentPlan, Job, RequestPlan};
use smol_hyper::rt::FuturesIo;

/// compio: a runtime a thread, completions in place of readiness, and buffers that the runtime owns while it uses them.
struct Compio;

impl Runtime for Compio {
    fn run(&self, job: &Job, environment: &Environment) -> Result<Transcript, RunError> {
        let group = AgentGroup::new(job, environment, ChunkPolicy::AsReceived)?;
        on_thread("compio", || {
            let runtime = compio::runtime::Runtime::new().map_err(RunError::Executor)?;
            runtime.block_on(async {
                let agents = group.build(CompioNet, |server| Ok(Hyper::new(CompioNet, server)))?;
                agents.run("compio".to_owned(), spawn_each).await
            })
        })
    }
}

/// Spawns every agent as a task. None of them is `Send`.
async fn spawn_each<A>(agents: Vec<A>) -> Vec<Option<AgentLog>>
where
    A: Future<Output = Option<AgentLog>> + 'static,
{
    let tasks: Vec<_> = agents.into_iter().map(spawn).collect();
    let mut logs = Vec::with_capacity(tasks.len());
    for task in tasks {
        logs.push(task.await.unwrap_or_else(|panic| panic::resume_unwind(panic)));
    }
    logs
}

/// compio's sockets, tasks and timers.
#[derive(Clone, Copy)]
struct CompioNet;

impl Net for CompioNet {
    /// compio lends its buffers to the kernel; `AsyncStream` copies between them and those that hyper lends.
    type Io = FuturesIo<AsyncStream<TcpStream>>;

    async fn connect(&self, to: Endpoint) -> io::Result<Self::Io> {
        let socket = TcpStream::connect(to.addr()).await?;
        socket.set_nodelay(true)?;
        Ok(FuturesIo::new(AsyncStream::new(socket)))
    }

    fn spawn(&self, connection: Connection<Self::Io>) {
        spawn(connection).detach();
    }
}

impl Executor for CompioNet {
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        spawn(task).detach();
    }

    async fn sleep(&self, time: Duration) {
        sleep(time).await;
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let server = MockOllama::builder().builtin("tiny-long").matching(Matching::Any).pace(Pace::recorded()).start()?;
    let request = RequestPlan {
        recording: "tiny-long".to_owned(),
        exchange: 0,
        path: "/api/generate".to_owned(),
        body: r#"{"model":"any","prompt":"Tell me a story"}"#.to_owned(),
    };
    let agents = ["one", "other"].map(|name| AgentPlan::new(name, vec![request.clone()])).into();
    let job = Job { url: server.url(), agents, limit: None };
    let transcript = Compio.run(&job, &Environment::Wall(Arc::new(Monotonic)))?;
    for AgentLog { agent, exchanges, polled_on, .. } in &transcript.agents {
        let lines = exchanges.iter().map(|exchange| exchange.lines.len()).sum::<usize>();
        println!("{agent}: {lines} lines, {}, polled on {polled_on:?}", exchanges[0].outcome.kind());
    }
    println!("streams in progress at once, says the server: {}", server.finish()?.max_in_flight);
    Ok(())
}
