//! The recording that is served, and the agents that ask for it.

use bytes::Bytes;
use mock_ollama::recording::{Chunk, Exchange, Origin, Recording, Request, Response};
use serde_json::{Value, json};

use crate::workload::{AgentPlan, RequestPlan};

/// The name of the recording that is measured.
const NAME: &str = "cost";

/// The name of the one that goes before it.
const WARM_UP: &str = "warm-up";

/// Its tokens.
const WARM_UP_TOKENS: usize = 2;

/// What is asked.
const PATH: &str = "/api/generate";

/// Microseconds from chunk to chunk, where the pace goes by the recording.
const GAP_US: u64 = 10_000;

/// Returns an answer of that many tokens: each a chunk of one line, of about a hundred bytes as real servers write them, and the final
/// object in one more chunk.
pub(super) fn measured(tokens: usize) -> Recording {
    answer(NAME, tokens)
}

/// Returns a short answer. Its run loads the code, and starts what an executor starts once.
pub(super) fn warm_up() -> Recording {
    answer(WARM_UP, WARM_UP_TOKENS)
}

fn answer(name: &str, tokens: usize) -> Recording {
    let line = |response: &str, end: &str| {
        format!(
            "{{\"model\":\"cost:latest\",\"created_at\":\"2026-01-01T00:00:00.000000000Z\",\"response\":\"{response}\",\"done\":{end}}}\n"
        )
    };
    let token = Bytes::from(line(" token", "false"));
    let last = Bytes::from(line("", &format!("true,\"done_reason\":\"stop\",\"eval_count\":{tokens}")));
    let lines = std::iter::repeat_n(token, tokens).chain([last]);
    let response = Response::new(200, [("Content-Type", "application/x-ndjson")]);
    let chunks = lines.zip(1..).map(|(bytes, n)| Chunk::new(n * GAP_US, bytes)).collect();
    let exchange = Exchange::new(Some(Request::post(PATH, question(name))), response, chunks);
    Recording::new(name, Origin::Synthetic, "cost:latest", vec![exchange])
}

fn question(name: &str) -> Value {
    json!({"model": "cost", "prompt": name})
}

/// Returns `count` agents, each with one request for the recording.
pub(super) fn agents(count: usize) -> Vec<AgentPlan> {
    (0..count).map(|n| AgentPlan::new(format!("a{n:04}"), vec![request(NAME)])).collect()
}

/// The one agent that warms up.
pub(super) fn first_agent() -> AgentPlan {
    AgentPlan::new(WARM_UP, vec![request(WARM_UP)])
}

fn request(name: &str) -> RequestPlan {
    RequestPlan { recording: name.to_owned(), exchange: 0, path: PATH.to_owned(), body: question(name).to_string() }
}

#[cfg(test)]
mod tests {
    use mock_ollama::recording::RequestBody;

    use super::*;
    use crate::ndjson::NdjsonStream;

    #[test]
    fn a_tape_is_a_whole_stream_of_so_many_tokens_one_a_chunk() {
        let tape = measured(3);
        let mut tokens = 0;
        let mut stream = NdjsonStream::default();
        for chunk in &tape.exchanges[0].chunks {
            stream.push(&chunk.bytes, |object| tokens += usize::from(object.token)).unwrap();
        }
        let last = stream.finish(|_| {}).unwrap();
        assert_eq!((tokens, tape.exchanges[0].chunks.len(), last.eval_count), (3, 4, Some(3)));
    }

    #[test]
    fn agents_ask_for_what_was_recorded_under_names_of_their_own() {
        let tape = measured(1);
        let Some(Request { body: Some(RequestBody::Json(asked)), path, .. }) = &tape.exchanges[0].request else {
            panic!("the tape has a request");
        };
        let agents = agents(2);
        assert_eq!(agents.iter().map(|agent| agent.name.as_str()).collect::<Vec<_>>(), ["a0000", "a0001"]);
        for agent in agents {
            assert_eq!((&agent.requests[0].path, &agent.requests[0].body), (path, &asked.to_string()));
        }
    }
}
