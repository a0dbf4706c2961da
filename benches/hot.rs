//! Three hot functions over fixed input, for `cargo xtask instructions` to count what they execute.
//!
//! `hot FUNCTION PASSES PREPARED` prepares for so many passes, and makes some of them. Whatever happens once, and whatever
//! is prepared, is the same in two runs that differ in their passes only.

#[path = "parts/framing.rs"]
mod framing;

use std::hint::black_box;
use std::process::ExitCode;
use std::sync::Arc;

use mock_ollama::catalog::Catalog;
use mock_ollama::clock::Instant;
use mock_ollama::engine::{Action, Config, Engine};
use mock_ollama::http::encode_chunk;
use mock_ollama::journal::{ConnId, ServerId};
use mock_ollama::recording::RequestBody;

/// What one pass of the framer cuts, in reads of a client under the 1024-byte cap.
const BODY_BYTES: usize = 1_000_000;
const PIECE: usize = 1024;

/// What one pass of the encoder encodes: the recorded body so many times.
const BODIES: usize = 10;

/// What one pass of the engine plays: so many streams at once.
const STREAMS: u64 = 10;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let number = |at: usize| words.get(at).and_then(|word| word.parse::<usize>().ok());
    match (words.first().map(String::as_str), number(1), number(2)) {
        (Some("framer"), Some(passes), _) => framer(passes),
        (Some("encode"), Some(passes), _) => encode(passes),
        (Some("engine-step"), Some(passes), Some(prepared)) => engine_step(passes, prepared),
        // `cargo bench` without a name of a bench comes by here, and so do test runners.
        _ => println!("usage: hot framer|encode|engine-step PASSES PREPARED"),
    }
    ExitCode::SUCCESS
}

fn framer(passes: usize) {
    let body = framing::body(BODY_BYTES);
    for _ in 0..passes {
        black_box(framing::with_framer(black_box(&body), PIECE));
    }
}

fn encode(passes: usize) {
    let recording = framing::recorded();
    let chunks = &recording.exchanges[0].chunks;
    let mut out = Vec::with_capacity(1_000_000);
    for _ in 0..passes {
        out.clear();
        for chunk in std::iter::repeat_n(chunks, BODIES).flatten() {
            encode_chunk(&mut out, black_box(&chunk.bytes));
        }
        black_box(&out);
    }
}

fn engine_step(passes: usize, prepared: usize) {
    let recording = framing::recorded();
    let known = recording.exchanges[0].request.as_ref().expect("the request is recorded");
    let Some(RequestBody::Json(body)) = &known.body else { panic!("the body is JSON") };
    let body = body.to_string();
    let head = format!("POST {} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n", known.path, body.len());
    let request = head + &body;
    let catalog = Arc::new(Catalog::new(vec![recording]));
    let mut engines: Vec<Engine> = (0..prepared).map(|_| asked(&catalog, request.as_bytes())).collect();
    let actions: u64 = engines.iter_mut().take(passes).map(play).sum();
    assert!(actions > 150 * STREAMS * passes as u64, "every stream left whole");
    // What it takes to drop one depends on how far it was played.
    std::mem::forget(engines);
}

/// An engine in which every client has sent its request; nothing has left yet.
fn asked(catalog: &Arc<Catalog>, request: &[u8]) -> Engine {
    let mut engine = Engine::new(Config { catalog: Arc::clone(catalog), ..Config::default() });
    for conn in (1..=STREAMS).map(ConnId) {
        engine.opened(conn, ServerId(0), Instant::ZERO);
        engine.receive(conn, request, Instant::ZERO);
    }
    engine
}

/// Lets every chunk leave when it is due; answers with the number of actions.
fn play(engine: &mut Engine) -> u64 {
    let mut actions = 0;
    while let Some(due) = engine.next_due() {
        while let Some(step) = engine.step(due) {
            if let Some(Action::Write { conn, bytes }) = step.action {
                engine.wrote(conn, bytes.len(), due);
            }
            actions += 1;
        }
    }
    actions
}
