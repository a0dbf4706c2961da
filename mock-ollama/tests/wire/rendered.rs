//! Recordings in their own dialect and in others.

use std::sync::Arc;

use rstest::rstest;
use serde_json::{Value, json};

use mock_ollama::catalog::{Catalog, Matching, builtin};
use mock_ollama::engine::CreatedAt;
use mock_ollama::recording::{Recording, RequestBody};

use crate::bench::{Answer, Bench};

fn recording(name: &str) -> Recording {
    builtin::recording(name).unwrap().unwrap()
}

fn bench(name: &str, created_at: CreatedAt) -> Bench {
    let catalog = Arc::new(Catalog::new([recording(name)]));
    Bench::with(|config| {
        config.catalog = catalog;
        config.created_at = created_at;
    })
}

/// The recorded request, and what its objects say together.
fn recorded(name: &str) -> (String, Value, String) {
    let recording = recording(name);
    let exchange = &recording.exchanges[0];
    let request = exchange.request.as_ref().unwrap();
    let Some(RequestBody::Json(body)) = &request.body else { panic!("no JSON") };
    let text = String::from_utf8(exchange.body()).unwrap();
    let said = text.lines().map(|line| {
        let object: Value = serde_json::from_str(line).unwrap();
        object["response"].as_str().or_else(|| object["message"]["content"].as_str()).unwrap_or_default().to_owned()
    });
    (request.path.clone(), body.clone(), said.collect())
}

fn last_counts(name: &str) -> (u64, u64) {
    let body = String::from_utf8(recording(name).exchanges[0].body()).unwrap();
    let last: Value = serde_json::from_str(body.lines().last().unwrap()).unwrap();
    (last["prompt_eval_count"].as_u64().unwrap(), last["eval_count"].as_u64().unwrap())
}

/// The texts of the deltas of a chat of `OpenAI`.
fn deltas(answer: &Answer) -> String {
    let of = |event: &Value| event["choices"][0]["delta"]["content"].as_str().unwrap_or_default().to_owned();
    answer.events().iter().map(of).collect()
}

#[test]
fn in_its_own_dialect_its_bytes_win_over_every_rule() {
    let (path, body, _) = recorded("tiny-emoji");
    let answer = bench("tiny-emoji", CreatedAt::Recorded).post(&path, &body);
    assert_eq!(answer.text().into_bytes(), recording("tiny-emoji").exchanges[0].body());
}

#[test]
fn live_times_are_patched_in_and_nothing_else_changes() {
    let (path, body, _) = recorded("tiny-emoji");
    let live = bench("tiny-emoji", CreatedAt::Live).post(&path, &body);
    let kept = bench("tiny-emoji", CreatedAt::Recorded).post(&path, &body);
    assert_ne!(live.text(), kept.text());
    assert_eq!(live.chunks().len(), kept.chunks().len());
    for (live, kept) in live.chunks().iter().zip(kept.chunks()) {
        let without = |text: &str| {
            let value: Value = serde_json::from_str(text).unwrap();
            text.replace(value["created_at"].as_str().unwrap(), "T")
        };
        assert_eq!(without(live), without(&kept));
        assert!(live.contains("\"created_at\":\"2026-08-01T10:00:0"), "{live}");
    }
}

#[rstest]
#[case("small-greedy", "/v1/completions")]
#[case("tiny-emoji", "/v1/completions")]
fn a_prompt_is_answered_in_the_dialect_of_completions(#[case] name: &str, #[case] path: &str) {
    let (_, asked, said) = recorded(name);
    let body = json!({ "model": asked["model"], "prompt": asked["prompt"] });
    let answer = bench(name, CreatedAt::Recorded).post(path, &body).json();
    assert_eq!(answer["choices"][0]["text"], said);
    let (prompt, eval) = last_counts(name);
    assert_eq!(
        answer["usage"],
        json!({ "prompt_tokens": prompt, "completion_tokens": eval, "total_tokens": prompt + eval })
    );
}

#[test]
fn a_conversation_is_answered_in_every_dialect_of_chat() {
    let (_, asked, said) = recorded("base-greedy");
    let chat = json!({ "model": asked["model"], "messages": asked["messages"], "stream": true });
    assert_eq!(deltas(&bench("base-greedy", CreatedAt::Recorded).post("/v1/chat/completions", &chat)), said);
    let message = json!({ "model": asked["model"], "messages": asked["messages"], "max_tokens": 100 });
    let answer = bench("base-greedy", CreatedAt::Recorded).post("/v1/messages", &message).json();
    assert_eq!(answer["content"], json!([{ "type": "text", "text": said }]));
    let response = json!({ "model": asked["model"], "input": asked["messages"] });
    let answer = bench("base-greedy", CreatedAt::Recorded).post("/v1/responses", &response).json();
    assert_eq!(answer["output"][0]["content"][0]["text"], said);
}

#[test]
fn a_prompt_and_a_conversation_of_one_message_are_the_same_question() {
    let (_, asked, said) = recorded("small-greedy");
    let body = json!({ "model": asked["model"], "messages": [{ "role": "user", "content": asked["prompt"] }], "stream": false });
    let answer = bench("small-greedy", CreatedAt::Recorded).post("/api/chat", &body).json();
    assert_eq!(answer["message"]["content"], said);
    assert_eq!(answer.get("context"), None);
}

#[test]
fn a_rendered_answer_takes_as_long_as_the_recording_and_says_so() {
    let (_, asked, _) = recorded("small-greedy");
    let body = json!({ "model": asked["model"], "messages": [{ "role": "user", "content": asked["prompt"] }] });
    let answer = bench("small-greedy", CreatedAt::Recorded).post("/api/chat", &body);
    let recorded_us = recording("small-greedy").exchanges[0].chunks.last().unwrap().at_us;
    assert_eq!(answer.writes.iter().filter(|(_, bytes)| bytes.starts_with(b"0\r\n")).count(), 1);
    let last = answer.objects().pop().unwrap();
    assert_eq!(last["total_duration"], recorded_us * 1_000);
    let ns = |key: &str| last[key].as_u64().unwrap();
    assert!(ns("load_duration") + ns("prompt_eval_duration") + ns("eval_duration") <= ns("total_duration"));
}

#[test]
fn thinking_and_tool_calls_are_carried_over() {
    let mut bench = bench("tools-call", CreatedAt::Recorded);
    bench.engine.journal();
    let (_, asked, _) = recorded("tools-call");
    let body = json!({ "model": asked["model"], "messages": asked["messages"], "tools": asked["tools"] });
    let call = bench.post("/v1/chat/completions", &body).json()["choices"][0]["message"]["tool_calls"][0].clone();
    assert!(call["function"]["name"].is_string(), "{call}");
    assert!(serde_json::from_str::<Value>(call["function"]["arguments"].as_str().unwrap()).unwrap().is_object());
    let (_, asked, _) = recorded("think-default");
    let body = json!({ "model": asked["model"], "messages": asked["messages"], "max_tokens": 9 });
    let content =
        self::bench("think-default", CreatedAt::Recorded).post("/v1/messages", &body).json()["content"].clone();
    assert_eq!((&content[0]["type"], &content[1]["type"]), (&json!("thinking"), &json!("text")));
}

#[test]
fn a_recorded_failure_in_mid_stream_fails_in_every_dialect_as_that_one_does() {
    let (_, asked, _) = recorded("small-error-mid-stream");
    let body = json!({ "model": asked["model"], "prompt": asked["prompt"], "stream": true });
    let answer = bench("small-error-mid-stream", CreatedAt::Recorded).post("/v1/completions", &body);
    assert_eq!(answer.events().last().unwrap()["model"], "");
    assert!(!answer.text().contains("[DONE]"));
}

#[test]
fn a_pull_of_a_model_that_a_recording_knows_makes_it_appear() {
    let mut bench = bench("small-greedy", CreatedAt::Recorded);
    let listed = |bench: &mut Bench| bench.get("/api/tags").json()["models"].as_array().unwrap().len();
    assert_eq!(listed(&mut bench), 1);
    let name = recorded("small-greedy").1["model"].clone();
    bench.ask("DELETE", "/api/delete", &json!({ "model": name }).to_string());
    assert_eq!(listed(&mut bench), 0);
    assert_eq!(bench.post("/api/generate", &json!({ "model": name, "prompt": "x" })).status, 404);
    bench.post("/api/pull", &json!({ "model": name }));
    assert_eq!(listed(&mut bench), 1);
}

#[test]
fn a_copy_of_a_recorded_model_answers_as_it_does() {
    let mut bench = bench("small-greedy", CreatedAt::Recorded);
    let (path, asked, said) = recorded("small-greedy");
    bench.post("/api/copy", &json!({ "source": asked["model"], "destination": "mine" }));
    let body = json!({ "model": "mine", "prompt": asked["prompt"], "stream": false });
    assert_eq!(bench.post(&path, &body).json()["response"], said);
}

#[test]
fn the_loose_rule_renders_where_it_finds_nothing_in_the_dialect_of_the_request() {
    let catalog = Arc::new(Catalog::new([recording("small-greedy")]));
    let mut bench = Bench::with(|config| {
        config.catalog = catalog;
        config.matching = Matching::Loose;
    });
    let model = recorded("small-greedy").1["model"].clone();
    let body = json!({ "model": model, "messages": [{ "role": "user", "content": "anything" }] });
    assert_eq!(bench.post("/v1/chat/completions", &body).status, 200);
}
