//! Requests in the words of the real server.

use rstest::rstest;
use serde_json::{Value, json};

use super::{Ask, Dialect, Echo, Question};
use crate::dialect::RefusedBy;

fn refusal(dialect: Dialect, body: &str) -> String {
    let refusal = Ask::decode(dialect, body.as_bytes()).unwrap_err();
    format!("{} {}", refusal.status, refusal.text)
}

fn ask(dialect: Dialect, body: &Value) -> Ask {
    Ask::decode(dialect, body.to_string().as_bytes()).unwrap()
}

#[rstest]
#[case::wrong_top(
    Dialect::Generate,
    "[]",
    "400 json: cannot unmarshal array into Go value of type api.GenerateRequest"
)]
#[case::in_a_message(
    Dialect::Chat,
    r#"{"model":"m","messages":[{"content":5}]}"#,
    "400 json: cannot unmarshal number into Go struct field ChatRequest.messages.content of type string"
)]
#[case::an_image(Dialect::Generate, r#"{"images":["!!!"]}"#, "400 illegal base64 data at input byte 0")]
#[case::a_float_for_an_int(
    Dialect::Generate,
    r#"{"context":[1.5]}"#,
    "400 json: cannot unmarshal number 1.5 into Go struct field GenerateRequest.context of type int"
)]
#[case::a_huge_number(
    Dialect::Generate,
    r#"{"options":{"num_predict":1e400}}"#,
    "400 json: cannot unmarshal number 1e400 into Go struct field GenerateRequest.options of type float64"
)]
#[case::the_first_of_two(
    Dialect::Generate,
    r#"{"stream":"x","model":5}"#,
    "400 json: cannot unmarshal string into Go struct field GenerateRequest.stream of type bool"
)]
#[case::arguments(
    Dialect::Chat,
    r#"{"messages":[{"tool_calls":[{"function":{"name":"f","arguments":"{}"}}]}]}"#,
    "400 Value looks like object, but can't find closing '}' symbol"
)]
#[case::both_suffixes(Dialect::Chat, r#"{"model":"m-cloud:local","messages":[]}"#, "404")]
fn a_request_is_refused_as_the_real_server_does(#[case] dialect: Dialect, #[case] body: &str, #[case] expected: &str) {
    if expected == "404" {
        // A tag alone makes a model one of the cloud; this one is local.
        assert!(Ask::decode(dialect, body.as_bytes()).is_ok());
        return;
    }
    assert_eq!(refusal(dialect, body), expected);
}

#[test]
fn a_model_of_the_cloud_is_refused_natively_in_every_dialect() {
    let body = json!({
        "model": "m:cloud", "prompt": "x", "input": "x", "max_tokens": 1,
        "messages": [{ "role": "user", "content": "x" }],
    });
    for dialect in Dialect::ALL {
        let refusal = Ask::decode(dialect, body.to_string().as_bytes()).unwrap_err();
        assert_eq!((refusal.status, refusal.by), (403, RefusedBy::Cloud), "{dialect:?}");
        assert_eq!(refusal.text, "ollama cloud is disabled: remote model is unavailable");
    }
    let tagged = json!({ "model": "m:7b-cloud", "prompt": "x" });
    assert_eq!(Ask::decode(Dialect::Generate, tagged.to_string().as_bytes()).unwrap_err().by, RefusedBy::Cloud);
    let both = json!({ "model": "m:cloud:local", "prompt": "x" });
    assert_eq!(
        refusal(Dialect::Generate, &both.to_string()),
        "400 use either :local or :cloud, not both: \"m:cloud:local\""
    );
}

#[test]
fn the_same_question_has_one_form_in_every_dialect_of_chat() {
    let message = json!([{ "role": "USER", "content": "hi" }]);
    let chat = ask(Dialect::Chat, &json!({ "model": "m", "messages": message }));
    for (dialect, body) in [
        (
            Dialect::OpenAiChat,
            json!({ "model": "m", "messages": [{ "role": "user", "content": [{ "type": "text", "text": "hi" }] }] }),
        ),
        (Dialect::Responses, json!({ "model": "m", "input": "hi" })),
        (
            Dialect::Responses,
            json!({ "model": "m", "input": [{ "role": "user", "content": [{ "type": "input_text", "text": "hi" }] }] }),
        ),
        (
            Dialect::Messages,
            json!({ "model": "m", "max_tokens": 1, "messages": [{ "role": "user", "content": [{ "type": "text", "text": "hi" }] }] }),
        ),
    ] {
        assert_eq!(ask(dialect, &body).question, chat.question, "{dialect:?}");
    }
    assert_eq!(chat.question, Question::Messages(vec![json!({ "role": "user", "content": "hi" })]));
}

#[test]
fn tool_calls_and_results_become_native_ones() {
    let openai = json!({ "model": "m", "messages": [
        { "role": "assistant", "content": null, "tool_calls": [
            { "id": "c1", "type": "function", "function": { "name": "f", "arguments": "{\"b\":1,\"a\":2}" } }] },
        { "role": "tool", "tool_call_id": "c1", "content": "ok" },
    ]});
    let anthropic = json!({ "model": "m", "max_tokens": 1, "messages": [
        { "role": "assistant", "content": [{ "type": "tool_use", "id": "c1", "name": "f", "input": { "b": 1, "a": 2 } }] },
        { "role": "user", "content": [{ "type": "tool_result", "tool_use_id": "c1", "content": "ok" }] },
    ]});
    assert_eq!(ask(Dialect::OpenAiChat, &openai).question, ask(Dialect::Messages, &anthropic).question);
}

#[test]
fn what_the_wrappers_set_by_default() {
    let chat = ask(
        Dialect::OpenAiChat,
        &json!({
            "model": "m", "messages": [{ "role": "user", "content": "x" }], "stop": "s", "max_tokens": 5,
            "reasoning_effort": "none", "stream_options": { "include_usage": true },
        }),
    );
    assert_eq!(
        Value::Object(chat.options),
        json!({ "stop": ["s"], "num_predict": 5, "temperature": 1.0, "top_p": 1.0 })
    );
    assert_eq!((chat.stream, chat.think, chat.echo), (false, Some(false), Echo::OpenAi { include_usage: true }));
}
