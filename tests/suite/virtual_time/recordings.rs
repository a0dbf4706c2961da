//! Recordings made for a test.

use mock_ollama::recording::{Chunk, Exchange, Origin, Recording, Request, Response};
use serde_json::json;

/// A line with a token that is `bytes` long, its newline included.
pub(crate) fn token(bytes: usize) -> Vec<u8> {
    let shell = "{\"response\":\"\"}\n".len();
    format!("{{\"response\":\"{}\"}}\n", "x".repeat(bytes - shell)).into_bytes()
}

/// The last line of a stream.
pub(crate) fn done() -> Vec<u8> {
    b"{\"response\":\"\",\"done\":true,\"done_reason\":\"stop\",\"eval_count\":1}\n".to_vec()
}

/// A stream of these chunks, each at its millisecond, found by its name.
pub(crate) fn made(name: &str, chunks: impl IntoIterator<Item = (u64, Vec<u8>)>) -> Recording {
    let chunks = chunks.into_iter().map(|(at_ms, bytes)| Chunk::new(at_ms * 1_000, bytes));
    let body = json!({"model": "made", "prompt": name});
    let response = Response::new(200, [("Content-Type", "application/x-ndjson")]);
    let exchange = Exchange::new(Some(Request::post("/api/generate", body)), response, chunks.collect());
    Recording::new(name, Origin::Synthetic, "made", vec![exchange])
}

/// A stream of `tokens` lines of 100 bytes, the first at `first_ms` and then one every `gap_ms`; the last of them is
/// its end.
pub(crate) fn steady(name: &str, first_ms: u64, gap_ms: u64, tokens: u64) -> Recording {
    let line = |k: u64| (first_ms + k * gap_ms, if k + 1 == tokens { done() } else { token(100) });
    made(name, (0..tokens).map(line))
}
