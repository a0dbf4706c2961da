//! Three hot functions over fixed input, for `cargo xtask instructions` to count what they execute.
//!
//! `hot FUNCTION PASSES PREPARED` prepares for so many passes, and makes some of them. Whatever happens once, and whatever
//! is prepared, is the same in two runs that differ in their passes only.

#[path = "parts/framing.rs"]
mod framing;
#[path = "../mock-ollama/benches/parts/playing.rs"]
mod playing;

use std::hint::black_box;
use std::process::ExitCode;
use std::sync::Arc;

use mock_ollama::catalog::Catalog;
use mock_ollama::engine::Engine;
use mock_ollama::http::encode_chunk;
use playing::{asked, play, request};

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
    let request = request(&recording);
    let catalog = Arc::new(Catalog::new(vec![recording]));
    let mut engines: Vec<Engine> = (0..prepared).map(|_| asked(&catalog, &request, STREAMS)).collect();
    let actions: u64 = engines.iter_mut().take(passes).map(play).sum();
    assert!(actions > 150 * STREAMS * passes as u64, "every stream left whole");
    // What it takes to drop one depends on how far it was played.
    std::mem::forget(engines);
}
