//! A server of canned responses: a thread a connection, and nothing clever.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::Instant as StdInstant;

use mock_ollama::clock::{Clock, Instant};
use runtime_lab::runtimes::{Environment, Runtime};
use runtime_lab::transcript::{AgentLog, ExchangeOutcome, Transcript};
use runtime_lab::workload::{AgentPlan, Job, RequestPlan};

/// What every request is answered with.
#[derive(Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    /// Further header fields, each with its line end.
    pub(crate) headers: String,
    /// The body, a write and an HTTP chunk each.
    pub(crate) chunks: Vec<Vec<u8>>,
    pub(crate) end: End,
    /// Answered only when this many requests have come.
    pub(crate) together: usize,
}

/// How a response ends.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum End {
    /// With the last chunk; the connection stays open.
    Clean,
    /// With the last chunk, and the connection is closed as the head has said.
    ///
    /// (Closing it without a word races with the next request of any client that keeps connections.)
    CleanThenClosed,
    /// The connection is closed in the middle of the body.
    Cut,
    /// The connection is closed before the head.
    NoHead,
}

impl Reply {
    /// A whole stream in these chunks.
    pub(crate) fn stream<B: AsRef<[u8]>>(chunks: impl IntoIterator<Item = B>) -> Self {
        let chunks = chunks.into_iter().map(|chunk| chunk.as_ref().to_vec()).collect();
        Self { status: 200, headers: String::new(), chunks, end: End::Clean, together: 1 }
    }

    /// The body as it was served.
    pub(crate) fn body(&self) -> Vec<u8> {
        self.chunks.concat()
    }
}

/// A running server. It counts what reaches it.
pub(crate) struct Canned {
    url: String,
    seen: Arc<Mutex<Seen>>,
}

/// What has reached the server.
#[derive(Clone, Default)]
pub(crate) struct Seen {
    pub(crate) connections: usize,
    /// Heads in lower case, with bodies.
    pub(crate) requests: Vec<String>,
}

impl Canned {
    pub(crate) fn new(reply: Reply) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::<Mutex<Seen>>::default();
        let barrier = Arc::new(Barrier::new(reply.together));
        let shared = Arc::clone(&seen);
        // It ends with the process of the test.
        thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                shared.lock().unwrap().connections += 1;
                let (reply, seen, barrier) = (reply.clone(), Arc::clone(&shared), Arc::clone(&barrier));
                thread::spawn(move || while answer(&socket, &reply, &seen, &barrier).is_some() {});
            }
        });
        Self { url, seen }
    }

    pub(crate) fn seen(&self) -> Seen {
        self.seen.lock().unwrap().clone()
    }

    /// A job of `agents` agents, each with `requests` requests.
    pub(crate) fn job(&self, agents: usize, requests: usize) -> Job {
        job(&self.url, agents, requests)
    }

    /// The log of one agent with one request.
    pub(crate) fn ask(&self, runtime: &dyn Runtime) -> AgentLog {
        let mut transcript = run(runtime, &self.job(1, 1));
        transcript.agents.pop().unwrap()
    }
}

/// A job of `agents` agents, each with `requests` requests.
pub(crate) fn job(url: &str, agents: usize, requests: usize) -> Job {
    let request = |exchange| RequestPlan {
        recording: "canned".to_owned(),
        exchange,
        path: "/api/generate".to_owned(),
        body: format!(r#"{{"model":"canned","prompt":"{exchange}"}}"#),
    };
    let agent = |index| AgentPlan::new(format!("agent-{index}"), (0..requests).map(request).collect());
    Job { url: url.to_owned(), agents: (0..agents).map(agent).collect(), limit: None }
}

/// Runs a job by a clock that starts now.
pub(crate) fn run(runtime: &dyn Runtime, job: &Job) -> Transcript {
    runtime.run(job, &Environment::Wall(clock())).unwrap()
}

/// A wall clock that starts now.
pub(crate) fn clock() -> Arc<dyn Clock> {
    struct SinceStart(StdInstant);

    impl Clock for SinceStart {
        fn now(&self) -> Instant {
            Instant::ZERO.saturating_add(self.0.elapsed())
        }
    }

    Arc::new(SinceStart(StdInstant::now()))
}

/// The kind of failure of an agent's only exchange.
pub(crate) fn failure(agent: &AgentLog) -> (&str, &str) {
    match &agent.exchanges[0].outcome {
        ExchangeOutcome::Failed { kind, message } => (kind, message),
        ExchangeOutcome::Done { .. } => panic!("the exchange did not fail"),
    }
}

/// Answers one request; nothing when the connection is over.
fn answer(mut socket: &TcpStream, reply: &Reply, seen: &Mutex<Seen>, together: &Barrier) -> Option<()> {
    let request = read_request(socket)?;
    seen.lock().unwrap().requests.push(request);
    together.wait();
    if reply.end == End::NoHead {
        return None;
    }
    let closing = if reply.end == End::CleanThenClosed { "connection: close\r\n" } else { "" };
    let Reply { status, headers, .. } = reply;
    let head = format!("HTTP/1.1 {status} Canned\r\ntransfer-encoding: chunked\r\n{closing}{headers}\r\n");
    socket.write_all(head.as_bytes()).ok()?;
    for chunk in &reply.chunks {
        let framed = [format!("{:x}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat();
        socket.write_all(&framed).ok()?;
    }
    if reply.end == End::Cut {
        return None;
    }
    socket.write_all(b"0\r\n\r\n").ok()?;
    (reply.end == End::Clean).then_some(())
}

fn read_request(socket: &TcpStream) -> Option<String> {
    // A client sends no request before it has the response to the last one, so nothing is lost with the buffer.
    let mut reader = BufReader::new(socket);
    let mut request = String::new();
    while !request.ends_with("\r\n\r\n") {
        if reader.read_line(&mut request).ok()? == 0 {
            return None;
        }
    }
    request.make_ascii_lowercase();
    let length = request.lines().find_map(|line| line.strip_prefix("content-length: "))?.parse().ok()?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    request.push_str(&String::from_utf8(body).ok()?);
    Some(request)
}
