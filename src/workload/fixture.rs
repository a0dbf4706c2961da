//! Made-up recordings for tests.

use mock_ollama::recording::{Chunk, Exchange, Origin, Recording, Request, Response};
use serde_json::json;

/// Recordings of these names, each with one exchange whose prompt is the name.
pub(crate) fn recordings(names: &[&str]) -> Vec<Recording> {
    names.iter().map(|name| recording(name, 1)).collect()
}

/// A recording of n exchanges; each answers with one text and a final object.
pub(crate) fn recording(name: &str, exchanges: usize) -> Recording {
    let exchanges = (0..exchanges).map(|number| exchange(&format!("{name} {number}")));
    Recording::new(name, Origin::Synthetic, "made-up:latest", exchanges.collect())
}

fn exchange(prompt: &str) -> Exchange {
    // Keys are out of alphabetical order on purpose: they must be sent as they were recorded.
    let body = json!({"prompt": prompt, "model": "made-up:latest", "options": {"temperature": 0.10}});
    let line = |at_us, text: &'static str| Chunk::new(at_us, text);
    let chunks = vec![
        line(1_000, "{\"response\":\"hi\",\"done\":false}\n"),
        line(2_000, "{\"response\":\"\",\"done\":true,\"done_reason\":\"stop\",\"eval_count\":2}\n"),
    ];
    let response = Response::new(200, [("Content-Type", "application/x-ndjson")]);
    Exchange::new(Some(Request::post("/api/generate", body)), response, chunks)
}
