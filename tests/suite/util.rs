//! Runs of a scenario: the mock server, and a runtime against it.

use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use mock_ollama::MockOllama;
use mock_ollama::driver::Monotonic;
use mock_ollama::journal::Journal;
use mock_ollama::recording::{Exchange, Recording, Request, RequestBody, read_file};
use mock_ollama::schedule::Pace;
use runtime_lab::runtimes::{Environment, Runtime};
use runtime_lab::transcript::{ExchangeLog, ExchangeOutcome, Transcript};
use runtime_lab::workload::{AgentPlan, Job, RequestPlan};
use serde_json::json;

/// Longer than anything here takes on a busy host, and shorter than what nextest calls stuck.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Released, this is all that is left of a stream.
pub(crate) const ALL: u64 = u64::MAX;

/// What both sides recorded of one run.
pub(crate) struct Run {
    pub(crate) transcript: Transcript,
    pub(crate) journal: Journal,
}

impl Run {
    /// The exchanges of all agents, in their order.
    pub(crate) fn exchanges(&self) -> impl Iterator<Item = &ExchangeLog> {
        self.transcript.agents.iter().flat_map(|agent| &agent.exchanges)
    }

    /// Fails with the words of the first exchange that failed.
    pub(crate) fn all_done(&self) -> Result<(), String> {
        let failed = self.exchanges().find_map(|exchange| match &exchange.outcome {
            ExchangeOutcome::Done { .. } => None,
            ExchangeOutcome::Failed { kind, message } => Some((&exchange.recording, kind, message)),
        });
        failed.map_or(Ok(()), |(recording, kind, message)| Err(format!("{recording} failed ({kind}): {message}")))
    }
}

/// Serves the recordings of a scenario and runs its agents against them while `drive` controls the server.
///
/// When `drive` panics, the server goes first, so that the run ends and the panic is seen.
pub(crate) fn perform(
    runtime: &dyn Runtime,
    Scenario { recordings, pace, agents, limit }: Scenario,
    environment: &Environment,
    drive: impl FnOnce(&MockOllama),
) -> Run {
    let server =
        MockOllama::builder().count_per(mock_ollama::Per::Caller).recordings(recordings).pace(pace).start().unwrap();
    let job = Job { url: server.url(), agents, limit: limit.map(|limit| limit.try_into().unwrap()) };
    thread::scope(|scope| {
        let server = server;
        let running = scope.spawn(|| runtime.run(&job, environment).unwrap());
        drive(&server);
        let transcript = running.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        Run { transcript, journal: server.finish().unwrap() }
    })
}

/// What is served, and to which agents.
#[derive(Debug)]
pub(crate) struct Scenario {
    pub(crate) recordings: Vec<Recording>,
    pub(crate) pace: Pace,
    pub(crate) agents: Vec<AgentPlan>,
    pub(crate) limit: Option<usize>,
}

impl Scenario {
    /// `agents` agents, each of which asks for every exchange of every recording.
    pub(crate) fn each(agents: usize, recordings: Vec<Recording>, pace: Pace) -> Self {
        let requests: Vec<RequestPlan> = recordings.iter().flat_map(requests_of).collect();
        let agents = (0..agents).map(|index| AgentPlan::new(name(index), requests.clone()));
        Self { pace, agents: agents.collect(), limit: None, recordings }
    }

    /// Runs it to its end, at a pace that needs no help.
    pub(crate) fn play(self, runtime: &dyn Runtime) -> Run {
        perform(runtime, self, &wall(), |_server| {})
    }
}

/// The recorded requests of a recording.
pub(crate) fn requests_of(recording: &Recording) -> impl Iterator<Item = RequestPlan> {
    recording.exchanges.iter().enumerate().map(|(exchange, recorded)| {
        let request = recorded.request.as_ref().expect("its request was recorded");
        let Some(RequestBody::Json(body)) = &request.body else { panic!("its request is JSON") };
        RequestPlan { recording: recording.name.clone(), exchange, path: request.path.clone(), body: body.to_string() }
    })
}

/// Real time by the clock of the server, so that what both sides stamp compares.
pub(crate) fn wall() -> Environment {
    Environment::Wall(Arc::new(Monotonic))
}

/// The name of an agent.
pub(crate) fn name(index: usize) -> String {
    format!("agent-{index}")
}

/// A recording of the built-in catalog.
pub(crate) fn fixture(name: &str) -> Recording {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("mock-ollama/fixtures/recordings/{name}.jsonl"));
    read_file(&path).unwrap()
}

/// A recording of this one exchange, found by a request that no other recording has.
pub(crate) fn alone(name: &str, of: &Recording, mut exchange: Exchange) -> Recording {
    let path = exchange.request.as_ref().expect("an exchange with a request").path.clone();
    let model = &of.model.name;
    let body = match path.as_str() {
        "/api/chat" => json!({"model": model, "messages": [{"role": "user", "content": name}]}),
        _ => json!({"model": model, "prompt": name}),
    };
    exchange.request = Some(Request::post(path, body));
    let mut recording = of.clone();
    (recording.name, recording.exchanges) = (name.to_owned(), vec![exchange]);
    recording
}
