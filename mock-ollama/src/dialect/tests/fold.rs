use rstest::rstest;

use super::{DIALECTS, fold, of};
use crate::generation::Dialect;
use crate::recording::{Chunk, End, Exchange, Response};

/// Status and body of the folded stream, or why there is none.
fn folded(dialect: Dialect, kind: &str, body: &str) -> Result<(u16, String), String> {
    let response = Response { status: 200, headers: vec![("Content-Type".to_owned(), kind.to_owned())] };
    let chunks = vec![Chunk { at_us: 0, bytes: body.to_owned().into() }];
    let exchange = Exchange { request: None, sent_us: None, response, chunks, end: End::Clean };
    let reply = fold(dialect, &exchange).map_err(|why| why.to_string())?;
    let kind = if of(dialect).is_native() { "application/json; charset=utf-8" } else { "application/json" };
    assert_eq!(reply.fields, [("Content-Type".to_owned(), kind.to_owned())]);
    Ok((reply.status, String::from_utf8(reply.body).unwrap()))
}

fn folded_lines(lines: &[&str]) -> (u16, String) {
    folded(Dialect::Chat, "application/x-ndjson", &lines.join("\n")).unwrap()
}

fn folded_events(dialect: Dialect, events: &[&str]) -> Result<String, String> {
    let events: Vec<String> = events.iter().map(|event| format!("data: {event}\n\n")).collect();
    folded(dialect, "text/event-stream", &events.concat()).map(|(_, body)| body)
}

#[test]
fn generate_joins_text_and_thinking_into_the_final_object() {
    let (status, body) = folded_lines(&[
        r#"{"model":"m","created_at":"t1","response":"","thinking":"hm","done":false}"#,
        r#"{"model":"m","created_at":"t2","response":"\u003cb\u003e","done":false}"#,
        r#"{"model":"m","created_at":"t3","response":"é","done":false}"#,
        r#"{"model":"m","created_at":"t4","response":"","done":true,"done_reason":"stop","context":[1],"eval_count":3}"#,
    ]);
    assert_eq!(status, 200);
    insta::assert_snapshot!(body, @r#"{"model":"m","created_at":"t4","response":"\u003cb\u003eé","thinking":"hm","done":true,"done_reason":"stop","context":[1],"eval_count":3}"#);
}

#[test]
fn chat_joins_content_thinking_and_tool_calls_into_the_final_message() {
    let (_, body) = folded_lines(&[
        r#"{"model":"m","created_at":"t1","message":{"role":"assistant","content":"","thinking":"a"},"done":false}"#,
        r#"{"model":"m","created_at":"t2","message":{"role":"assistant","content":"b","tool_calls":[{"id":"1"}]},"done":false}"#,
        r#"{"model":"m","created_at":"t3","message":{"role":"assistant","content":"","tool_calls":[{"id":"2"}]},"done":true,"eval_count":3}"#,
    ]);
    insta::assert_snapshot!(body, @r#"{"model":"m","created_at":"t3","message":{"role":"assistant","content":"b","thinking":"a","tool_calls":[{"id":"1"},{"id":"2"}]},"done":true,"eval_count":3}"#);
}

#[test]
fn an_error_in_mid_stream_discards_the_text() {
    let error = r#"{"error":"boom \u003cx\u003e"}"#;
    assert_eq!(folded_lines(&[r#"{"response":"a","done":false}"#, error]), (500, error.to_owned()));
}

#[test]
fn without_a_final_object_the_text_so_far_is_the_answer() {
    let (status, body) = folded_lines(&[r#"{"response":"a","done":false}"#, r#"{"response":"b","done":false}"#]);
    assert_eq!((status, body.as_str()), (200, r#"{"response":"ab","done":false}"#));
}

#[rstest]
#[case::no_object("[1]\n")]
#[case::nothing("")]
#[case::progress("{\"status\":\"success\"}\n")]
fn what_is_no_stream_of_answers_is_not_folded(#[case] body: &str) {
    for dialect in DIALECTS.map(|row| row.name()) {
        assert!(folded(dialect, "application/x-ndjson", body).is_err(), "{dialect:?}");
    }
}

#[test]
fn an_error_that_is_not_the_last_line_is_the_answer_too() {
    let error = r#"{"error":"boom"}"#;
    assert_eq!(folded_lines(&[error, r#"{"message":{"content":"a"},"done":true}"#]), (500, error.to_owned()));
}

#[test]
fn a_chat_of_another_server_keeps_its_ids_and_what_its_calls_were_called_with() {
    let body = folded_events(
        Dialect::OpenAiChat,
        &[
            r#"{"id":"","model":"","choices":[],"prompt_filter_results":[]}"#,
            r#"{"id":"c-7","object":"chat.completion.chunk","created":9,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":null,"refusal":null,"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":""}}]},"logprobs":null,"finish_reason":null}]}"#,
            r#"{"id":"c-7","choices":[{"index":0,"delta":{"reasoning_content":"h\u006d"},"finish_reason":""}]}"#,
            r#"{"id":"c-7","choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"id":"b","function":{"name":"g"}},{"index":0,"function":{"arguments":"{\"x\": 1"}}]}}]}"#,
            r#"{"id":"c-7","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":".0}"}}]},"logprobs":{"content":[{"token":"a","logprob":-1.0}],"refusal":null}}]}"#,
            r#"{"id":"c-7","choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}],"usage":null}"#,
            r#"{"id":"c-7","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}}"#,
            "[DONE]",
        ],
    );
    insta::assert_snapshot!(body.unwrap(), @r#"{"id":"c-7","object":"chat.completion","created":9,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":null,"reasoning_content":"h\u006d","tool_calls":[{"id":"a","index":0,"type":"function","function":{"name":"f","arguments":"{\"x\": 1.0}"}},{"id":"b","index":1,"type":"function","function":{"name":"g","arguments":"{}"}}]},"finish_reason":"tool_calls","logprobs":{"content":[{"token":"a","logprob":-1.0}]}}],"usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}}"#);
}

#[test]
fn each_of_several_choices_is_folded() {
    let body = folded_events(
        Dialect::OpenAiChat,
        &[
            r#"{"id":"c","choices":[{"index":1,"delta":{"content":"b"}},{"index":0,"delta":{"content":"a"}}]}"#,
            r#"{"id":"c","choices":[{"index":0,"delta":{"content":"!"},"finish_reason":"stop"}]}"#,
            r#"{"id":"c","choices":[{"index":1,"delta":{"content":"?"},"finish_reason":"length"}]}"#,
        ],
    );
    insta::assert_snapshot!(body.unwrap(), @r#"{"id":"c","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"a!"},"finish_reason":"stop"},{"index":1,"message":{"role":"assistant","content":"b?"},"finish_reason":"length"}],"usage":{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}}"#);
}

#[test]
fn completions_are_joined_with_their_logprobs() {
    let body = folded_events(
        Dialect::OpenAiCompletions,
        &[
            r#"{"id":"c","object":"text_completion","created":9,"choices":[{"text":"a","index":0,"logprobs":{"tokens":["a"],"top_logprobs":null},"finish_reason":null}],"model":"m"}"#,
            r#"{"id":"c","object":"text_completion","created":9,"choices":[{"text":"\u00e9","index":0,"logprobs":{"tokens":[ "b" ],"top_logprobs":null},"finish_reason":"stop"}],"model":"m"}"#,
            "[DONE]",
        ],
    );
    insta::assert_snapshot!(body.unwrap(), @r#"{"id":"c","object":"text_completion","created":9,"model":"m","choices":[{"text":"a\u00e9","index":0,"finish_reason":"stop","logprobs":{"tokens":["a","b"]}}],"usage":{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}}"#);
}

const START: &str = r#"{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":3,"output_tokens":1}}}"#;

#[test]
fn a_message_keeps_its_blocks_with_signature_and_input() {
    let body = folded_events(
        Dialect::Messages,
        &[
            START,
            r#"{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}"#,
            r#"{"type":"ping"}"#,
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"h"}}"#,
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"m"}}"#,
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"c2ln"}}"#,
            r#"{"type":"content_block_stop","index":0}"#,
            r#"{"type":"content_block_start","index":1,"content_block":{"type":"redacted_thinking","data":"x"}}"#,
            r#"{"type":"content_block_stop","index":1}"#,
            r#"{"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"t","name":"f","input":{}}}"#,
            r#"{"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":""}}"#,
            r#"{"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"{\"a\": 1"}}"#,
            r#"{"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":".0}"}}"#,
            r#"{"type":"content_block_stop","index":2}"#,
            r#"{"type":"content_block_start","index":3,"content_block":{"type":"text","text":""}}"#,
            r#"{"type":"content_block_delta","index":3,"delta":{"type":"text_delta","text":"a"}}"#,
            r#"{"type":"content_block_stop","index":3}"#,
            r#"{"type":"content_block_start","index":4,"content_block":{"type":"tool_use","id":"u","name":"g","input":{}}}"#,
            r#"{"type":"content_block_stop","index":4}"#,
            r#"{"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"output_tokens":20}}"#,
            r#"{"type":"message_stop"}"#,
        ],
    );
    insta::assert_snapshot!(body.unwrap(), @r#"{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"thinking","thinking":"hm","signature":"c2ln"},{"type":"redacted_thinking","data":"x"},{"type":"tool_use","id":"t","name":"f","input":{"a": 1.0}},{"type":"text","text":"a"},{"type":"tool_use","id":"u","name":"g","input":{}}],"stop_reason":"tool_use","stop_sequence":null,"usage":{"input_tokens":3,"output_tokens":20}}"#);
}

#[rstest]
#[case::no_json("{\"a\"")]
#[case::no_object("[1]")]
fn input_that_is_no_object_is_said(#[case] input: &str) {
    let delta = serde_json::json!({ "type": "input_json_delta", "partial_json": input });
    let body = folded_events(
        Dialect::Messages,
        &[
            START,
            r#"{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"t","name":"f","input":{}}}"#,
            &serde_json::json!({ "type": "content_block_delta", "index": 0, "delta": delta }).to_string(),
        ],
    );
    assert_eq!(body.unwrap_err(), "the arguments of its call of \"f\" are no JSON object");
}

#[rstest]
#[case("response.completed")]
#[case("response.incomplete")]
fn the_response_of_the_last_event_is_the_answer(#[case] kind: &str) {
    let last = format!(r#"{{"type":"{kind}","response":{{"id":"r","object":"response","n":1.0}}}}"#);
    let body = folded_events(Dialect::Responses, &[r#"{"type":"response.created","response":{"id":"no"}}"#, &last]);
    assert_eq!(body.unwrap(), "{\"id\":\"r\",\"object\":\"response\",\"n\":1.0}\n");
}
