//! Streams that end without a single object: the runner stopped before anything could be shown.

use rstest::rstest;
use serde_json::{Value, json};

use crate::bench::{Answer, Bench, Body};

/// A streamed request that asks a model in the form of a route.
pub(crate) fn asking(path: &str, model: &str, text: &str) -> Value {
    let messages = json!([{ "role": "user", "content": text }]);
    match path {
        "/api/generate" | "/v1/completions" => json!({ "model": model, "prompt": text, "stream": true }),
        "/v1/responses" => json!({ "model": model, "input": text, "stream": true }),
        "/v1/messages" => json!({ "model": model, "messages": messages, "max_tokens": 9, "stream": true }),
        _ => json!({ "model": model, "messages": messages, "stream": true }),
    }
}

fn fields(answer: &Answer) -> Vec<String> {
    answer.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect()
}

#[rstest]
#[case::generate("/api/generate", false)]
#[case::chat("/api/chat", false)]
#[case::openai_chat("/v1/chat/completions", false)]
#[case::openai_completions("/v1/completions", false)]
#[case::responses("/v1/responses", true)]
#[case::messages("/v1/messages", true)]
fn a_stream_without_an_object_has_the_head_of_the_native_one(
    #[case] path: &str,
    #[case] uncached: bool,
    // A runner that says nothing, and a parser that shows nothing of what it says.
    #[values(("llama", "NOFINAL EMPTYGEN"), ("hm", "NOFINAL"))] asked: (&str, &str),
) {
    let answer = Bench::scripted().post(path, &asking(path, asked.0, asked.1));
    let mut expected = vec!["Content-Type: application/x-ndjson", "Connection: close", "Transfer-Encoding: chunked"];
    if uncached {
        expected.insert(0, "Cache-Control: no-cache");
    }
    assert_eq!((answer.status, fields(&answer)), (200, expected.into_iter().map(str::to_owned).collect()));
    assert_eq!(answer.body, Body::Chunks { chunks: Vec::new(), clean: true });
}

#[test]
fn a_stream_without_an_object_keeps_the_connection() {
    let body = asking("/v1/messages", "llama", "NOFINAL EMPTYGEN").to_string();
    let head = format!("POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n", body.len());
    let mut bench = Bench::scripted();
    let conn = bench.open(head + &body);
    let wire: Vec<u8> = bench.run(conn).into_iter().flat_map(|(_, bytes)| bytes).collect();
    let wire = String::from_utf8(wire).unwrap();
    assert!(wire.contains("\r\nConnection: keep-alive\r\n") && wire.ends_with("\r\n\r\n0\r\n\r\n"), "{wire}");
}

#[test]
fn a_stream_without_an_object_of_http_1_0_ends_with_the_connection() {
    let body = asking("/api/chat", "llama", "NOFINAL EMPTYGEN").to_string();
    let head = format!("POST /api/chat HTTP/1.0\r\nContent-Length: {}\r\n\r\n", body.len());
    let answer = Bench::scripted().raw(head + &body);
    assert_eq!((answer.header("Content-Length"), answer.header("Transfer-Encoding")), (None, None));
    assert_eq!(answer.body, Body::Plain(Vec::new()));
}

#[rstest]
#[case::native("/api/chat")]
#[case::openai("/v1/chat/completions")]
#[case::responses("/v1/responses")]
#[case::messages("/v1/messages")]
fn a_failure_before_anything_was_shown_has_its_status(#[case] path: &str) {
    // Two pieces come before it, of which the parser shows nothing.
    let answer = Bench::scripted().post(path, &asking(path, "hm", "ERRMID"));
    assert_eq!((answer.status, answer.header("Content-Type")), (500, Some("application/json")));
    assert_eq!(answer.header("Transfer-Encoding"), Some("chunked"));
    assert!(answer.text().contains("boom"), "{}", answer.text());
}

#[rstest]
#[case::chat("/v1/chat/completions", "created")]
#[case::completions("/v1/completions", "created")]
#[case::responses("/v1/responses", "created_at")]
fn a_folded_answer_without_an_object_has_the_zero_time_of_go(#[case] path: &str, #[case] key: &str) {
    let mut body = asking(path, "llama", "NOFINAL EMPTYGEN");
    body["stream"] = json!(false);
    assert_eq!(Bench::scripted().post(path, &body).json()[key], -62_135_596_800_i64);
}

#[test]
fn a_folded_message_without_an_object_names_no_model() {
    let mut body = asking("/v1/messages", "llama", "NOFINAL EMPTYGEN");
    body["stream"] = json!(false);
    let message = Bench::scripted().post("/v1/messages", &body).json();
    assert_eq!((&message["model"], &message["content"], message.get("stop_reason")), (&json!(""), &Value::Null, None));
}
