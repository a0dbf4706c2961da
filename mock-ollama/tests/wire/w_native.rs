//! W-070 to W-085: the other native endpoints.

use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};

use mock_ollama::catalog::Catalog;
use mock_ollama::engine::Config;

use crate::bench::Bench;

const HELLO: &str = "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

fn empty() -> Bench {
    Bench::with(|config: &mut Config| config.catalog = Catalog::default().into())
}

fn say(bench: &mut Bench, more: &Value) {
    let mut body = json!({ "model": "llama", "prompt": "hi" });
    for (key, value) in more.as_object().unwrap() {
        body[key] = value.clone();
    }
    assert_eq!(bench.post("/api/generate", &body).status, 200);
}

#[rstest]
#[case("/api/tags")]
#[case("/api/ps")]
fn w_070_an_empty_listing_is_an_empty_array(#[case] path: &str) {
    assert_eq!(empty().get(path).text(), r#"{"models":[]}"#);
}

#[test]
fn w_071_digests_are_64_digits_without_prefix() {
    let mut bench = Bench::scripted();
    say(&mut bench, &json!({}));
    for path in ["/api/tags", "/api/ps"] {
        for entry in bench.get(path).json()["models"].as_array().unwrap() {
            let digest = entry["digest"].as_str().unwrap();
            assert!(digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit()), "{digest}");
        }
    }
}

#[test]
fn w_072_tags_are_sorted_newest_first_and_ps_by_expiry_latest_first() {
    let mut bench = Bench::scripted();
    bench.post("/api/copy", &json!({ "source": "plain", "destination": "aaa" }));
    let tags = bench.get("/api/tags").json();
    let times: Vec<&str> =
        tags["models"].as_array().unwrap().iter().map(|entry| entry["modified_at"].as_str().unwrap()).collect();
    assert!(times.is_sorted_by(|one, other| one >= other), "{times:?}");
    say(&mut bench, &json!({ "keep_alive": "1h" }));
    say(&mut bench, &json!({ "model": "think", "keep_alive": "2h" }));
    say(&mut bench, &json!({ "model": "q3", "keep_alive": "1m" }));
    let loaded = bench.get("/api/ps").json();
    let names: Vec<&str> =
        loaded["models"].as_array().unwrap().iter().map(|entry| entry["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["think:latest", "llama:latest", "q3:latest"]);
}

#[test]
fn w_073_a_loaded_model_has_its_context_length_and_its_size_in_vram() {
    let mut bench = Bench::scripted();
    say(&mut bench, &json!({}));
    let entry = &bench.get("/api/ps").json()["models"][0];
    let keys: Vec<&String> = entry.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["name", "model", "size", "digest", "details", "expires_at", "size_vram", "context_length"]);
    assert_eq!(entry["details"].get("context_length"), None);
}

fn expires(bench: &mut Bench) -> String {
    bench.get("/api/ps").json()["models"][0]["expires_at"].as_str().unwrap_or("not loaded").to_owned()
}

#[test]
fn w_074_the_expiry_counts_from_the_end_of_a_request_and_w_113_keeps_the_last_keep_alive() {
    let mut bench = Bench::scripted();
    say(&mut bench, &json!({ "keep_alive": "1h" }));
    let first = expires(&mut bench);
    assert_eq!(first, "2026-08-01T11:00:00.11161111Z", "an hour after the last byte");
    bench.now = bench.now.saturating_add(Duration::from_secs(600));
    say(&mut bench, &json!({}));
    let second = expires(&mut bench);
    assert!(second.starts_with("2026-08-01T11:10:0"), "sticky: {second}");
    bench.now = bench.now.saturating_add(Duration::from_secs(3601));
    assert_eq!(expires(&mut bench), "not loaded");
}

#[test]
fn w_074_a_negative_keep_alive_is_for_ever_and_zero_until_the_end_of_the_request() {
    let mut bench = Bench::scripted();
    say(&mut bench, &json!({ "keep_alive": -1 }));
    assert!(expires(&mut bench).starts_with("2318-"), "{}", expires(&mut bench));
    say(&mut bench, &json!({ "keep_alive": 0 }));
    assert_eq!(expires(&mut bench), "not loaded");
}

#[test]
fn w_114_models_that_share_weights_share_a_runner() {
    let mut bench = Bench::scripted();
    say(&mut bench, &json!({ "model": "derived" }));
    say(&mut bench, &json!({ "model": "llama" }));
    let loaded = bench.get("/api/ps").json();
    let names: Vec<&Value> = loaded["models"].as_array().unwrap().iter().map(|entry| &entry["name"]).collect();
    assert_eq!(names, ["derived:latest"]);
}

#[test]
fn w_075_show_has_model_info_with_sorted_keys() {
    for model in ["llama", "embedder", "hm"] {
        let shown = Bench::scripted().post("/api/show", &json!({ "model": model })).json();
        let keys: Vec<&String> = shown["model_info"].as_object().unwrap().keys().collect();
        assert!(!keys.is_empty() && keys.is_sorted(), "{keys:?}");
    }
}

#[test]
fn w_076_show_takes_name_and_names_an_unknown_model_with_its_tag() {
    assert_eq!(Bench::scripted().post("/api/show", &json!({ "name": "plain" })).status, 200);
    let answer = Bench::scripted().post("/api/show", &json!({ "name": "nope" }));
    assert_eq!((answer.status, answer.text().as_str()), (404, r#"{"error":"model 'nope:latest' not found"}"#));
}

#[rstest]
#[case(json!(""))]
#[case(json!([]))]
#[case(Value::Null)]
fn w_077_embed_of_nothing_loads_the_model(#[case] input: Value) {
    let answer = Bench::scripted().post("/api/embed", &json!({ "model": "embedder", "input": input }));
    assert_eq!(answer.text(), r#"{"model":"embedder","embeddings":[]}"#);
}

#[rstest]
#[case("/api/embed", json!({ "model": "nope", "input": "x" }))]
#[case("/api/embeddings", json!({ "model": "nope", "prompt": "x" }))]
fn w_078_embed_of_an_unknown_model_says_try_pulling_it(#[case] path: &str, #[case] body: Value) {
    let answer = Bench::scripted().post(path, &body);
    let text = r#"{"error":"model \"nope\" not found, try pulling it first"}"#;
    assert_eq!((answer.status, answer.text().as_str()), (404, text));
}

#[rstest]
#[case(json!({ "input": "a b" }))]
#[case(json!({ "input": ["a", "b"], "dimensions": 2 }))]
fn w_079_embed_vectors_have_unit_length(#[case] more: Value) {
    let mut body = more;
    body["model"] = json!("embedder");
    for vector in Bench::scripted().post("/api/embed", &body).json()["embeddings"].as_array().unwrap() {
        let square: f64 = vector.as_array().unwrap().iter().map(|x| x.as_f64().unwrap().powi(2)).sum();
        assert!((square - 1.0).abs() < 1e-6, "{square}");
    }
}

#[test]
fn an_option_of_the_wrong_type_is_refused_by_embed_too() {
    let body = json!({ "model": "embedder", "input": "x", "options": { "num_ctx": "x" } });
    assert_eq!(Bench::scripted().post("/api/embed", &body).status, 500);
}

#[test]
fn w_080_w_081_a_pull_goes_from_the_manifest_to_success_and_leaves_out_a_zero() {
    let mut bench = Bench::scripted();
    bench.ask("DELETE", "/api/delete", r#"{"model":"llama"}"#);
    assert_eq!(bench.post("/api/generate", &json!({ "model": "llama", "prompt": "hi" })).status, 404);
    let lines = bench.post("/api/pull", &json!({ "model": "llama" })).objects();
    assert_eq!(lines.first().unwrap(), &json!({ "status": "pulling manifest" }));
    assert_eq!(lines.last().unwrap(), &json!({ "status": "success" }));
    assert!(lines.iter().all(|line| line["completed"] != 0), "{lines:?}");
    assert!(lines.iter().any(|line| line["completed"].is_u64()), "{lines:?}");
    let tags = bench.get("/api/tags").text();
    assert!(tags.contains("\"name\":\"llama:latest\""), "{tags}");
}

#[test]
fn w_080_a_pull_that_is_not_streamed_says_success_alone() {
    let answer = Bench::scripted().post("/api/pull", &json!({ "model": "llama", "stream": false }));
    assert_eq!(answer.text(), r#"{"status":"success"}"#);
    assert_eq!(answer.header("Content-Type"), Some("application/json"));
}

#[test]
fn a_pull_that_is_broken_off_changes_nothing() {
    let mut bench = Bench::scripted();
    bench.ask("DELETE", "/api/delete", r#"{"model":"llama"}"#);
    let body = r#"{"model":"llama"}"#;
    let head = format!("POST /api/pull HTTP/1.1\r\nHost: a.local\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let conn = bench.open(head);
    bench.run_while(conn, |written| written.len() < 2);
    let now = bench.now;
    bench.engine.handle_closed(conn, now);
    assert!(!bench.get("/api/tags").text().contains("\"name\":\"llama:latest\""));
}

#[test]
fn w_082_a_registry_failure_is_a_line_of_a_stream_or_a_500() {
    let streamed = Bench::scripted().post("/api/pull", &json!({ "model": "nope" }));
    assert_eq!((streamed.status, streamed.chunks().len()), (200, 2));
    let last = streamed.objects().pop().unwrap();
    assert_eq!(last["error"], "pull model manifest: file does not exist");
    let whole = Bench::scripted().post("/api/pull", &json!({ "model": "nope", "stream": false }));
    assert_eq!((whole.status, whole.json()), (500, last));
}

#[test]
fn w_083_copy_and_delete_succeed_with_an_empty_body() {
    let mut bench = Bench::scripted();
    let copied = bench.post("/api/copy", &json!({ "source": "llama", "destination": "mine" }));
    assert_eq!((copied.status, copied.header("Content-Length")), (200, Some("0")));
    assert_eq!(bench.post("/api/generate", &json!({ "model": "mine", "prompt": "hi" })).status, 200);
    let deleted = bench.ask("DELETE", "/api/delete", r#"{"name":"mine"}"#);
    assert_eq!((deleted.status, deleted.header("Content-Length")), (200, Some("0")));
    assert_eq!(bench.post("/api/generate", &json!({ "model": "mine", "prompt": "hi" })).status, 404);
}

#[test]
fn w_084_w_085_a_blob_is_created_once_and_checked() {
    let mut bench = Bench::scripted();
    let path = format!("/api/blobs/{HELLO}");
    assert_eq!(bench.ask("HEAD", &path, "").status, 404);
    assert_eq!(bench.ask("POST", &path, "hello").status, 201);
    assert_eq!(bench.ask("HEAD", &path, "").status, 200);
    assert_eq!(bench.ask("HEAD", &path.replace("sha256:", "sha256-"), "").status, 200);
    assert_eq!(bench.ask("POST", &path, "hello").status, 200);
    let other = path.replace("2cf2", "2cf3");
    assert_eq!(bench.ask("POST", &other, "hello").status, 400);
}

#[test]
fn a_created_model_has_what_it_was_created_with_and_answers_as_its_source() {
    let mut bench = Bench::scripted();
    let lines = bench.post("/api/create", &json!({ "model": "mine", "from": "plain", "system": "be kind" })).objects();
    assert_eq!(lines.last().unwrap(), &json!({ "status": "success" }));
    assert_eq!(bench.post("/api/show", &json!({ "model": "mine" })).json()["system"], "be kind");
    let said = bench.post("/api/generate", &json!({ "model": "mine", "prompt": "hi", "stream": false })).json();
    assert_eq!(said["response"], "Hello world");
}
