//! The one agent loop: sends an agent's requests one after the other and stamps what comes.

use std::marker::PhantomData;
use std::num::NonZeroU32;
use std::ops::ControlFlow;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::future::{Either, select};
use mock_ollama::journal::StreamId;
use serde_json::Value;
use tokio::sync::Semaphore;

use super::{AgentClock, AgentEvent, AgentRequest, Client, ClientError, Reading, ResponseBody, Strict};
use crate::chunking::{ChunkPolicy, Splitter};
use crate::ndjson::{Final, StreamError, error_text};
use crate::transcript::{AgentLog, ExchangeLog, ExchangeOutcome, PieceArrival};
use crate::workload::{AgentPlan, RequestPlan};

/// The longest response body that an agent reads, in bytes; every byte is kept.
pub const MAX_BODY_BYTES: u64 = 256 * 1024 * 1024;

/// The longest body of an error response that an agent reads, in bytes.
pub const MAX_ERROR_BODY_BYTES: u64 = 64 * 1024;

/// Room for the body, pieces and lines of an exchange. The logs of usual ones hardly grow while a run is measured, and
/// those of thousands of agents still fit into memory.
const ROOM_FOR_BYTES: usize = 16 * 1024;
const ROOM_FOR_PIECES: usize = 256;

/// This many agents at once have all that room; more share as much among them.
const AGENTS_WITH_ROOM: usize = 10_000;

/// One sequential caller.
#[derive(Debug)]
pub struct Agent<C, R = Strict> {
    plan: AgentPlan,
    client: C,
    policy: ChunkPolicy,
    /// With how many agents it shares the room for logs.
    among: usize,
    reading: PhantomData<fn() -> R>,
}

impl<C: Client, R: Reading> Agent<C, R> {
    /// Makes an agent that has a client to itself.
    pub fn new(plan: AgentPlan, client: C, policy: ChunkPolicy) -> Self {
        Self { plan, client, policy, among: 1, reading: PhantomData }
    }

    /// Makes it one of `agents` that keep logs at the same time.
    #[must_use]
    pub fn among(self, agents: usize) -> Self {
        Self { among: agents, ..self }
    }

    /// Returns its share of room, where `for_one` would do for one agent.
    fn room(&self, for_one: usize) -> usize {
        for_one * AGENTS_WITH_ROOM / self.among.max(AGENTS_WITH_ROOM)
    }

    /// Waits for the limiter, then sends every request and reads every response, with the behavior of its plan.
    ///
    /// A failed exchange is logged as such, and the next one follows: each request was resolved beforehand.
    /// Which threads and which task it ran in is not known here.
    pub async fn run<L: AgentClock>(mut self, limiter: Option<Arc<Semaphore>>, clock: L) -> AgentLog {
        let started = clock.now();
        let mut stream = StreamId::of(&self.plan.name, 0);
        clock.note(&stream, AgentEvent::Started);
        let permit = match &limiter {
            // Nobody closes the limiter, so there is always a permit in the end.
            Some(limiter) => limiter.acquire().await.ok(),
            None => None,
        };
        let requests = std::mem::take(&mut self.plan.requests);
        let mut exchanges = Vec::with_capacity(requests.len());
        for (order, request) in requests.iter().enumerate() {
            self.ask(order, request, &clock, &mut stream, &mut exchanges).await;
        }
        clock.note(&stream, AgentEvent::Left);
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

    /// Sends one request, and again where it failed and the agent retries.
    async fn ask<L: AgentClock>(
        &mut self,
        order: usize,
        plan: &RequestPlan,
        clock: &L,
        stream: &mut StreamId,
        exchanges: &mut Vec<ExchangeLog>,
    ) {
        let behavior = self.plan.behavior;
        let mut pause = behavior.think;
        for _ in 0..=behavior.retries {
            // In virtual time requests that are due at one instant are sent one by one.
            clock.sleep_until(clock.now().saturating_add(pause), stream).await;
            let log = self.exchange(order, plan, clock, stream).await;
            let again = log.outcome.is_worth_another_try();
            exchanges.push(log);
            stream.exchange += 1;
            if !again {
                return;
            }
            pause = behavior.retry_pause;
        }
    }

    async fn exchange<L: AgentClock>(
        &mut self,
        order: usize,
        plan: &RequestPlan,
        clock: &L,
        stream: &StreamId,
    ) -> ExchangeLog {
        let begun = ExchangeLog::begin(order, plan, clock.now());
        let mut log = ExchangeLog {
            ended: clock.now(),
            pieces: Vec::with_capacity(self.room(ROOM_FOR_PIECES)),
            lines: Vec::with_capacity(self.room(ROOM_FOR_PIECES)),
            body: Vec::with_capacity(self.room(ROOM_FOR_BYTES)),
            ..begun
        };
        clock.note(stream, AgentEvent::Sent);
        let behavior = self.plan.behavior;
        let outcome = {
            let watched = Watched { clock, stream, cancel_after: behavior.cancel_after };
            let deadline = behavior.timeout.map(|limit| (limit, log.sent.saturating_add(limit)));
            let attempt = pin!(self.attempt(plan, watched, &mut log));
            match deadline {
                None => attempt.await,
                // What comes at the very instant of the timeout has come in time.
                Some((limit, at)) => match select(attempt, pin!(clock.sleep_until(at, stream))).await {
                    Either::Left((outcome, _)) => outcome,
                    Either::Right(_) => timed_out(limit),
                },
            }
        };
        log.outcome = outcome;
        log.ended = clock.now();
        clock.note(stream, AgentEvent::Ended { how: log.outcome.kind().to_owned().into() });
        log
    }

    /// Sends a request and reads the response.
    async fn attempt<L: AgentClock>(
        &mut self,
        plan: &RequestPlan,
        watched: Watched<'_, L>,
        log: &mut ExchangeLog,
    ) -> ExchangeOutcome {
        let request = AgentRequest { agent: &self.plan.name, path: &plan.path, body: &plan.body };
        match self.client.send(request).await {
            Ok(response) => {
                log.head = Some(watched.clock.now());
                log.status = response.status;
                watched.clock.note(watched.stream, AgentEvent::Head { status: response.status });
                let splitter = Splitter::new(self.policy);
                if (200..300).contains(&response.status) {
                    read_stream::<R, L>(response.body, splitter, &watched, log).await
                } else {
                    read_error(response.body, splitter, &watched, log).await
                }
            }
            Err(error) => failed(&error),
        }
    }
}

/// What is watched of an exchange.
struct Watched<'a, L> {
    clock: &'a L,
    stream: &'a StreamId,
    cancel_after: Option<NonZeroU32>,
}

/// Why a body was not read to its end.
enum Broken {
    Client(ClientError),
    TooLong,
    /// The agent hung up.
    Enough,
}

/// Reads a body to its end, stamps every piece and hands it on as the policy says. Stops when `hand_on` breaks.
async fn read_body<L: AgentClock>(
    mut body: impl ResponseBody,
    mut splitter: Splitter,
    limit: u64,
    clock: &L,
    log: &mut ExchangeLog,
    mut hand_on: impl FnMut(&[u8], &mut ExchangeLog) -> ControlFlow<()>,
) -> Result<(), Broken> {
    let mut taken = 0;
    let mut stamp_and_hand_on = |piece: Bytes, log: &mut ExchangeLog| {
        log.pieces.push(PieceArrival { at: clock.now(), bytes: piece.len() as u64 });
        hand_on(&piece, log)
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
                if splitter.push(bytes).try_for_each(|piece| stamp_and_hand_on(piece, log)).is_break() {
                    return Err(Broken::Enough);
                }
            }
        }
    };
    match splitter.finish().map(|last| stamp_and_hand_on(last, log)) {
        Some(ControlFlow::Break(())) => Err(Broken::Enough),
        Some(ControlFlow::Continue(())) | None => end,
    }
}

async fn read_stream<R: Reading, L: AgentClock>(
    body: impl ResponseBody,
    splitter: Splitter,
    Watched { clock, stream, cancel_after }: &Watched<'_, L>,
    log: &mut ExchangeLog,
) -> ExchangeOutcome {
    let mut reading = R::default();
    let mut seen = 0;
    let mut tokens = 0;
    let mut look = |log: &ExchangeLog| {
        for line in &log.lines[seen..] {
            clock.note(stream, AgentEvent::Line { body_end: line.body_end, token: line.token });
            tokens += u32::from(line.token);
        }
        seen = log.lines.len();
        if cancel_after.is_some_and(|enough| tokens >= enough.get()) { ControlFlow::Break(()) } else { CONTINUE }
    };
    let read = read_body(body, splitter, MAX_BODY_BYTES, *clock, log, |piece, log| {
        let at = log.pieces.last().map_or(log.sent, |piece| piece.at);
        reading.piece(piece, at, log);
        look(log)
    });
    match read.await {
        Ok(()) => {
            let end = reading.finish(clock.now(), log);
            let _ = look(log);
            match end {
                Ok(Final { eval_count, done_reason }) => ExchangeOutcome::Done { eval_count, done_reason },
                Err(error) => failed_stream(&error),
            }
        }
        Err(Broken::Client(error)) => failed(&error),
        Err(Broken::TooLong) => failed_stream(&StreamError::BodyTooLong { limit: MAX_BODY_BYTES }),
        Err(Broken::Enough) => hung_up(*cancel_after),
    }
}

/// Reads the body of an error response. What can still go wrong with it does not matter beside the status.
async fn read_error<L: AgentClock>(
    body: impl ResponseBody,
    splitter: Splitter,
    watched: &Watched<'_, L>,
    log: &mut ExchangeLog,
) -> ExchangeOutcome {
    let keep = |piece: &[u8], log: &mut ExchangeLog| {
        log.body.extend_from_slice(piece);
        CONTINUE
    };
    let _ = read_body(body, splitter, MAX_ERROR_BODY_BYTES, watched.clock, log, keep).await;
    failed(&ClientError::Status { status: log.status, message: message_of(&log.body) })
}

const CONTINUE: ControlFlow<()> = ControlFlow::Continue(());

fn timed_out(limit: Duration) -> ExchangeOutcome {
    let message = format!("there was no end after {} ms", limit.as_millis());
    ExchangeOutcome::Failed { kind: ExchangeOutcome::TIMED_OUT.to_owned(), message }
}

fn hung_up(enough: Option<NonZeroU32>) -> ExchangeOutcome {
    let message = format!("the agent hung up after {} tokens", enough.map_or(0, NonZeroU32::get));
    ExchangeOutcome::Failed { kind: ExchangeOutcome::HUNG_UP.to_owned(), message }
}

/// The text of an error body: its `error` field, else all of it.
fn message_of(body: &[u8]) -> String {
    let object = serde_json::from_slice::<Value>(body).ok();
    let error = object.and_then(|mut object| object.get_mut("error").map(Value::take));
    error.and_then(error_text).unwrap_or_else(|| String::from_utf8_lossy(body).trim().to_owned())
}

fn failed(error: &ClientError) -> ExchangeOutcome {
    ExchangeOutcome::Failed { kind: error.kind().to_owned(), message: error.to_string() }
}

fn failed_stream(error: &StreamError) -> ExchangeOutcome {
    ExchangeOutcome::Failed { kind: error.kind().to_owned(), message: error.to_string() }
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
    use crate::clients::ClientResponse;

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

        async fn send(&mut self, _request: AgentRequest<'_>) -> Result<ClientResponse<ScriptedBody>, ClientError> {
            let reads = self.reads.iter().cloned().map(Ok);
            let broken =
                self.breaks.then(|| Err(ClientError::in_body(io::Error::from(io::ErrorKind::ConnectionReset))));
            Ok(ClientResponse { status: self.status, body: ScriptedBody(reads.chain(broken).collect()) })
        }

        fn describe(&self) -> String {
            "scripted".to_owned()
        }
    }

    impl ResponseBody for ScriptedBody {
        async fn next(&mut self) -> Option<Result<Bytes, ClientError>> {
            self.0.pop_front()
        }
    }

    /// A clock whose every answer is one nanosecond after the last, and on which nobody sleeps.
    #[derive(Clone, Default)]
    struct Ticks(Arc<Mutex<u64>>);

    impl AgentClock for Ticks {
        fn now(&self) -> Instant {
            let mut ticks = self.0.lock().unwrap();
            *ticks += 1;
            Instant::from_nanos(*ticks)
        }

        async fn sleep_until(&self, _at: Instant, _stream: &StreamId) {}
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
        now(agent.run(None, Ticks::default())).exchanges.remove(0)
    }

    fn reads(reads: &[&'static str]) -> Vec<Bytes> {
        reads.iter().map(|read| Bytes::from_static(read.as_bytes())).collect()
    }

    fn kind(log: &ExchangeLog) -> &str {
        match &log.outcome {
            ExchangeOutcome::Done { .. } => "done",
            ExchangeOutcome::Failed { kind, .. } => kind,
        }
    }

    #[test]
    fn every_piece_is_stamped_once_and_its_lines_with_it() {
        let reads = reads(&["{\"response\":\"a\"}\n{\"response\":\"b\"}\n", "{\"done\":true}\n"]);
        let log = exchange(Scripted { status: 200, reads, breaks: false }, "as received");
        // The agent's start, the end of its pause, `sent`, the provisional end and the head come before.
        let pieces: Vec<u64> = log.pieces.iter().map(|piece| piece.at.as_nanos()).collect();
        let lines: Vec<u64> = log.lines.iter().map(|line| line.at.as_nanos()).collect();
        assert_eq!((pieces, lines), (vec![6, 7], vec![6, 6, 7]));
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
        let expected =
            ExchangeOutcome::Failed { kind: "status".into(), message: "the server answered 503: busy".into() };
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
            let read =
                read_body(body, Splitter::new(ChunkPolicy::AsReceived), limit, &clock, &mut log, |_, _| CONTINUE);
            assert_eq!(now(read).is_ok(), fits);
        }
    }
}
