//! Made-up recordings for tests.

use bytes::Bytes;
use mock_ollama::recording::{Chunk, End, Exchange, Method, Origin, Recording, Request, RequestBody, Response};
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
    let line = |at_us, text: &'static str| Chunk { at_us, bytes: Bytes::from_static(text.as_bytes()) };
    Exchange {
        request: Some(Request {
            method: Method::Post,
            path: "/api/generate".into(),
            body: Some(RequestBody::Json(body)),
        }),
        sent_us: None,
        response: Response { status: 200, headers: vec![("Content-Type".into(), "application/x-ndjson".into())] },
        chunks: vec![
            line(1_000, "{\"response\":\"hi\",\"done\":false}\n"),
            line(2_000, "{\"response\":\"\",\"done\":true,\"done_reason\":\"stop\",\"eval_count\":2}\n"),
        ],
        end: End::Clean,
    }
}
