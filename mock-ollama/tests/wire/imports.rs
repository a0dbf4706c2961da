//! Bodies that a server sent, imported: they are the same lines, of the same route, and are served again as they were.

use std::sync::Arc;

use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Value, json};

use mock_ollama::catalog::{Catalog, Matching};
use mock_ollama::http::has_route;
use mock_ollama::import::{ImportOptions, Input, import};
use mock_ollama::recording::{End, Exchange, Recording};

use crate::bench::{Answer, Bench};

fn imported(body: &str, options: ImportOptions) -> Recording {
    let options = ImportOptions { name: "x".to_owned(), ..options };
    import(&[Input { label: "body", bytes: body.as_bytes() }], &options)
        .unwrap_or_else(|error| panic!("{error}: {body}"))
        .recording
}

fn bench(recording: Recording, matching: Matching) -> Bench {
    let catalog = Arc::new(Catalog::new([recording]));
    Bench::with(|config| (config.catalog, config.matching) = (catalog, matching))
}

/// Method, path and content type of an exchange.
fn head(exchange: &Exchange) -> (&str, &str, Option<&str>) {
    let request = exchange.request.as_ref().unwrap();
    (request.method.as_str(), &request.path, exchange.response.header("content-type"))
}

/// The streaming routes, each with a request.
fn streams() -> [(&'static str, Value); 6] {
    let messages = json!([{"role": "user", "content": "x"}]);
    [
        ("/api/generate", json!({"model": "m", "prompt": "x"})),
        ("/api/chat", json!({"model": "m", "messages": messages})),
        ("/v1/completions", json!({"model": "m", "prompt": "x", "stream": true})),
        ("/v1/chat/completions", json!({"model": "m", "messages": messages, "stream": true})),
        ("/v1/responses", json!({"model": "m", "input": "x", "stream": true})),
        ("/v1/messages", json!({"model": "m", "messages": messages, "stream": true, "max_tokens": 9})),
    ]
}

/// A chat of these messages, a line each, and how it ends.
fn chat(messages: &[Value], last: &Value) -> String {
    let object = |(n, message): (usize, &Value)| {
        let mut object = json!({"model": "m", "created_at": format!("2026-01-01T00:00:00.{n:03}Z")});
        object["message"] = message.clone();
        object["done"] = json!(false);
        format!("{object}\n")
    };
    let lines: String = messages.iter().enumerate().map(object).collect();
    format!("{lines}{last}\n")
}

fn message() -> impl Strategy<Value = Value> {
    let text = "[a-z\"\\\\<\u{e9}\u{2028}\n]{1,6}";
    prop_oneof![
        4 => text.prop_map(|text| json!({"role": "assistant", "content": text})),
        1 => text.prop_map(|text| json!({"role": "assistant", "content": "", "thinking": text})),
        1 => text.prop_map(|text| {
            let call = json!({"id": "call_a", "function": {"index": 0, "name": "f", "arguments": {"a": text}}});
            json!({"role": "assistant", "content": "", "tool_calls": [call]})
        }),
    ]
}

proptest! {
    // Each case is a server and six answers.
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_stream_that_we_send_is_imported_line_by_line(
        messages in prop::collection::vec(message(), 1..8), is_done in any::<bool>(),
    ) {
        let done = json!({
            "model": "m", "created_at": "2026-01-01T00:00:00.1Z", "message": {"role": "assistant", "content": ""},
            "done": true, "done_reason": "stop", "total_duration": 150_000_000,
        });
        let error = json!({"error": "an error was encountered while running the model: unexpected EOF"});
        let body = chat(&messages, if is_done { &done } else { &error });
        let mut bench = bench(imported(&body, ImportOptions::default()), Matching::Any);
        for (path, request) in streams() {
            let answer = bench.post(path, &request);
            // What a dialect cannot say is a miss.
            if answer.status != 200 {
                continue;
            }
            let again = imported(&answer.text(), ImportOptions { model: Some("m".to_owned()), ..ImportOptions::default() });
            let exchange = &again.exchanges[0];
            prop_assert_eq!(head(exchange), ("POST", path, answer.header("Content-Type")));
            let found: Vec<&[u8]> = exchange.chunks.iter().map(|chunk| &chunk.bytes[..]).collect();
            let end = if path.starts_with("/api/") { "\n" } else { "\n\n" };
            let text = answer.text();
            let expected: Vec<&[u8]> = text.split_inclusive(end).map(str::as_bytes).collect();
            prop_assert_eq!(found, expected, "{}", path);
            prop_assert!(exchange.end == End::Clean || !is_done, "{}", path);
        }
    }
}

#[rstest]
#[case::tags("GET", "/api/tags", Value::Null)]
#[case::version("GET", "/api/version", Value::Null)]
#[case::status("GET", "/api/status", Value::Null)]
#[case::loaded("GET", "/api/ps", Value::Null)]
#[case::models("GET", "/v1/models", Value::Null)]
#[case::model("GET", "/v1/models/llama", Value::Null)]
#[case::show("POST", "/api/show", json!({"model": "llama"}))]
#[case::embed("POST", "/api/embed", json!({"model": "embedder", "input": ["a", "b"]}))]
#[case::embeddings("POST", "/api/embeddings", json!({"model": "embedder", "prompt": "a"}))]
#[case::open_ai_embeddings("POST", "/v1/embeddings", json!({"model": "embedder", "input": "a"}))]
#[case::generate("POST", "/api/generate", json!({"model": "llama", "prompt": "x", "stream": false}))]
#[case::chat("POST", "/api/chat", json!({"model": "llama", "messages": [{"role": "user", "content": "x"}], "stream": false}))]
#[case::completions("POST", "/v1/completions", json!({"model": "llama", "prompt": "x"}))]
#[case::open_ai_chat("POST", "/v1/chat/completions", json!({"model": "llama", "messages": [{"role": "user", "content": "x"}]}))]
#[case::responses("POST", "/v1/responses", json!({"model": "llama", "input": "x"}))]
#[case::messages("POST", "/v1/messages", json!({"model": "llama", "messages": [{"role": "user", "content": "x"}], "max_tokens": 9}))]
fn a_plain_answer_is_told_by_its_body_and_served_again(
    #[case] method: &str,
    #[case] path: &str,
    #[case] request: Value,
) {
    let body = if request.is_null() { String::new() } else { request.to_string() };
    let mut server = Bench::scripted();
    server.post("/api/generate", &json!({"model": "llama", "prompt": "x", "stream": false}));
    let answer = server.ask(method, path, &body);
    assert_eq!(answer.status, 200, "{}", answer.text());
    let request = Some(request).filter(|request| !request.is_null());
    let recording = imported(&answer.text(), ImportOptions { request, ..ImportOptions::default() });
    assert_eq!(head(&recording.exchanges[0]), (method, path, answer.header("Content-Type")));
    assert_eq!(recording.exchanges[0].end, End::Clean);
    let again = bench(recording, Matching::Exact).ask(method, path, &body);
    let said = |answer: &Answer| (answer.status, answer.header("Content-Type").map(str::to_owned), answer.text());
    assert_eq!(said(&again), said(&answer));
}

#[rstest]
#[case("/api/generate")]
#[case("/api/chat")]
#[case("/v1/completions")]
#[case("/v1/chat/completions")]
#[case("/v1/responses")]
#[case("/v1/messages")]
fn a_lone_error_is_served_again_with_its_status(#[case] path: &str) {
    let (_, request) = streams().into_iter().find(|(known, _)| *known == path).unwrap();
    let answer = Bench::scripted().post(path, &request);
    assert_eq!(answer.status, 404, "{}", answer.text());
    let options = ImportOptions {
        path: Some(path.to_owned()),
        status: Some(404),
        request: Some(request.clone()),
        ..ImportOptions::default()
    };
    let again = bench(imported(&answer.text(), options), Matching::Exact).post(path, &request);
    assert_eq!((again.status, again.text()), (404, answer.text()));
    assert!(again.header("Content-Type").is_some_and(|kind| kind.starts_with("application/json")));
}

#[rstest]
fn the_method_of_an_imported_path_is_one_that_the_router_knows(
    #[values(
        "/api/version",
        "/api/status",
        "/api/tags",
        "/api/ps",
        "/api/show",
        "/api/generate",
        "/api/chat",
        "/api/embed",
        "/api/embeddings",
        "/api/pull",
        "/api/push",
        "/api/create",
        "/api/copy",
        "/api/delete",
        "/api/me",
        "/api/signout",
        "/api/experimental/web_search",
        "/api/experimental/web_fetch",
        "/api/experimental/model-recommendations",
        "/v1/chat/completions",
        "/v1/completions",
        "/v1/embeddings",
        "/v1/models",
        "/v1/models/m",
        "/v1/responses",
        "/v1/messages"
    )]
    path: &str,
) {
    let options =
        ImportOptions { path: Some(path.to_owned()), model: Some("m".to_owned()), ..ImportOptions::default() };
    let recording = imported("{}", options);
    let (method, ..) = head(&recording.exchanges[0]);
    assert!(has_route(method, path, &mock_ollama::dialect::routes()), "{method} {path}");
}
