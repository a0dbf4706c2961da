//! Made-up transcripts and journals for tests; no number in here was measured.

use std::collections::BTreeSet;
use std::time::Duration;

use mock_ollama::clock::Instant;
use mock_ollama::journal::{
    Answer, ChunkSent, ConnId, Entry, Fate, Journal, RequestSeen, Secrets, SentBody, ServerId, StreamId,
};

use crate::transcript::{AgentLog, ExchangeLog, ExchangeOutcome, Introspection, LineArrival, PieceArrival, Transcript};

/// Every line of these bodies has this many bytes.
pub(crate) const LINE_BYTES: u64 = 10;

/// The instant `millis` milliseconds after the clock's origin.
pub(crate) fn at_ms(millis: u64) -> Instant {
    Instant::ZERO.saturating_add(Duration::from_millis(millis))
}

/// An exchange sent at `sent` ms; each line comes in a piece of its own, at (ms, whether it has a token).
pub(crate) fn exchange(sent: u64, lines: &[(u64, bool)]) -> ExchangeLog {
    let ended = lines.last().map_or(sent, |line| line.0);
    let seen = (1..).zip(lines).map(|(number, &(at, token))| LineArrival {
        at: at_ms(at),
        body_end: number * LINE_BYTES,
        token,
    });
    ExchangeLog {
        request: 0,
        recording: "made-up".into(),
        exchange: 0,
        sent: at_ms(sent),
        head: lines.first().map(|line| at_ms(line.0)),
        status: 200,
        pieces: lines.iter().map(|line| PieceArrival { at: at_ms(line.0), bytes: LINE_BYTES }).collect(),
        lines: seen.collect(),
        body: b"123456789\n".repeat(lines.len()),
        ended: at_ms(ended),
        outcome: ExchangeOutcome::Done { eval_count: None, done_reason: Some("stop".into()) },
    }
}

/// An exchange that failed before a byte came.
pub(crate) fn failed(sent: u64, ended: u64) -> ExchangeLog {
    let outcome = ExchangeOutcome::Failed { kind: "refused".into(), message: "connection refused".into() };
    ExchangeLog { status: 0, ended: at_ms(ended), outcome, ..exchange(sent, &[]) }
}

/// An agent that was first polled at `started` ms and ended with its last exchange.
pub(crate) fn agent(name: &str, started: u64, exchanges: Vec<ExchangeLog>) -> AgentLog {
    AgentLog {
        agent: name.into(),
        started: at_ms(started),
        ended: exchanges.last().map_or(at_ms(started), |log| log.ended),
        exchanges,
        polled_on: BTreeSet::from(["worker-0".to_owned()]),
        woken_by: BTreeSet::from(["reactor".to_owned()]),
        task: 0,
    }
}

/// A run from 0 ms to the end of the last agent.
pub(crate) fn transcript(agents: Vec<AgentLog>) -> Transcript {
    let ended = agents.iter().map(|log| log.ended).max().unwrap_or(Instant::ZERO);
    let introspection = Introspection {
        executor: "made-up executor, 1 worker".into(),
        threads: vec!["main".into(), "reactor".into(), "worker-0".into()],
        client: "as received".into(),
    };
    Transcript { started: Instant::ZERO, ended, agents, introspection }
}

/// A journal entry of `agent`'s `exchange`-th stream: chunks of one line each, as (due ms, written ms).
pub(crate) fn entry(agent: &str, exchange: u32, received: u64, chunks: &[(u64, u64)]) -> Entry {
    let sent = (1..).zip(chunks).map(|(number, &(due, written))| ChunkSent {
        due: at_ms(due),
        written: Some(at_ms(written)),
        body_end: number * LINE_BYTES,
    });
    Entry {
        stream: StreamId::of(agent, exchange),
        conn: ConnId(0),
        server: ServerId::default(),
        received: at_ms(received),
        request: RequestSeen {
            method: "POST".into(),
            target: "/api/generate".into(),
            headers: vec![],
            body: "{}".into(),
        },
        answer: Answer::Matched { recording: "made-up".into(), exchange: 0 },
        status: 200,
        chunks: sent.collect(),
        fate: Fate::Complete,
        sent: SentBody::default(),
        secrets: Secrets::default(),
    }
}

/// A finished server's journal.
pub(crate) fn journal(max_in_flight: usize, entries: Vec<Entry>) -> Journal {
    Journal { entries, max_in_flight, ..Journal::default() }
}
