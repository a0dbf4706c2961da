//! W-019 to W-030: JSON encoding and request reading.

use rstest::rstest;
use serde_json::json;

use crate::bench::Bench;

fn answer(word: &str) -> String {
    Bench::scripted().post("/api/generate", &json!({ "model": "llama", "prompt": word })).text()
}

#[test]
fn w_019_html_is_escaped_in_streams_plain_answers_and_errors() {
    assert!(answer("HTML").contains(r#""response":"\u003cb\u003e""#));
    assert!(answer("HTML").contains(r#""response":"\u0026""#));
    let whole =
        Bench::scripted().post("/api/generate", &json!({ "model": "llama", "prompt": "HTML", "stream": false }));
    assert!(whole.text().contains(r"\u003cb\u003e\u0026"));
    let error = Bench::scripted().post("/api/show", &json!({ "model": "llama", "name": 1 }));
    assert_eq!(error.status, 400);
    assert!(answer("ERRMID").contains(r"boom \u003cx\u003e"));
}

#[test]
fn w_020_line_separators_are_escaped() {
    let text = answer("HTML");
    assert!(text.contains(r#""response":"\u2028""#) && !text.contains('\u{2028}'));
}

#[test]
fn w_021_other_text_is_raw_utf_8() {
    let text = answer("HTML");
    assert!(text.contains(r#""response":"é""#) && text.contains(r#""response":"😀""#));
    assert!(text.contains("\"response\":\"\u{7f}\""));
}

#[test]
fn w_022_control_bytes_have_their_short_forms() {
    let text = answer("HTML");
    assert!(text.contains(r#""response":"\t\n""#) && text.contains(r#""response":"\u0001""#));
}

#[test]
fn w_023_numbers_have_gos_form() {
    let embedded = Bench::scripted().post("/api/embeddings", &json!({ "model": "embedder", "prompt": "x" })).text();
    assert_eq!(embedded, r#"{"embedding":[0.10000000149011612,-0.20000000298023224,2.999999892949745e-8,1]}"#);
}

#[test]
fn w_024_created_at_has_no_zeros_at_the_end_of_its_fraction() {
    for object in Bench::scripted().post("/api/generate", &json!({ "model": "llama", "prompt": "hi" })).objects() {
        let time = object["created_at"].as_str().unwrap();
        let (_, fraction) = time.strip_suffix('Z').unwrap().split_once('.').unwrap_or((time, "1"));
        assert!((1..=9).contains(&fraction.len()) && !fraction.ends_with('0'), "{time}");
        assert!(time.starts_with("2026-08-01T10:00:00"), "{time}");
    }
}

#[test]
fn w_025_fields_stand_in_the_order_of_gos_structs() {
    let keys = |path, body: serde_json::Value| -> Vec<String> {
        let object = Bench::scripted().post(path, &body).json();
        object.as_object().unwrap().keys().cloned().collect()
    };
    let metrics =
        ["total_duration", "load_duration", "prompt_eval_count", "prompt_eval_duration", "eval_count", "eval_duration"];
    let generate =
        json!({ "model": "think", "prompt": "THINKING", "stream": false, "logprobs": true, "top_logprobs": 1 });
    let expected: Vec<&str> = ["model", "created_at", "response", "thinking", "done", "done_reason", "context"]
        .into_iter()
        .chain(metrics)
        .chain(["logprobs"])
        .collect();
    assert_eq!(keys("/api/generate", generate), expected);
    let chat = json!({
        "model": "llama", "messages": [{ "role": "user", "content": "hi" }], "stream": false, "logprobs": true,
    });
    let expected: Vec<&str> =
        ["model", "created_at", "message", "done", "done_reason", "logprobs"].into_iter().chain(metrics).collect();
    assert_eq!(keys("/api/chat", chat), expected);
}

#[test]
fn w_026_request_keys_match_without_case_and_unknown_ones_are_ignored() {
    let body = json!({ "MODEL": "llama", "Prompt": "hi", "STREAM": false, "nonsense": [1] });
    assert_eq!(Bench::scripted().post("/api/generate", &body).json()["response"], "Hello world");
}

#[test]
fn w_027_bytes_after_the_first_value_are_ignored() {
    let body = r#"{"model":"llama","prompt":"hi","stream":false} }] garbage"#;
    assert_eq!(Bench::scripted().ask("POST", "/api/generate", body).status, 200);
}

#[test]
fn w_028_the_content_type_of_a_request_does_not_matter() {
    let body = r#"{"model":"llama","prompt":"hi","stream":false}"#;
    assert_eq!(Bench::scripted().ask_with("POST", "/api/generate", "Content-Type: text/plain\r\n", body).status, 200);
}

#[rstest]
#[case("LLAMA")]
#[case(" llama ")]
#[case("library/llama:latest")]
#[case("llama:local")]
fn w_029_w_030_any_form_of_the_name_finds_the_model_and_is_echoed_as_it_was_asked(#[case] name: &str) {
    let answer = Bench::scripted().post("/api/generate", &json!({ "model": name, "prompt": "hi" }));
    assert!(answer.objects().iter().all(|object| object["model"] == name), "{}", answer.text());
    let chat = json!({ "model": name, "messages": [{ "role": "user", "content": "hi" }] });
    assert_eq!(Bench::scripted().post("/v1/chat/completions", &chat).json()["model"], name);
}
