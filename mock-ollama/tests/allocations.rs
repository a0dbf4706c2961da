//! The way of a token allocates nothing. Counted on this thread alone, by the allocator itself.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use mock_ollama::catalog::{Catalog, builtin};
use mock_ollama::clock::Instant;
use mock_ollama::engine::{Action, Batch, Config, CreatedAt, Engine};
use mock_ollama::journal::{ConnId, Keep, ServerId};
use mock_ollama::recording::{Recording, RequestBody};
use mock_ollama::scrub::Scrub;

/// So many that the engine looks ahead at what they are going to use.
const STREAMS: u64 = 100;

fn recording() -> Recording {
    builtin::recording("small-greedy").unwrap().unwrap()
}

/// The chunks of one answer.
fn chunks() -> u64 {
    u64::try_from(recording().exchanges[0].chunks.len()).unwrap()
}

/// An engine in which that many clients have asked for the recording at once.
fn asked(config: Config) -> Engine {
    let recording = recording();
    let known = recording.exchanges[0].request.clone().unwrap();
    let Some(RequestBody::Json(body)) = known.body else { panic!("the body is JSON") };
    let body = body.to_string();
    let request =
        format!("POST {} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{body}", known.path, body.len());
    let mut engine = Engine::new(Config { catalog: Arc::new(Catalog::new(vec![recording])), ..config });
    for conn in (1..=STREAMS).map(ConnId) {
        engine.handle_connected(conn, ServerId(0), Instant::ZERO);
        engine.handle_input(conn, request.as_bytes(), Instant::ZERO);
    }
    engine
}

/// Lets `events` happen, each late by so much; says how often the engine allocated meanwhile, and how often it wrote.
fn play(engine: &mut Engine, events: u64, (batch, late): (Batch, Duration), actions: &mut Vec<Action>) -> (u64, u64) {
    let mut written = 0;
    let counted = allocation_counter::measure(|| {
        for _ in 0..events {
            let Some(due) = engine.poll_due() else { return };
            let due = due.saturating_add(late);
            engine.poll_batch(due, batch, actions);
            for action in actions.drain(..) {
                if let Action::Write { conn, bytes } = action {
                    engine.handle_written(conn, bytes.len(), due.saturating_add(Duration::from_micros(5)));
                    written += 1;
                }
            }
        }
    });
    (counted.count_total, written)
}

/// How often an engine allocates while the chunks in the middle of all answers leave, and how many those are.
fn in_the_middle(config: Config) -> (u64, u64) {
    let mut engine = asked(config);
    let mut actions = Vec::new();
    // The first two of each answer: the head, and whatever finds its size.
    let on_time = (Batch::ONE, Duration::ZERO);
    play(&mut engine, 2 * STREAMS, on_time, &mut actions);
    play(&mut engine, (chunks() - 4) * STREAMS, on_time, &mut actions)
}

#[test]
fn a_recorded_chunk_leaves_without_an_allocation_and_with_a_journal() {
    let (allocations, written) = in_the_middle(Config::default());
    assert_eq!((allocations, written), (0, (chunks() - 4) * STREAMS));
    let kept = Config { keep: Keep { requests: NonZeroUsize::MIN, ..Keep::ALL }, ..Config::default() };
    assert_eq!(in_the_middle(kept).0, 0);
}

#[test]
fn chunks_that_are_late_leave_together_without_an_allocation() {
    let (mut engine, mut actions) = (asked(Config::default()), Vec::new());
    play(&mut engine, 2 * STREAMS, (Batch::ONE, Duration::ZERO), &mut actions);
    // As many as a connection has room to remember that it waits for.
    let batch = Batch { max_chunks: NonZeroUsize::new(4).unwrap(), separate_writes: false };
    let rounds = (chunks() - 4) / 4;
    let late = Duration::from_secs(100);
    assert_eq!(play(&mut engine, rounds * STREAMS, (batch, late), &mut actions), (0, rounds * STREAMS));
}

/// The control: what is patched into a copy allocates that copy, and it is seen.
#[test]
fn a_live_time_is_patched_into_a_copy() {
    let (allocations, written) = in_the_middle(Config { created_at: CreatedAt::Live, ..Config::default() });
    assert!(allocations >= written && written > 0, "{allocations} for {written}");
}

/// How often a scrubber allocates for an answer of `tokens` tokens, and how many bytes it holds at most for each of its bytes.
fn scrubbing(tokens: usize) -> (u64, u64) {
    let line = "{\"model\":\"m\",\"response\":\" one\",\"done\":false}\n{\"model\":\"m\",\"response\":\" two\",\"done\":false}\n";
    let body = line.repeat(tokens / 2);
    let (length, chunks) = (body.len() as u64, vec![Bytes::from(body)]);
    let scrub = Scrub::new(["qz-[a-z]+"]).unwrap();
    let counted = allocation_counter::measure(|| assert_eq!(scrub.chunks(chunks).len(), 1));
    (counted.count_total, counted.bytes_max.div_ceil(length))
}

#[test]
fn scrubbing_allocates_nothing_for_a_token_and_holds_no_more_than_the_answer_is_long() {
    // The first use of patterns makes their caches.
    let (few, _) = scrubbing(10_000);
    let (many, held) = scrubbing(80_000);
    assert!(many < few + 50, "{few} for 10,000 tokens, {many} for 80,000");
    assert!(held <= 2, "{held} bytes for each byte");
}
