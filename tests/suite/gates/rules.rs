//! What each gate demands.

use std::collections::BTreeSet;

use mock_ollama::recording::{Chunk, End, Recording};
use mock_ollama::schedule::Pace;
use runtime_lab::measure::concurrency::Concurrency;
use runtime_lab::measure::lag::join;
use runtime_lab::runtimes::thread_names;
use runtime_lab::transcript::ExchangeOutcome;

use super::Candidate;
use crate::steps::step;
use crate::util::{ALL, PATIENCE, Scenario, alone, fixture, perform, wall};

/// As many agents as the limiter admits are in flight together, and no more.
pub(super) fn overlap(candidate: &Candidate) -> Result<(), String> {
    const AGENTS: usize = 3;
    const LIMIT: usize = 2;
    let scenario =
        Scenario { limit: Some(LIMIT), ..Scenario::each(AGENTS, vec![fixture("tiny-short")], Pace::stepped()) };
    let run = perform(candidate.runtime, scenario, &wall(), |server| {
        // Nothing leaves before this, so agents that may be in flight together are.
        let _ = server.in_flight(LIMIT).within(candidate.patience).wait();
        for requests in 1..=AGENTS {
            server.requests(requests).within(PATIENCE).wait().unwrap();
            server.release(ALL);
        }
    });
    run.all_done()?;
    let seen = run.journal.max_in_flight;
    ensure(seen == LIMIT, || format!("the limiter admits {LIMIT} agents, but at most {seen} were in flight together"))
}

/// The first token is handed on with its chunk.
pub(super) fn first_token(candidate: &Candidate) -> Result<(), String> {
    let scenario = Scenario::each(1, vec![fixture("tiny-short")], Pace::stepped());
    let stepped = step(candidate.runtime, scenario, &[0], candidate.patience);
    stepped.run.all_done()?;
    let joined = join(&stepped.run.journal, &stepped.run.transcript);
    let handed_on = joined.streams[0].first_token_chunks;
    ensure(handed_on == Some(1), || match handed_on {
        Some(chunks) => format!("the first token was held back until {chunks} chunks had come"),
        None => "no token was seen".to_owned(),
    })
}

/// The body is what was served, also where a character is cut by the edge of a chunk.
pub(super) fn bytes(candidate: &Candidate) -> Result<(), String> {
    let recording = cut_inside_characters(fixture("small-multibyte"));
    let served = recording.exchanges[0].body();
    let run = Scenario::each(1, vec![recording], Pace::instant()).play(candidate.runtime);
    let got = &run.transcript.agents[0].exchanges[0].body;
    let same = got.iter().zip(&served).take_while(|(got, served)| got == served).count();
    ensure(*got == served, || format!("the body differs from what was served from byte {same}"))?;
    run.all_done()
}

/// A stream that breaks off, whichever way, is a typed error.
pub(super) fn typed_end(candidate: &Candidate) -> Result<(), String> {
    let whole = fixture("tiny-short");
    let without_end = |name: &str, end: End| {
        let mut exchange = whole.exchanges[0].clone();
        exchange.chunks.pop();
        exchange.end = end;
        alone(name, &whole, exchange)
    };
    let error = fixture("small-error-mid-stream");
    let cases = [
        ("missing-done", without_end("no final object", End::Clean)),
        ("error-line", alone("an error line", &error, error.exchanges[0].clone())),
        ("body-cut", without_end("a cut body", End::Eof)),
    ];
    let mut wrong = Vec::new();
    for (expected, recording) in cases {
        let run = Scenario::each(1, vec![recording], Pace::instant()).play(candidate.runtime);
        let exchange = &run.transcript.agents[0].exchanges[0];
        let found = match &exchange.outcome {
            ExchangeOutcome::Done { .. } => "done",
            ExchangeOutcome::Failed { kind, .. } => kind,
        };
        if found != expected {
            wrong.push(format!("{} was reported as {found}", exchange.recording));
        }
    }
    ensure(wrong.is_empty(), || wrong.join(", "))
}

/// Agents are polled and woken by threads of the variant alone, and the process has no others while they run.
pub(super) fn own_threads(candidate: &Candidate) -> Result<(), String> {
    let mut known: BTreeSet<String> = thread_names().into_iter().collect();
    known.insert("mock-ollama".to_owned());
    let run = Scenario::each(2, vec![fixture("tiny-short")], Pace::instant()).play(candidate.runtime);
    run.all_done()?;
    let Concurrency { polled_on, woken_by, .. } = Concurrency::of(&run.journal, &run.transcript);
    ensure(!polled_on.is_empty() && !woken_by.is_empty(), || "nobody polled or woke the agents".to_owned())?;
    let mut names = &polled_on | &woken_by;
    // Tests that share a process see the threads of each other.
    if std::env::var_os("NEXTEST").is_some() {
        names.extend(run.transcript.introspection.threads.into_iter().filter(|name| !known.contains(name)));
    }
    names.retain(|name| !candidate.claims.owns_thread(name));
    ensure(names.is_empty(), || format!("threads that are not its own took part: {names:?}"))
}

/// Every agent is a task of its own.
pub(super) fn spawned(candidate: &Candidate) -> Result<(), String> {
    const AGENTS: usize = 3;
    let run = Scenario::each(AGENTS, vec![fixture("tiny-short")], Pace::instant()).play(candidate.runtime);
    run.all_done()?;
    let tasks = Concurrency::of(&run.journal, &run.transcript).tasks;
    ensure(tasks == AGENTS, || format!("{AGENTS} agents ran in {tasks} task(s)"))
}

fn ensure(holds: bool, words: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(words()) }
}

/// The same body in chunks that end inside every character of several bytes.
fn cut_inside_characters(mut recording: Recording) -> Recording {
    let exchange = &mut recording.exchanges[0];
    let body = String::from_utf8(exchange.body()).expect("a recorded body is UTF-8");
    let inside = body.char_indices().filter(|(_, char)| char.len_utf8() > 1).map(|(at, _)| at + 1);
    let mut cuts: Vec<usize> = inside.collect();
    assert!(cuts.len() > 20, "the recording has characters to cut");
    cuts.push(body.len());
    let mut from = 0;
    exchange.chunks.clear();
    for to in cuts {
        exchange.chunks.push(Chunk::new(0, body.as_bytes()[from..to].to_vec()));
        from = to;
    }
    recording
}
