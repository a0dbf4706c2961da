//! The facts of some runs, and where a run differs from them.
//!
//! Facts name no variant, so they must come from all of them. Of each exchange, the reference is what was delivered
//! most often among the runs that delivered the recording's own bytes; when none did, among all runs; of equals the
//! one that was run first. Whatever differs from the reference is a [`Disagreement`].

use std::collections::BTreeMap;

use mock_ollama::journal::{Answer, Entry, StreamId};
use mock_ollama::recording::Recording;
use sha2::{Digest, Sha256};

use super::inputs::Run;
use super::model::{AgentFacts, Difference, Disagreement, ExchangeFacts, Facts, Kind, OutcomeFacts};
use crate::transcript::{ExchangeLog, ExchangeOutcome};
use crate::workload::{RequestPlan, Workload};

/// The facts of `runs`, and every place where one differs from them, in the order of the workload and of the runs.
pub fn facts(workload: &Workload, pace: &str, seed: Option<u64>, runs: &[Run<'_>]) -> (Facts, Vec<Disagreement>) {
    let runs: Vec<Indexed<'_>> = runs.iter().map(Indexed::new).collect();
    let mut disagreements = Vec::new();
    let agents = workload.agents.iter().map(|plan| {
        let exchanges = plan.requests.iter().enumerate().map(|(order, request)| {
            let exchange = Place { workload, agent: &plan.name, order, request };
            exchange.settle(&runs, &mut disagreements)
        });
        AgentFacts { agent: plan.name.clone(), exchanges: exchanges.collect() }
    });
    let found = Facts {
        kind: Kind::Derived,
        workload: workload.name.clone(),
        description: workload.description.clone(),
        pace: pace.to_owned(),
        seed,
        limit: workload.limit.map(Into::into),
        agents: agents.collect(),
    };
    disagreements.extend(runs.iter().flat_map(|run| run.extras(workload)));
    (found, disagreements)
}

/// A run whose agents are found by name and whose journal is found by stream.
struct Indexed<'a> {
    seen: Run<'a>,
    agents: BTreeMap<&'a str, &'a [ExchangeLog]>,
    entries: BTreeMap<&'a StreamId, &'a Entry>,
}

impl<'a> Indexed<'a> {
    fn new(seen: &Run<'a>) -> Self {
        let agents = seen.transcript.agents.iter().map(|log| (log.agent.as_str(), log.exchanges.as_slice()));
        let entries = seen.journal.entries.iter().map(|entry| (&entry.stream, entry));
        Self { seen: *seen, agents: agents.collect(), entries: entries.collect() }
    }

    /// Every exchange of the agent's n-th request, with its place among all exchanges of the agent.
    fn attempts(&self, agent: &str, order: usize) -> impl Iterator<Item = (usize, &'a ExchangeLog)> + use<'a> {
        let logs: &'a [ExchangeLog] = self.agents.get(agent).copied().unwrap_or_default();
        logs.iter().enumerate().filter(move |(_, log)| log.request == order)
    }

    /// What came of the agent's n-th request in the end.
    fn exchange(&self, agent: &str, order: usize) -> Option<&'a ExchangeLog> {
        self.attempts(agent, order).last().map(|(_, log)| log)
    }

    /// What the server answered instead of the recording that the request was taken from, in words.
    fn other_answer(&self, agent: &str, order: usize, request: &RequestPlan) -> Option<String> {
        let (place, _) = self.attempts(agent, order).last()?;
        let stream = StreamId::of(agent, u32::try_from(place).ok()?);
        match &self.entries.get(&stream)?.answer {
            Answer::Matched { recording, exchange } => {
                let planned = (recording, *exchange) == (&request.recording, request.exchange);
                (!planned).then(|| {
                    format!(
                        "taken from {}#{}, answered from {recording}#{exchange}",
                        request.recording, request.exchange
                    )
                })
            }
            Answer::Unexpected { why } => Some(format!("nobody stated the request: {why}")),
            Answer::Rule { number, .. } => Some(format!("rule {number} answered, not a recording")),
            Answer::Served => Some("the server answered by itself".to_owned()),
            Answer::Rejected => Some("the server could not read the request".to_owned()),
        }
    }

    /// Exchanges that the workload does not have.
    fn extras(&self, workload: &Workload) -> Vec<Disagreement> {
        let planned: BTreeMap<&str, usize> =
            workload.agents.iter().map(|plan| (plan.name.as_str(), plan.requests.len())).collect();
        let beyond = self.agents.iter().flat_map(|(&agent, logs)| {
            let from = planned.get(agent).copied().unwrap_or(0);
            logs.iter()
                .map(|log| log.request)
                .filter(move |request| *request >= from)
                .map(move |exchange| (agent, exchange))
        });
        beyond
            .map(|(agent, exchange)| Disagreement {
                variant: self.seen.variant.to_owned(),
                block: self.seen.block,
                agent: agent.to_owned(),
                exchange,
                what: Difference::Extra,
                first_differing_byte: None,
                detail: "the workload has no such exchange".to_owned(),
            })
            .collect()
    }
}

/// One exchange of the workload.
struct Place<'a> {
    workload: &'a Workload,
    agent: &'a str,
    order: usize,
    request: &'a RequestPlan,
}

impl Place<'_> {
    fn settle(&self, runs: &[Indexed<'_>], disagreements: &mut Vec<Disagreement>) -> ExchangeFacts {
        let views: Vec<_> = runs.iter().filter_map(|run| run.exchange(self.agent, self.order)).collect();
        let reference = self.reference(&views);
        for run in runs {
            let view = run.exchange(self.agent, self.order);
            let answer = run.other_answer(self.agent, self.order, self.request);
            // Whose bytes they are comes first: nothing else is comparable when the answer was another one.
            let found = answer.map(|detail| (Difference::Answer, None, detail));
            let Some((what, first_differing_byte, detail)) =
                found.or_else(|| difference(self.request, reference, view))
            else {
                continue;
            };
            disagreements.push(Disagreement {
                variant: run.seen.variant.to_owned(),
                block: run.seen.block,
                agent: self.agent.to_owned(),
                exchange: self.order,
                what,
                first_differing_byte,
                detail,
            });
        }
        self.exchange_facts(reference)
    }

    fn reference<'b>(&self, views: &[&'b ExchangeLog]) -> Option<&'b ExchangeLog> {
        let recorded = recorded_body(&self.workload.recordings, self.request);
        let faithful: Vec<_> = views.iter().copied().filter(|view| Some(&view.body) == recorded.as_ref()).collect();
        let pool = if faithful.is_empty() { views } else { &faithful };
        let mut kinds: Vec<(&ExchangeLog, usize)> = Vec::new();
        for &view in pool {
            match kinds.iter_mut().find(|(known, _)| same(known, view)) {
                Some((_, count)) => *count += 1,
                None => kinds.push((view, 1)),
            }
        }
        // `max_by_key` keeps the last of equals, so the first run goes last.
        kinds.into_iter().rev().max_by_key(|(_, count)| *count).map(|(view, _)| view)
    }

    fn exchange_facts(&self, reference: Option<&ExchangeLog>) -> ExchangeFacts {
        let body = reference.map_or(&[][..], |log| &log.body);
        let lines = reference.map_or(&[][..], |log| &log.lines);
        ExchangeFacts {
            order: self.order,
            recording: self.request.recording.clone(),
            exchange: self.request.exchange,
            status: reference.map_or(0, |log| log.status),
            bytes: body.len(),
            lines: lines.len(),
            tokens: lines.iter().filter(|line| line.token).count(),
            sha256: hex(&Sha256::digest(body)),
            outcome: reference.map_or(OutcomeFacts::Missing, outcome),
        }
    }
}

fn recorded_body(recordings: &[Recording], request: &RequestPlan) -> Option<Vec<u8>> {
    let recording = recordings.iter().find(|recording| recording.name == request.recording)?;
    Some(recording.exchanges.get(request.exchange)?.body())
}

fn outcome(log: &ExchangeLog) -> OutcomeFacts {
    match &log.outcome {
        ExchangeOutcome::Done { eval_count, done_reason } => {
            OutcomeFacts::Done { eval_count: *eval_count, done_reason: done_reason.clone() }
        }
        ExchangeOutcome::Failed { kind, .. } => OutcomeFacts::Failed { error: kind.clone() },
    }
}

fn shape(log: &ExchangeLog) -> impl Iterator<Item = (u64, bool)> {
    log.lines.iter().map(|line| (line.body_end, line.token))
}

fn asked(log: &ExchangeLog) -> (&str, usize) {
    (&log.recording, log.exchange)
}

fn same(a: &ExchangeLog, b: &ExchangeLog) -> bool {
    a.body == b.body
        && shape(a).eq(shape(b))
        && outcome(a) == outcome(b)
        && a.status == b.status
        && asked(a) == asked(b)
}

/// In what `view` differs first, at which byte, and how in words; `None` when it does not.
fn difference(
    request: &RequestPlan,
    reference: Option<&ExchangeLog>,
    view: Option<&ExchangeLog>,
) -> Option<(Difference, Option<u64>, String)> {
    let Some(view) = view else {
        return Some((Difference::Missing, None, "the exchange did not happen".to_owned()));
    };
    if asked(view) != (request.recording.as_str(), request.exchange) {
        let detail = format!("asked for {} exchange {}", view.recording, view.exchange);
        return Some((Difference::Request, None, detail));
    }
    // A run that has the exchange makes a reference.
    let reference = reference?;
    if reference.body != view.body {
        let at = first_difference(&reference.body, &view.body);
        let (expected, delivered) = (reference.body.len(), view.body.len());
        let detail = format!("{expected} bytes expected, {delivered} delivered, {}", in_words(view));
        return Some((Difference::Bytes, Some(at), detail));
    }
    if !shape(reference).eq(shape(view)) {
        let tokens = |log: &ExchangeLog| log.lines.iter().filter(|line| line.token).count();
        let detail = format!(
            "{} lines with {} tokens expected, {} with {} seen",
            reference.lines.len(),
            tokens(reference),
            view.lines.len(),
            tokens(view)
        );
        return Some((Difference::Lines, None, detail));
    }
    if (outcome(reference), reference.status) != (outcome(view), view.status) {
        let (expected, seen) = (in_words(reference), in_words(view));
        return Some((Difference::Outcome, None, format!("{expected} expected, {seen} seen")));
    }
    None
}

fn in_words(log: &ExchangeLog) -> String {
    match outcome(log) {
        OutcomeFacts::Done { eval_count, done_reason } => {
            let count = eval_count.map_or_else(|| "no eval_count".to_owned(), |count| format!("eval_count {count}"));
            let reason = done_reason.as_deref().unwrap_or("no reason");
            format!("status {}, done ({reason}, {count})", log.status)
        }
        OutcomeFacts::Failed { error } => format!("status {}, failed ({error})", log.status),
        OutcomeFacts::Missing => "nothing".to_owned(),
    }
}

fn first_difference(a: &[u8], b: &[u8]) -> u64 {
    a.iter().zip(b).take_while(|(a, b)| a == b).count() as u64
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a `String` cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests;
