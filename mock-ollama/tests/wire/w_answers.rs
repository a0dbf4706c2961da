//! W-031 to W-069: `/api/generate` and `/api/chat`.

use rstest::rstest;
use serde_json::{Value, json};

use mock_ollama::clock::Instant;
use mock_ollama::journal::Fate;

use crate::bench::{Answer, Bench, Body, parse};

fn generate(body: Value) -> Answer {
    Bench::scripted().post("/api/generate", &with(json!({ "model": "llama", "prompt": "hi" }), body))
}

fn chat(body: Value) -> Answer {
    let base = json!({ "model": "llama", "messages": [{ "role": "user", "content": "hi" }] });
    Bench::scripted().post("/api/chat", &with(base, body))
}

fn says(word: &str) -> Value {
    json!([{ "role": "user", "content": word }])
}

#[expect(clippy::needless_pass_by_value, reason = "so that calls read as what they send")]
fn with(mut base: Value, more: Value) -> Value {
    for (key, value) in more.as_object().unwrap() {
        base[key] = value.clone();
    }
    base
}

fn tool() -> Value {
    json!([{ "type": "function", "function": { "name": "get_weather", "parameters": { "type": "object", "properties": {} } } }])
}

fn refused(answer: &Answer) -> (u16, String) {
    (answer.status, answer.json()["error"].as_str().unwrap().to_owned())
}

#[test]
fn w_031_without_stream_the_answer_streams() {
    assert_eq!(generate(json!({})).objects().len(), 4);
    assert_eq!(generate(json!({ "stream": null })).objects().len(), 4);
}

#[test]
fn w_032_no_byte_leaves_before_the_first_object() {
    let mut bench = Bench::scripted();
    let answer = bench.post("/api/generate", &json!({ "model": "llama", "prompt": "hi" }));
    let (at, first) = &answer.writes[0];
    assert!(*at > Instant::ZERO);
    let first = String::from_utf8_lossy(first);
    assert!(first.starts_with("HTTP/1.1 200 OK\r\n") && first.contains("\"Hel\""), "{first}");
}

#[test]
fn w_033_each_object_is_one_chunk_with_one_newline() {
    for chunk in generate(json!({})).chunks().iter().chain(&chat(json!({})).chunks()) {
        assert!(chunk.ends_with("}\n") && chunk.matches('\n').count() == 1, "{chunk}");
        serde_json::from_str::<Value>(chunk).unwrap();
    }
}

#[test]
fn w_034_objects_before_the_last_have_neither_reason_nor_metrics_nor_context() {
    for object in &generate(json!({})).objects()[..3] {
        let keys: Vec<&String> = object.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["model", "created_at", "response", "done"]);
        assert_eq!(object["done"], false);
    }
}

#[test]
fn w_035_the_final_object_has_no_text_a_reason_and_six_metrics() {
    let last = generate(json!({})).objects().pop().unwrap();
    assert_eq!((&last["response"], &last["done"], &last["done_reason"]), (&json!(""), &json!(true), &json!("stop")));
    for key in ["total_duration", "load_duration", "prompt_eval_duration", "eval_duration"] {
        assert!(last[key].as_u64().unwrap() > 0, "{key}");
    }
    assert_eq!((&last["prompt_eval_count"], &last["eval_count"]), (&json!(11), &json!(4)));
}

#[test]
fn w_036_generate_ends_with_a_context_unless_raw() {
    assert!(generate(json!({ "stream": false })).json()["context"].is_array());
    assert_eq!(generate(json!({ "stream": false, "raw": true })).json().get("context"), None);
}

#[test]
fn w_037_chat_never_has_a_context() {
    assert_eq!(chat(json!({ "stream": false })).json().get("context"), None);
}

#[test]
fn w_038_a_limit_ends_the_answer_with_length() {
    assert_eq!(generate(json!({ "prompt": "LENGTH", "stream": false })).json()["done_reason"], "length");
}

#[test]
fn w_039_a_natural_stop_counts_one_token_more_than_it_sent() {
    let objects = generate(json!({})).objects();
    assert_eq!(objects.last().unwrap()["eval_count"], objects.len());
}

#[test]
fn w_040_durations_are_nanoseconds_and_the_total_is_at_least_their_sum() {
    for word in ["hi", "EMPTYGEN", "BIG", "HTML"] {
        let last = generate(json!({ "prompt": word })).objects().pop().unwrap();
        let ns = |key: &str| last[key].as_u64().unwrap();
        assert!(ns("total_duration") >= ns("load_duration") + ns("prompt_eval_duration") + ns("eval_duration"));
        assert_eq!((ns("prompt_eval_duration"), ns("eval_duration")), (12_345_678, 98_765_432));
    }
}

#[test]
fn a_request_to_render_alone_is_told_what_the_model_would_have_been_given() {
    let info = generate(json!({ "_debug_render_only": true })).json();
    assert_eq!((&info["response"], &info["done"]), (&json!(""), &json!(false)));
    assert_eq!(info["_debug_info"], json!({ "rendered_template": "user: hi" }));
    let info = chat(json!({ "_debug_render_only": true })).json();
    assert_eq!(info["message"], json!({ "role": "", "content": "" }));
}

#[test]
fn w_041_a_whole_answer_holds_all_text_and_no_newline_at_its_end() {
    let answer = generate(json!({ "stream": false }));
    assert_eq!(answer.json()["response"], "Hello world");
    assert!(answer.text().ends_with('}'));
}

#[rstest]
#[case(json!({ "prompt": "" }))]
#[case(json!({ "prompt": "", "stream": true }))]
fn w_042_an_empty_prompt_loads_and_answers_one_plain_object(#[case] body: Value) {
    let answer = generate(body);
    assert_eq!(answer.json()["done_reason"], "load");
    assert!(matches!(answer.body, Body::Plain(_)));
    assert_eq!(answer.header("Content-Type"), Some("application/json; charset=utf-8"));
}

#[rstest]
#[case(json!(0))]
#[case(json!("0s"))]
#[case(json!("0"))]
fn w_043_a_keep_alive_of_zero_unloads_even_what_is_not_loaded(#[case] keep_alive: Value) {
    let answer = generate(json!({ "prompt": "", "keep_alive": keep_alive }));
    assert_eq!((answer.status, &answer.json()["done_reason"]), (200, &json!("unload")));
}

#[rstest]
#[case(json!("0s"))]
#[case(json!(0))]
#[case(json!(-1))]
#[case(json!(1.5))]
#[case(json!("1h30m"))]
#[case(json!("300ms"))]
fn w_044_a_keep_alive_is_a_number_or_a_duration_of_go(#[case] keep_alive: Value) {
    assert_eq!(generate(json!({ "keep_alive": keep_alive })).status, 200);
}

#[rstest]
#[case(json!("5"), "time: missing unit in duration \"5\"")]
#[case(json!("1d"), "time: unknown unit \"d\" in duration \"1d\"")]
#[case(json!("bogus"), "time: invalid duration \"bogus\"")]
#[case(json!(true), "Unsupported type: 'bool'")]
#[case(json!({}), "Unsupported type: 'map[string]interface {}'")]
fn w_044_any_other_keep_alive_is_400(#[case] keep_alive: Value, #[case] text: &str) {
    assert_eq!(refused(&generate(json!({ "keep_alive": keep_alive }))), (400, text.to_owned()));
}

#[rstest]
#[case("", "missing request body")]
#[case(" \n", "missing request body")]
#[case("{", "unexpected EOF")]
fn w_045_w_046_a_body_that_is_missing_or_cut_is_400(#[case] body: &str, #[case] text: &str) {
    for path in ["/api/generate", "/api/chat", "/api/show", "/api/embed"] {
        assert_eq!(refused(&Bench::scripted().ask("POST", path, body)), (400, text.to_owned()), "{path}");
    }
}

#[test]
fn w_047_a_missing_model_is_404_for_generate_and_400_for_chat() {
    assert_eq!(refused(&generate(json!({ "model": null }))), (404, "model '' not found".to_owned()));
    assert_eq!(refused(&chat(json!({ "model": "" }))), (400, "model is required".to_owned()));
}

#[test]
fn w_048_an_unknown_model_is_404_and_named_as_it_was_asked() {
    assert_eq!(refused(&generate(json!({ "model": "Nope:7B" }))), (404, "model 'Nope:7B' not found".to_owned()));
    assert_eq!(refused(&chat(json!({ "model": "nope" }))), (404, "model 'nope' not found".to_owned()));
}

#[test]
fn w_049_a_malformed_name_is_400() {
    assert_eq!(refused(&chat(json!({ "model": "bad name!" }))), (400, "invalid model name".to_owned()));
}

#[test]
fn w_050_thinking_on_a_model_without_it_is_400() {
    let text = "\"llama\" does not support thinking".to_owned();
    assert_eq!(refused(&generate(json!({ "think": true }))), (400, text.clone()));
    assert_eq!(refused(&chat(json!({ "think": "high" }))), (400, text));
}

#[test]
fn w_051_tools_on_a_model_without_them_name_it_in_full() {
    let answer = chat(json!({ "model": "plain", "tools": tool() }));
    let text = "registry.ollama.ai/library/plain:latest does not support tools".to_owned();
    assert_eq!(refused(&answer), (400, text));
}

#[test]
fn w_052_an_embedder_neither_chats_nor_generates() {
    let text = |what| format!("\"embedder\" does not support {what}");
    assert_eq!(refused(&chat(json!({ "model": "embedder" }))), (400, text("chat")));
    assert_eq!(refused(&generate(json!({ "model": "embedder" }))), (400, text("generate")));
}

#[rstest]
#[case(json!({ "system": "x" }))]
#[case(json!({ "template": "x" }))]
#[case(json!({ "context": [1] }))]
fn w_053_raw_takes_no_system_template_or_context(#[case] more: Value) {
    let text = "raw mode does not support template, system, or context".to_owned();
    assert_eq!(refused(&generate(with(json!({ "raw": true }), more))), (400, text));
}

#[rstest]
#[case("temperature", json!("x"), "float32")]
#[case("num_ctx", json!("x"), "integer")]
#[case("use_mmap", json!(1), "boolean")]
#[case("stop", json!("x"), "array")]
fn w_054_a_mistyped_option_is_500(#[case] name: &str, #[case] value: Value, #[case] kind: &str) {
    let text = format!("option \"{name}\" must be of type {kind}");
    assert_eq!(refused(&generate(json!({ "options": { name: value } }))), (500, text));
}

#[test]
fn w_054_an_unknown_option_is_ignored() {
    assert_eq!(generate(json!({ "options": { "nonsense": 1, "num_predict": 1.9, "seed": null } })).status, 200);
}

#[test]
fn w_055_a_bad_format_is_500_by_way_of_the_stream_writer() {
    let answer = chat(json!({ "format": "xml" }));
    let text = r#"invalid format: "\"xml\""; expected "json" or a valid JSON Schema object"#.to_owned();
    assert_eq!(refused(&answer), (500, text));
    assert_eq!(answer.header("Content-Type"), Some("application/json"));
    assert_eq!(answer.chunks().len(), 1);
}

#[rstest]
#[case(21)]
#[case(-1)]
fn w_056_top_logprobs_go_to_20(#[case] count: i64) {
    let text = "top_logprobs must be between 0 and 20".to_owned();
    assert_eq!(refused(&generate(json!({ "top_logprobs": count }))), (400, text));
}

#[test]
fn w_057_a_message_content_is_a_string() {
    let answer = chat(json!({ "messages": [{ "role": "user", "content": [{ "type": "text", "text": "x" }] }] }));
    let text = "json: cannot unmarshal array into Go struct field ChatRequest.messages.content of type string";
    assert_eq!(refused(&answer), (400, text.to_owned()));
}

#[test]
fn w_058_a_failure_before_the_first_object_keeps_its_status() {
    for answer in [generate(json!({ "prompt": "ERRZERO" })), chat(json!({ "messages": says("ERRZERO") }))] {
        assert_eq!((answer.status, answer.header("Content-Type")), (500, Some("application/json")));
        assert_eq!(answer.chunks(), [r#"{"error":"model runner has unexpectedly stopped"}"#]);
    }
    assert_eq!(generate(json!({ "prompt": "ERRSTATUS" })).status, 400);
}

#[test]
fn w_059_a_failure_after_it_is_the_last_line_of_a_200() {
    let answer = generate(json!({ "prompt": "ERRMID" }));
    let chunks = answer.chunks();
    assert_eq!((answer.status, chunks.len()), (200, 3));
    assert_eq!(chunks[2], "{\"error\":\"an error was encountered while running the model: boom \\u003cx\\u003e\"}\n");
    assert!(matches!(answer.body, Body::Chunks { clean: true, .. }));
    assert!(!answer.text().contains("\"done\":true"));
}

#[test]
fn w_060_a_failure_of_a_whole_answer_discards_its_text() {
    let answer = generate(json!({ "prompt": "ERRMID", "stream": false }));
    assert_eq!((answer.status, answer.header("Content-Type")), (500, Some("application/json; charset=utf-8")));
    assert!(!answer.text().contains("Hel"));
}

#[test]
fn w_061_every_message_has_its_role_and_content() {
    for object in chat(json!({ "model": "think", "messages": says("THINKING") })).objects() {
        assert_eq!(object["message"]["role"], "assistant");
        assert!(object["message"]["content"].is_string());
    }
}

#[test]
fn w_062_w_063_w_064_a_parsed_call_has_an_index_an_object_and_an_id_and_ends_in_stop() {
    let objects = chat(json!({ "messages": says("TOOLCALL"), "tools": tool() })).objects();
    let call = &objects[0]["message"]["tool_calls"][0];
    assert_eq!((&call["function"]["index"], &call["function"]["arguments"]), (&json!(0), &json!({ "city": "Paris" })));
    let id = call["id"].as_str().unwrap().strip_prefix("call_").unwrap();
    assert!(id.len() == 8 && id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()), "{id}");
    assert_eq!(objects.last().unwrap()["done_reason"], "stop");
}

#[test]
fn w_063_ids_follow_from_the_seed() {
    let id = |seed| {
        let mut bench = Bench::with(|config| config.seed = mock_ollama::seed::Seed(seed));
        let body = json!({ "model": "llama", "messages": says("TOOLCALL"), "tools": tool(), "stream": false });
        bench.post("/api/chat", &body).json()["message"]["tool_calls"][0]["id"].clone()
    };
    assert_eq!(id(1), id(1));
    assert_ne!(id(1), id(2));
}

#[test]
fn w_065_a_thinking_model_thinks_unless_told_otherwise() {
    let thinking = |more: Value| {
        let body = with(json!({ "model": "think", "messages": says("THINKING"), "stream": false }), more);
        chat(body).json()["message"]["thinking"].clone()
    };
    assert_eq!(thinking(json!({})), "let me see");
    assert_eq!(thinking(json!({ "think": false })), Value::Null);
}

/// Bytes of a request, and how far its answer goes before the client leaves.
fn left_after(chunks: usize, half: bool, stream: bool) -> (Bench, Vec<(Instant, Vec<u8>)>) {
    let mut bench = Bench::scripted();
    let body = json!({ "model": "llama", "prompt": "hi", "stream": stream }).to_string();
    let head = format!("POST /api/generate HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n", body.len());
    let conn = bench.open(head + &body);
    let mut writes = bench.run_while(conn, |written| written.len() < chunks);
    if half {
        let now = bench.now;
        assert!(bench.engine.handle_half_closed(conn, now));
        writes.extend(bench.run(conn));
    } else {
        let now = bench.now;
        bench.engine.handle_closed(conn, now);
    }
    (bench, writes)
}

#[test]
fn w_066_closing_the_connection_ends_the_generation() {
    let (bench, _) = left_after(2, false, true);
    assert_eq!(bench.engine.journal().in_flight, 0);
    assert_eq!(bench.engine.journal().entries[0].fate, Fate::Aborted { after_chunk: 2 });
    assert_eq!(bench.engine.poll_due(), None);
}

#[test]
fn w_067_a_half_closed_client_gets_an_empty_stream() {
    let answer = parse(left_after(0, true, true).1);
    assert_eq!((answer.status, answer.header("Content-Type")), (200, Some("application/x-ndjson")));
    assert_eq!((answer.header("Content-Length"), answer.text().as_str()), (Some("0"), ""));
}

#[test]
fn w_067_or_an_error_where_it_asked_for_no_stream() {
    let answer = parse(left_after(0, true, false).1);
    assert_eq!((answer.status, answer.text().as_str()), (500, r#"{"error":"context canceled"}"#));
}

#[test]
fn w_067_in_mid_stream_the_error_is_the_last_line() {
    let (bench, writes) = left_after(2, true, true);
    let answer = parse(writes);
    let last = answer.chunks().pop().unwrap();
    assert_eq!(last, "{\"error\":\"error reading llama-server response: context canceled\"}\n");
    assert_eq!(bench.engine.journal().entries[0].fate, Fate::Aborted { after_chunk: 2 });
}

#[test]
fn w_068_no_object_holds_a_part_of_a_character() {
    let answer = generate(json!({ "prompt": "BADUTF" }));
    let texts: Vec<Value> = answer.objects().iter().map(|object| object["response"].clone()).collect();
    assert_eq!(texts, ["ok", "\u{fffd}\u{fffd}", "\u{fffd}\u{fffd}", ""]);
    assert!(answer.text().contains(r"\ufffd\ufffd"), "as Go escapes it");
}
