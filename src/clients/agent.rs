//! The one agent loop: sends an agent's requests one after the other and stamps what comes.

use std::marker::PhantomData;
use std::sync::Arc;

use bytes::Bytes;
use mock_ollama::clock::Clock;
use serde_json::Value;
use tokio::sync::Semaphore;

use super::{Body, Client, ClientError, Reading, Request, Strict};
use crate::chunking::{ChunkPolicy, Splitter};
use crate::ndjson::{Final, StreamError, error_text};
use crate::transcript::{AgentLog, ExchangeLog, Outcome, Piece};
use crate::workload::{AgentPlan, RequestPlan};

/// The longest response body that an agent reads, in bytes; every byte is kept.
pub const MAX_BODY_BYTES: u64 = 256 * 1024 * 1024;

/// The longest body of an error response that an agent reads, in bytes.
pub const MAX_ERROR_BODY_BYTES: u64 = 64 * 1024;

/// Room for the body, pieces and lines of an exchange, so that the logs of usual ones hardly grow while it is measured,
/// and those of thousands of agents still fit into memory.
const ROOM_FOR_BYTES: usize = 16 * 1024;
const ROOM_FOR_PIECES: usize = 256;

/// One sequential caller.
#[derive(Debug)]
pub struct Agent<C, R = Strict> {
    plan: AgentPlan,
    client: C,
    policy: ChunkPolicy,
    reading: PhantomData<fn() -> R>,
}

impl<C: Client, R: Reading> Agent<C, R> {
    /// An agent with a client of its own.
    pub fn new(plan: AgentPlan, client: C, policy: ChunkPolicy) -> Self {
        Self { plan, client, policy, reading: PhantomData }
    }

    /// Waits for the limiter, then sends every request and reads every response to its end.
    ///
    /// A failed exchange is logged as such, and the next one follows: each request was resolved beforehand.
    /// Which threads and which task it ran in is not known here.
    pub async fn run(mut self, limiter: Option<Arc<Semaphore>>, clock: Arc<dyn Clock>) -> AgentLog {
        let started = clock.now();
        let permit = match &limiter {
            // Nobody closes the limiter, so there is always a permit in the end.
            Some(limiter) => limiter.acquire().await.ok(),
            None => None,
        };
        let requests = std::mem::take(&mut self.plan.requests);
        let mut exchanges = Vec::with_capacity(requests.len());
        for request in &requests {
            exchanges.push(self.exchange(request, &*clock).await);
        }
        drop(permit);
        AgentLog {
            agent: self.plan.name,
            started,
            ended: clock.now(),
            exchanges,
            polled_on: [].into(),
            woken_by: [].into(),
            task: 0,
        }
    }

    async fn exchange(&mut self, plan: &RequestPlan, clock: &dyn Clock) -> ExchangeLog {
        let request = Request { agent: &self.plan.name, path: &plan.path, body: &plan.body };
        let mut log = ExchangeLog {
            recording: plan.recording.clone(),
            exchange: plan.exchange,
            sent: clock.now(),
            head: None,
            status: 0,
            pieces: Vec::with_capacity(ROOM_FOR_PIECES),
            lines: Vec::with_capacity(ROOM_FOR_PIECES),
            body: Vec::with_capacity(ROOM_FOR_BYTES),
            ended: clock.now(),
            outcome: Outcome::Done { eval_count: None, done_reason: None },
        };
        log.outcome = match self.client.send(request).await {
            Ok(response) => {
                log.head = Some(clock.now());
                log.status = response.status;
                let splitter = Splitter::new(self.policy);
                if (200..300).contains(&response.status) {
                    read_stream::<R>(response.body, splitter, clock, &mut log).await
                } else {
                    read_error(response.body, splitter, clock, &mut log).await
                }
            }
            Err(error) => failed(&error),
        };
        log.ended = clock.now();
        log
    }
}

/// Why a body was not read to its end.
enum Broken {
    Client(ClientError),
    TooLong,
}

/// Reads a body to its end, hands every piece on as the policy says, and stamps it first.
async fn read_body(
    mut body: impl Body,
    mut splitter: Splitter,
    limit: u64,
    clock: &dyn Clock,
    log: &mut ExchangeLog,
    mut hand_on: impl FnMut(&[u8], &mut ExchangeLog),
) -> Result<(), Broken> {
    let mut taken = 0;
    let mut stamp_and_hand_on = |piece: Bytes, log: &mut ExchangeLog| {
        log.pieces.push(Piece { at: clock.now(), bytes: piece.len() as u64 });
        hand_on(&piece, log);
    };
    let end = loop {
        match body.next().await {
            None => break Ok(()),
            Some(Err(error)) => break Err(Broken::Client(error)),
            Some(Ok(bytes)) => {
                taken += bytes.len() as u64;
                if taken > limit {
                    break Err(Broken::TooLong);
                }
                splitter.push(bytes).for_each(|piece| stamp_and_hand_on(piece, log));
            }
        }
    };
    if let Some(last) = splitter.finish() {
        stamp_and_hand_on(last, log);
    }
    end
}

async fn read_stream<R: Reading>(
    body: impl Body,
    splitter: Splitter,
    clock: &dyn Clock,
    log: &mut ExchangeLog,
) -> Outcome {
    let mut reading = R::default();
    let read = read_body(body, splitter, MAX_BODY_BYTES, clock, log, |piece, log| {
        let at = log.pieces.last().map_or(log.sent, |piece| piece.at);
        reading.piece(piece, at, log);
    });
    match read.await {
        Ok(()) => match reading.finish(clock.now(), log) {
            Ok(Final { eval_count, done_reason }) => Outcome::Done { eval_count, done_reason },
            Err(error) => failed_stream(&error),
        },
        Err(Broken::Client(error)) => failed(&error),
        Err(Broken::TooLong) => failed_stream(&StreamError::BodyTooLong { limit: MAX_BODY_BYTES }),
    }
}

/// Reads the body of an error response. What can still go wrong with it does not matter beside the status.
async fn read_error(body: impl Body, splitter: Splitter, clock: &dyn Clock, log: &mut ExchangeLog) -> Outcome {
    let keep = |piece: &[u8], log: &mut ExchangeLog| log.body.extend_from_slice(piece);
    let _ = read_body(body, splitter, MAX_ERROR_BODY_BYTES, clock, log, keep).await;
    failed(&ClientError::Status { status: log.status, message: message_of(&log.body) })
}

/// The text of an error body: its `error` field, else all of it.
fn message_of(body: &[u8]) -> String {
    let object = serde_json::from_slice::<Value>(body).ok();
    let error = object.and_then(|mut object| object.get_mut("error").map(Value::take));
    error.and_then(error_text).unwrap_or_else(|| String::from_utf8_lossy(body).trim().to_owned())
}

fn failed(error: &ClientError) -> Outcome {
    Outcome::Failed { kind: error.kind().to_owned(), message: error.to_string() }
}

fn failed_stream(error: &StreamError) -> Outcome {
    Outcome::Failed { kind: error.kind().to_owned(), message: error.to_string() }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::io;
    use std::pin::pin;
    use std::sync::Mutex;
    use std::task::{Context, Poll, Waker};

    use mock_ollama::clock::Instant;

    use super::*;
    use crate::clients::Response;

    /// A client without a network: every response is this one.
    #[derive(Clone)]
    struct Scripted {
        status: u16,
        reads: Vec<Bytes>,
        breaks: bool,
    }

    struct ScriptedBody(VecDeque<Result<Bytes, ClientError>>);

    impl Client for Scripted {
        type Body = ScriptedBody;

        async fn send(&mut self, _request: Request<'_>) -> Result<Response<ScriptedBody>, ClientError> {
            let reads = self.reads.iter().cloned().map(Ok);
            let broken =
                self.breaks.then(|| Err(ClientError::in_body(io::Error::from(io::ErrorKind::ConnectionReset))));
            Ok(Response { status: self.status, body: ScriptedBody(reads.chain(broken).collect()) })
        }

        fn describe(&self) -> String {
            "scripted".to_owned()
        }
    }

    impl Body for ScriptedBody {
        async fn next(&mut self) -> Option<Result<Bytes, ClientError>> {
            self.0.pop_front()
        }
    }

    /// A clock whose every answer is one nanosecond after the last.
    #[derive(Default)]
    struct Ticks(Mutex<u64>);

    impl Clock for Ticks {
        fn now(&self) -> Instant {
            let mut ticks = self.0.lock().unwrap();
            *ticks += 1;
            Instant::from_nanos(*ticks)
        }
    }

    /// Runs what never waits.
    fn now<T>(future: impl Future<Output = T>) -> T {
        match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(output) => output,
            Poll::Pending => panic!("it waits"),
        }
    }

    fn exchange(client: Scripted, policy: &str) -> ExchangeLog {
        let request = RequestPlan {
            recording: "scripted".to_owned(),
            exchange: 0,
            path: "/api/generate".to_owned(),
            body: "{}".to_owned(),
        };
        let plan = AgentPlan::new("agent", vec![request]);
        let agent: Agent<_, Strict> = Agent::new(plan, client, policy.parse().unwrap());
        now(agent.run(None, Arc::new(Ticks::default()))).exchanges.remove(0)
    }

    fn reads(reads: &[&'static str]) -> Vec<Bytes> {
        reads.iter().map(|read| Bytes::from_static(read.as_bytes())).collect()
    }

    fn kind(log: &ExchangeLog) -> &str {
        match &log.outcome {
            Outcome::Done { .. } => "done",
            Outcome::Failed { kind, .. } => kind,
        }
    }

    #[test]
    fn every_piece_is_stamped_once_and_its_lines_with_it() {
        let reads = reads(&["{\"response\":\"a\"}\n{\"response\":\"b\"}\n", "{\"done\":true}\n"]);
        let log = exchange(Scripted { status: 200, reads, breaks: false }, "as received");
        // The agent's start, `sent`, the provisional end and the head come before.
        let pieces: Vec<u64> = log.pieces.iter().map(|piece| piece.at.as_nanos()).collect();
        let lines: Vec<u64> = log.lines.iter().map(|line| line.at.as_nanos()).collect();
        assert_eq!((pieces, lines), (vec![5, 6], vec![5, 5, 6]));
    }

    #[test]
    fn a_last_line_without_a_newline_is_a_line_at_the_end_of_the_body() {
        let reads = reads(&["{\"response\":\"a\"}\n", "{\"done\":true}"]);
        let log = exchange(Scripted { status: 200, reads, breaks: false }, "as received");
        assert_eq!((kind(&log), log.lines.len()), ("done", 2));
        assert!(log.lines[1].at > log.pieces[1].at);
    }

    #[test]
    fn what_a_policy_holds_back_is_handed_on_when_the_connection_breaks() {
        let reads = reads(&["{\"response\":\"a\"}\n"]);
        let log = exchange(Scripted { status: 200, reads, breaks: true }, "at least 1024");
        assert_eq!((kind(&log), log.body.len(), log.lines.len()), ("body-reset", 17, 1));
    }

    #[test]
    fn an_error_status_stands_above_whatever_happens_to_its_body() {
        let reads = reads(&["{\"error\":\"busy\"}"]);
        let log = exchange(Scripted { status: 503, reads, breaks: true }, "as received");
        let expected = Outcome::Failed { kind: "status".into(), message: "the server answered 503: busy".into() };
        assert_eq!((log.outcome, log.lines), (expected, vec![]));
    }

    #[test]
    fn no_more_of_an_error_body_is_read_than_the_limit() {
        let reads = vec![Bytes::from(vec![b'x'; 40 * 1024]); 3];
        let log = exchange(Scripted { status: 500, reads, breaks: false }, "as received");
        assert_eq!((kind(&log), log.body.len()), ("status", 40 * 1024));
    }

    #[test]
    fn a_body_may_be_as_long_as_the_limit_and_no_longer() {
        let clock = Ticks::default();
        for (limit, fits) in [(8, true), (7, false)] {
            let mut log = exchange(Scripted { status: 200, reads: vec![], breaks: false }, "as received");
            let body = ScriptedBody([Ok(Bytes::from_static(b"1234")), Ok(Bytes::from_static(b"5678"))].into());
            let read = read_body(body, Splitter::new(ChunkPolicy::AsReceived), limit, &clock, &mut log, |_, _| {});
            assert_eq!(now(read).is_ok(), fits);
        }
    }
}
