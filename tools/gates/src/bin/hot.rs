//! Three hot functions over fixed input, for `cargo xtask instructions` to count what they execute.
//!
//! It prepares for a number of passes, and makes some of them. Whatever happens once, and whatever
//! is prepared, is the same in two runs that differ in their passes only.

#[path = "../../../../mock-ollama/benches/parts/playing.rs"]
mod playing;

use std::hint::black_box;
use std::sync::Arc;

use clap::{Parser, ValueEnum};
use gates::framing;
use mock_ollama::catalog::Catalog;
use mock_ollama::engine::Engine;
use mock_ollama::http::encode_chunk;
use playing::{asked, play, request};

/// What one pass of the framer cuts, in reads of a client under the 1024-byte cap.
const BODY_BYTES: usize = 1_000_000;
const PIECE: usize = 1024;

/// How often one pass of the encoder encodes the recorded body.
const BODIES: usize = 10;

/// Streams that one pass of the engine plays at once.
const STREAMS: u64 = 10;

/// Makes passes of a hot function over fixed input
#[derive(Debug, Parser)]
struct Args {
    function: Function,
    /// How many passes are made
    passes: usize,
    /// For how many all is prepared
    prepared: usize,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Function {
    Framer,
    Encode,
    EngineStep,
}

fn main() {
    let Args { function, passes, prepared } = Args::parse();
    match function {
        Function::Framer => framer(passes),
        Function::Encode => encode(passes),
        Function::EngineStep => engine_step(passes, prepared),
    }
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
