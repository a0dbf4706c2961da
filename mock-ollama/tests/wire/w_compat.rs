//! W-086 to W-107: the dialects of `OpenAI` and Anthropic.

use base64::Engine as _;
use rstest::rstest;
use serde_json::{Value, json};

use crate::bench::{Answer, Bench};

fn says(word: &str) -> Value {
    json!([{ "role": "user", "content": word }])
}

fn chat(word: &str, more: Value) -> Answer {
    ask("/v1/chat/completions", json!({ "model": "llama", "messages": says(word) }), more)
}

fn complete(word: &str, more: Value) -> Answer {
    ask("/v1/completions", json!({ "model": "llama", "prompt": word }), more)
}

fn respond(word: &str, more: Value) -> Answer {
    ask("/v1/responses", json!({ "model": "llama", "input": word }), more)
}

fn message(word: &str, more: Value) -> Answer {
    ask("/v1/messages", json!({ "model": "llama", "max_tokens": 10, "messages": says(word) }), more)
}

#[expect(clippy::needless_pass_by_value, reason = "so that calls read as what they send")]
fn ask(path: &str, mut body: Value, more: Value) -> Answer {
    for (key, value) in more.as_object().unwrap() {
        body[key] = value.clone();
    }
    Bench::scripted().post(path, &body)
}

fn stream() -> Value {
    json!({ "stream": true })
}

fn tools() -> Value {
    json!([{ "type": "function", "function": { "name": "get_weather", "parameters": { "type": "object", "properties": {} } } }])
}

#[rstest]
#[case("/v1/chat/completions", json!({ "model": "nope", "messages": [{ "role": "user", "content": "x" }] }), "not_found_error")]
#[case("/v1/completions", json!({ "model": 5 }), "invalid_request_error")]
#[case("/v1/embeddings", json!({ "model": "nope", "input": "x" }), "not_found_error")]
#[case("/v1/responses", json!({}), "invalid_request_error")]
#[case("/v1/chat/completions", json!({ "model": "llama", "messages": [{ "role": "user", "content": "ERRZERO" }] }), "api_error")]
fn w_086_an_openai_error_has_four_fields(#[case] path: &str, #[case] body: Value, #[case] kind: &str) {
    let error = Bench::scripted().post(path, &body).json()["error"].clone();
    let keys: Vec<&String> = error.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["message", "type", "param", "code"]);
    assert_eq!((&error["type"], &error["param"], &error["code"]), (&json!(kind), &Value::Null, &Value::Null));
}

#[test]
fn w_087_an_empty_body_is_eof() {
    for path in ["/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/responses", "/v1/messages"] {
        let answer = Bench::scripted().ask("POST", path, "");
        assert_eq!((answer.status, &answer.json()["error"]["message"]), (400, &json!("EOF")), "{path}");
    }
}

#[test]
fn w_088_stream_defaults_to_false() {
    for answer in [chat("hi", json!({})), complete("hi", json!({})), respond("hi", json!({})), message("hi", json!({}))]
    {
        assert_eq!(answer.header("Content-Type"), Some("application/json"));
    }
}

#[test]
fn w_089_ids_are_small_numbers() {
    let number = |answer: Answer, prefix: &str| {
        let id = answer.json()["id"].as_str().unwrap().to_owned();
        let number: u32 = id.strip_prefix(prefix).unwrap().parse().unwrap();
        assert!(number < 999, "{id}");
    };
    number(chat("hi", json!({})), "chatcmpl-");
    number(complete("hi", json!({})), "cmpl-");
}

#[test]
fn w_090_w_091_w_092_w_094_a_chat_stream_has_one_role_one_time_an_empty_finish_and_done() {
    let answer = chat("hi", stream());
    let events = answer.events();
    let roles = events.iter().filter(|event| event["choices"][0]["delta"].get("role").is_some()).count();
    assert_eq!((roles, &events[0]["choices"][0]["delta"]["role"]), (1, &json!("assistant")));
    assert!(events.iter().all(|event| event["created"] == events[0]["created"] && event["id"] == events[0]["id"]));
    let finish = &events.last().unwrap()["choices"][0];
    assert_eq!((&finish["delta"], &finish["finish_reason"]), (&json!({}), &json!("stop")));
    assert!(answer.text().ends_with("data: [DONE]\n\n"));
    assert_eq!(answer.header("Content-Type"), Some("text/event-stream"));
}

#[test]
fn w_093_usage_comes_on_request_in_a_last_chunk_without_choices() {
    assert!(!chat("hi", stream()).text().contains("usage"));
    let asked = chat("hi", json!({ "stream": true, "stream_options": { "include_usage": true } }));
    let last = asked.events().pop().unwrap();
    assert_eq!(last["choices"], json!([]));
    assert_eq!(last["usage"], json!({ "prompt_tokens": 11, "completion_tokens": 4, "total_tokens": 15 }));
    assert_eq!(asked.text().matches("usage").count(), 1);
}

#[test]
fn w_095_tool_calls_finish_as_such_and_their_arguments_are_one_string() {
    let answer = chat("TOOLCALL", json!({ "tools": tools(), "stream": true }));
    let events = answer.events();
    let call = &events[0]["choices"][0]["delta"]["tool_calls"][0];
    assert_eq!(call["function"]["arguments"], r#"{"city":"Paris"}"#);
    assert_eq!(events.last().unwrap()["choices"][0]["finish_reason"], "tool_calls");
    let whole = chat("TOOLCALL", json!({ "tools": tools() })).json();
    assert_eq!(whole["choices"][0]["finish_reason"], "tool_calls");
}

#[test]
fn w_096_a_failure_in_mid_stream_is_an_empty_chunk_and_no_done() {
    let answer = chat("ERRMID", stream());
    let last = answer.events().pop().unwrap();
    assert_eq!((&last["model"], &last["choices"][0]["delta"]["content"]), (&json!(""), &json!("")));
    assert!(!answer.text().contains("[DONE]") && !answer.text().contains("boom"), "{}", answer.text());
}

#[test]
fn w_097_completion_chunks_have_their_choices_before_the_model() {
    let first = complete("hi", stream()).events().remove(0);
    let keys: Vec<&String> = first.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["id", "object", "created", "choices", "model", "system_fingerprint"]);
}

#[test]
fn w_098_embeddings_come_in_base64_on_request() {
    let body = |format: &str| json!({ "model": "embedder", "input": "x", "encoding_format": format });
    let coded = Bench::scripted().post("/v1/embeddings", &body("base64")).json();
    let bytes =
        base64::engine::general_purpose::STANDARD.decode(coded["data"][0]["embedding"].as_str().unwrap()).unwrap();
    let floats: Vec<f32> = bytes.chunks(4).map(|four| f32::from_le_bytes(four.try_into().unwrap())).collect();
    let plain = Bench::scripted().post("/v1/embeddings", &body("FLOAT")).json();
    #[expect(clippy::cast_possible_truncation, reason = "the numbers were printed from 32 bits")]
    let expected: Vec<f32> =
        plain["data"][0]["embedding"].as_array().unwrap().iter().map(|x| x.as_f64().unwrap() as f32).collect();
    assert_eq!(floats, expected);
    let refused = Bench::scripted().post("/v1/embeddings", &body("zzz"));
    let text = "Invalid value for 'encoding_format' = zzz. Supported values: ['float', 'base64'].";
    assert_eq!((refused.status, &refused.json()["error"]["message"]), (400, &json!(text)));
}

#[test]
fn w_099_no_models_are_null() {
    let mut bench = Bench::with(|config| config.catalog = mock_ollama::catalog::Catalog::default().into());
    assert_eq!(bench.get("/v1/models").text(), "{\"object\":\"list\",\"data\":null}\n");
}

#[test]
fn w_100_json_of_the_compatibility_layer_ends_in_a_newline() {
    for answer in [
        chat("hi", json!({})),
        complete("hi", json!({})),
        respond("hi", json!({})),
        message("hi", json!({})),
        Bench::scripted().get("/v1/models"),
        Bench::scripted().get("/v1/models/nope"),
        chat("hi", json!({ "model": "nope" })),
    ] {
        assert!(answer.text().ends_with("}\n"), "{}", answer.text());
        assert_eq!(answer.header("Content-Type"), Some("application/json"));
    }
}

fn assert_sorted(value: &Value) {
    match value {
        Value::Object(map) => {
            assert!(map.keys().is_sorted(), "{value}");
            map.values().for_each(assert_sorted);
        }
        Value::Array(values) => values.iter().for_each(assert_sorted),
        _ => {}
    }
}

#[test]
fn w_101_responses_events_have_sorted_keys_and_numbers_in_sequence() {
    for word in ["hi", "EMPTYGEN", "THINKING"] {
        let answer = respond(word, json!({ "stream": true, "model": "think" }));
        for (event, number) in answer.events().iter().zip(0..) {
            assert_sorted(event);
            assert_eq!(event["sequence_number"], number);
        }
        assert!(!answer.text().contains("[DONE]"));
    }
}

#[test]
fn w_102_responses_and_messages_streams_are_not_to_be_cached() {
    for word in ["hi", "ERRZERO"] {
        for answer in [respond(word, stream()), message(word, stream())] {
            assert_eq!(answer.header("Cache-Control"), Some("no-cache"));
        }
    }
    let body = json!({ "model": "llama", "input": "hi", "stream": true }).to_string();
    let head = format!("POST /v1/responses HTTP/1.1\r\nHost: a.local\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    assert_eq!(Bench::scripted().raw(head).header("Connection"), Some("keep-alive"));
}

#[test]
fn w_103_each_event_is_a_chunk_of_its_own() {
    for answer in [respond("hi", stream()), message("hi", stream())] {
        for chunk in answer.chunks() {
            assert!(chunk.starts_with("event: ") && chunk.ends_with("\n\n"), "{chunk}");
            assert_eq!(chunk.matches("\n\n").count(), 1, "{chunk}");
        }
    }
}

#[rstest]
#[case(json!({ "max_tokens": null }), "max_tokens is required and must be positive")]
#[case(json!({ "max_tokens": 0 }), "max_tokens is required and must be positive")]
#[case(json!({ "messages": [] }), "messages is required")]
#[case(json!({ "model": "" }), "model is required")]
fn w_104_messages_need_a_model_a_limit_and_messages(#[case] more: Value, #[case] text: &str) {
    let answer = message("hi", more);
    assert_eq!((answer.status, &answer.json()["error"]["message"]), (400, &json!(text)));
}

#[test]
fn w_105_anthropic_errors_carry_a_request_id_and_503_is_overloaded() {
    for (word, kind) in [("BUSY", "overloaded_error"), ("ERRZERO", "api_error")] {
        let answer = message(word, json!({}));
        let body = answer.json();
        assert_eq!((&body["type"], &body["error"]["type"]), (&json!("error"), &json!(kind)));
        let id = body["request_id"].as_str().unwrap().strip_prefix("req_").unwrap();
        assert!(id.len() == 24 && id.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)));
        assert_eq!(answer.header("Retry-After"), None);
    }
}

#[test]
fn w_106_the_real_counts_come_at_the_end() {
    let events = message("LENGTH", stream()).events();
    assert_eq!(events[0]["message"]["usage"], json!({ "input_tokens": 2, "output_tokens": 0 }));
    let end = events.iter().find(|event| event["type"] == "message_delta").unwrap();
    assert_eq!(end["usage"], json!({ "input_tokens": 11, "output_tokens": 4 }));
}

#[test]
fn w_107_count_tokens_is_not_routed() {
    let answer = Bench::scripted().post("/v1/messages/count_tokens", &json!({}));
    assert_eq!((answer.status, answer.text().as_str()), (404, "404 page not found"));
}

#[test]
fn w_112_the_busy_text_has_two_spaces_in_every_dialect() {
    let text = "server busy, please try again.  maximum pending requests exceeded";
    for answer in [chat("BUSY", stream()), complete("BUSY", json!({})), respond("BUSY", json!({}))] {
        let error = &answer.json()["error"];
        assert_eq!((answer.status, &error["message"], &error["type"]), (503, &json!(text), &json!("api_error")));
        assert_eq!(answer.header("Retry-After"), None);
    }
    let native = Bench::scripted().post("/api/generate", &json!({ "model": "llama", "prompt": "BUSY" }));
    assert_eq!(native.text(), format!(r#"{{"error":"{text}"}}"#));
}
