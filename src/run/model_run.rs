//! Runs of the model, reported as those of agents and a server are.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use mock_ollama::clock::Instant;
use mock_ollama::journal::{
    Answer, Caller, ChunkSent, ConnId, Entry, Fate, Journal, RequestSeen, Secrets, SentBody, ServerId, StreamId,
};
use mock_ollama::recording::Exchange;

use super::{ClockKind, Plan, RunError};
use crate::clients::AgentEvent;
use crate::measure::concurrency::max_overlap;
use crate::ndjson::{Final, NdjsonStream};
use crate::sim::{LoggedEvent, model};
use crate::transcript::{AgentLog, ExchangeLog, ExchangeOutcome, Introspection, LineArrival, PieceArrival, Transcript};
use crate::workload::{AgentPlan, Workload};

/// One run of the plan under this limit.
pub(super) fn run(plan: &Plan, limit: Option<NonZeroUsize>) -> Result<(Transcript, Journal), RunError> {
    let workload = Workload { limit, ..plan.workload.clone() };
    let log = model::log(&workload, plan.pace, plan.seed)?;
    let mut by_agent: BTreeMap<&Caller, Vec<&LoggedEvent>> = BTreeMap::new();
    for event in log.events() {
        by_agent.entry(&event.stream.caller).or_default().push(event);
    }
    let told = |(number, plan): (usize, &AgentPlan)| {
        let events = by_agent.remove(&StreamId::of(&plan.name, 0).caller).unwrap_or_default();
        agent(&workload, plan, number, &events)
    };
    let agents: Vec<AgentLog> = workload.agents.iter().enumerate().map(told).collect();
    let journal = journal(&agents);
    let ended = agents.iter().map(|agent| agent.ended).max().unwrap_or_default();
    let client = ClockKind::Model.describe().to_owned();
    let introspection = Introspection { client, ..Introspection::default() };
    Ok((Transcript { started: Instant::ZERO, ended, agents, introspection }, journal))
}

fn agent(workload: &Workload, plan: &AgentPlan, number: usize, events: &[&LoggedEvent]) -> AgentLog {
    let mut exchanges: Vec<ExchangeLog> = Vec::new();
    let (mut order, mut tries) = (0, 0);
    for event in events {
        match (&event.event, exchanges.last_mut()) {
            (AgentEvent::Sent, _) => {
                if let Some(request) = plan.requests.get(order) {
                    exchanges.push(ExchangeLog::begin(order, request, event.at));
                }
            }
            (AgentEvent::Head { status }, Some(log)) => (log.head, log.status) = (Some(event.at), *status),
            (AgentEvent::Line { body_end, token }, Some(log)) => {
                let before = log.lines.last().map_or(0, |line| line.body_end);
                log.pieces.push(PieceArrival { at: event.at, bytes: body_end - before });
                log.lines.push(LineArrival { at: event.at, body_end: *body_end, token: *token });
            }
            (AgentEvent::Ended { how }, Some(log)) => {
                end(workload, log, how, event.at);
                tries += 1;
                if tries > plan.behavior.retries || !log.outcome.is_worth_another_try() {
                    (order, tries) = (order + 1, 0);
                }
            }
            (AgentEvent::Started | AgentEvent::Left, _) | (_, None) => {}
        }
    }
    AgentLog {
        agent: plan.name.clone(),
        started: events.first().map_or(Instant::ZERO, |event| event.at),
        ended: events.last().map_or(Instant::ZERO, |event| event.at),
        exchanges,
        polled_on: [].into(),
        woken_by: [].into(),
        task: u32::try_from(number).unwrap_or(u32::MAX),
    }
}

fn end(workload: &Workload, log: &mut ExchangeLog, how: &str, at: Instant) {
    log.ended = at;
    let recording = workload.recordings.iter().find(|recording| recording.name == log.recording);
    log.body = recording.and_then(|found| found.exchanges.get(log.exchange)).map_or_else(Vec::new, Exchange::body);
    if [ExchangeOutcome::HUNG_UP, ExchangeOutcome::TIMED_OUT].contains(&how) {
        let seen = log.lines.last().map_or(0, |line| line.body_end);
        log.body.truncate(usize::try_from(seen).unwrap_or(usize::MAX));
    }
    log.outcome = match how {
        "done" => {
            let Final { eval_count, done_reason } = last_object(&log.body);
            ExchangeOutcome::Done { eval_count, done_reason }
        }
        kind => ExchangeOutcome::Failed { kind: kind.to_owned(), message: "as the model says".to_owned() },
    };
}

/// What the final object of a whole stream says.
fn last_object(body: &[u8]) -> Final {
    let mut stream = NdjsonStream::default();
    let pushed = stream.push(body, |_| {});
    pushed.and_then(|()| stream.finish(|_| {})).unwrap_or(Final { eval_count: None, done_reason: None })
}

fn journal(agents: &[AgentLog]) -> Journal {
    let spans = agents.iter().flat_map(|agent| &agent.exchanges).map(|log| (log.sent, log.ended));
    let logs = agents.iter().zip(1..).flat_map(|(agent, conn)| {
        agent.exchanges.iter().zip(0..).map(move |(log, exchange)| entry(agent, ConnId(conn), exchange, log))
    });
    let mut entries: Vec<Entry> = logs.collect();
    entries.sort_by_key(|entry| entry.received);
    Journal { entries, max_in_flight: max_overlap(spans), ..Journal::default() }
}

fn entry(agent: &AgentLog, conn: ConnId, exchange: u32, log: &ExchangeLog) -> Entry {
    let sent = |line: &LineArrival| ChunkSent { due: line.at, written: Some(line.at), body_end: line.body_end };
    let chunks: Vec<ChunkSent> = log.lines.iter().map(sent).collect();
    let broken_off = [ExchangeOutcome::HUNG_UP, ExchangeOutcome::TIMED_OUT].contains(&log.outcome.kind());
    Entry {
        stream: StreamId::of(&agent.agent, exchange),
        conn,
        server: ServerId::default(),
        received: log.sent,
        request: RequestSeen {
            method: "POST".to_owned(),
            target: String::new(),
            headers: Vec::new(),
            body: String::new(),
        },
        answer: Answer::Matched { recording: log.recording.clone(), exchange: log.exchange },
        status: log.status,
        fate: if broken_off { Fate::Aborted { after_chunk: chunks.len() } } else { Fate::Complete },
        chunks,
        sent: SentBody::default(),
        secrets: Secrets::default(),
    }
}
