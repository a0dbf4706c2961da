//! What a server sent, kept as other tools keep it and imported: it is served again as it was.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rstest::rstest;
use serde_json::{Value, json};

use mock_ollama::catalog::{Catalog, Matching};
use mock_ollama::import::{ImportOptions, Input, import};

use crate::bench::{Answer, Bench};

/// A request and its answer.
struct Kept {
    method: &'static str,
    path: &'static str,
    body: String,
    answer: Answer,
}

/// Answers of a server of ours, in each dialect: streams, whole ones, an error and a listing.
fn kept() -> Vec<Kept> {
    let messages = json!([{"role": "user", "content": "x"}]);
    let asked = [
        ("GET", "/api/version", Value::Null),
        ("POST", "/api/show", json!({"model": "llama"})),
        ("POST", "/api/generate", json!({"model": "llama", "prompt": "a"})),
        ("POST", "/api/generate", json!({"model": "llama", "prompt": "b", "stream": false})),
        ("POST", "/api/chat", json!({"model": "llama", "messages": messages})),
        ("POST", "/v1/chat/completions", json!({"model": "llama", "messages": messages, "stream": true})),
        ("POST", "/v1/completions", json!({"model": "llama", "prompt": "c", "stream": true})),
        ("POST", "/v1/responses", json!({"model": "llama", "input": "x", "stream": true})),
        ("POST", "/v1/messages", json!({"model": "llama", "messages": messages, "stream": true, "max_tokens": 9})),
        ("POST", "/v1/chat/completions", json!({"model": "llama", "messages": [], "stream": true})),
    ];
    let mut server = Bench::scripted();
    let ask = |(method, path, body): (&'static str, &'static str, Value)| {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let answer = server.ask(method, path, &body);
        Kept { method, path, body, answer }
    };
    asked.into_iter().map(ask).collect()
}

fn har(kept: &[Kept]) -> String {
    let entry = |kept: &Kept| {
        let kind = kept.answer.header("Content-Type");
        json!({
            "startedDateTime": "2026-03-01T10:00:00Z",
            "request": {
                "method": kept.method, "url": format!("http://localhost:11434{}", kept.path),
                "postData": {"mimeType": "application/json", "text": kept.body},
            },
            "response": {
                "status": kept.answer.status, "headers": [{"name": "Content-Type", "value": kind}],
                "content": {"text": kept.answer.text()},
            },
            "timings": {"send": 0, "wait": 3, "receive": 4},
        })
    };
    json!({"log": {"version": "1.2", "entries": kept.iter().map(entry).collect::<Vec<_>>()}}).to_string()
}

fn interaction(kept: &Kept, body: &Value) -> Value {
    json!({
        "request": {"method": kept.method, "uri": format!("http://localhost:11434{}", kept.path), "body": kept.body},
        "response": {
            "status": {"code": kept.answer.status, "message": ""},
            "headers": {"Content-Type": [kept.answer.header("Content-Type")]},
            "body": body,
        },
    })
}

/// The root of the cassette is YAML, its interactions are JSON, which YAML has within it.
fn vcrpy(kept: &[Kept]) -> String {
    let interactions: Vec<Value> =
        kept.iter().map(|kept| interaction(kept, &json!({"string": kept.answer.text()}))).collect();
    format!("interactions: {}\nversion: 1\n", Value::from(interactions))
}

fn vcr(kept: &[Kept]) -> String {
    let body = |kept: &Kept| json!({"encoding": "UTF-8", "base64_string": STANDARD.encode(kept.answer.text())});
    let interactions: Vec<Value> = kept.iter().map(|kept| interaction(kept, &body(kept))).collect();
    json!({"http_interactions": interactions, "recorded_with": "VCR 6"}).to_string()
}

fn httpmock(kept: &[Kept]) -> String {
    let document = |kept: &Kept| {
        let mut when = json!({"method": kept.method, "path": kept.path});
        if !kept.body.is_empty() {
            when["body"] = kept.body.clone().into();
        }
        let header = json!([{"name": "content-type", "value": kept.answer.header("Content-Type")}]);
        let then = json!({"status": kept.answer.status, "header": header, "body": kept.answer.text()});
        format!("---\nwhen: {when}\nthen: {then}\n")
    };
    kept.iter().map(document).collect()
}

#[rstest]
#[case::har(har)]
#[case::vcrpy(vcrpy)]
#[case::vcr(vcr)]
#[case::httpmock(httpmock)]
fn each_exchange_of_an_archive_is_served_again(#[case] write: fn(&[Kept]) -> String) {
    let kept = kept();
    let text = write(&kept);
    let options = ImportOptions { name: "x".to_owned(), ..ImportOptions::default() };
    let made = import(&[Input { label: "kept", bytes: text.as_bytes() }], &options).unwrap();
    assert_eq!(made.notes, Vec::<String>::new());
    let catalog = Arc::new(Catalog::new([made.recording]));
    let mut again = Bench::with(|config| (config.catalog, config.matching) = (catalog, Matching::Exact));
    for Kept { method, path, body, answer } in kept {
        let said = |answer: &Answer| (answer.status, answer.header("Content-Type").map(str::to_owned), answer.text());
        assert_eq!(said(&again.ask(method, path, &body)), said(&answer), "{method} {path} {body}");
    }
}
