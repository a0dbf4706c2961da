//! Searches that were run earlier in a conversation, as the model is told of them.

use rstest::rstest;
use serde_json::{Value, json};

use super::decode;
use crate::generation::{Dialect, Question};

fn messages(dialect: Dialect, body: &Value) -> Vec<Value> {
    let ask = decode(dialect, body.to_string().as_bytes()).unwrap();
    let Question::Messages(messages) = ask.question else { panic!("no messages") };
    messages
}

fn page(title: &str, url: &str) -> Value {
    json!({ "type": "web_search_result", "title": title, "url": url, "page_age": "1 day" })
}

fn error(code: &str) -> Value {
    json!({ "type": "web_search_tool_result_error", "error_code": code })
}

#[rstest]
#[case::pages(json!([page("A", "http://a"), { "type": "other" }, page("B", "http://b")]), "- A: http://a\n- B: http://b\n")]
#[case::a_page_without_anything(json!([{ "type": "web_search_result" }]), "- : \n")]
#[case::an_error_in_a_list(json!([page("A", "http://a"), error("unavailable")]), "web_search_tool_result_error: unavailable")]
#[case::an_error(error("max_uses_exceeded"), "web_search_tool_result_error: max_uses_exceeded")]
#[case::an_error_without_a_code(error(""), "web_search_tool_result_error")]
#[case::a_text(json!("as it stands"), "as it stands")]
#[case::another_object(json!({ "b": "<", "a": 1 }), r#"{"a":1,"b":"\u003c"}"#)]
#[case::nothing(Value::Null, "null")]
fn the_result_of_a_search_is_told_to_the_model(#[case] content: Value, #[case] told: &str) {
    let call = json!({ "type": "server_tool_use", "id": "s1", "name": "web_search", "input": { "query": "news" } });
    let result = json!({ "type": "web_search_tool_result", "tool_use_id": "s1", "content": content });
    let said = json!([
        { "role": "user", "content": "Any news?" },
        { "role": "assistant", "content": [call, result, { "type": "text", "text": "None." }] },
        { "role": "user", "content": "Thanks" },
    ]);
    let body = json!({ "model": "m", "max_tokens": 1, "messages": said });
    let function = json!({ "name": "web_search", "arguments": { "query": "news" } });
    let expected = json!([
        { "role": "user", "content": "Any news?" },
        { "role": "assistant", "content": "None.", "tool_calls": [{ "id": "s1", "function": function }] },
        { "role": "tool", "content": told, "tool_call_id": "s1" },
        { "role": "user", "content": "Thanks" },
    ]);
    assert_eq!(Value::from(messages(Dialect::Messages, &body)), expected);
}

#[test]
fn an_earlier_search_of_responses_is_skipped() {
    let action = json!({ "type": "search", "query": "news" });
    let search = json!({ "type": "web_search_call", "id": "ws_1", "status": "completed", "action": action });
    let input =
        json!([{ "role": "user", "content": "Any news?" }, search, { "role": "assistant", "content": "None." }]);
    let told = messages(Dialect::Responses, &json!({ "model": "m", "input": input }));
    let expected = json!([{ "role": "user", "content": "Any news?" }, { "role": "assistant", "content": "None." }]);
    assert_eq!(Value::from(told), expected);
}

#[test]
fn an_earlier_search_of_responses_that_is_mistyped_is_refused() {
    let body = json!({ "model": "m", "input": [{ "type": "web_search_call", "action": { "query": 1 } }] });
    let refusal = decode(Dialect::Responses, body.to_string().as_bytes()).unwrap_err();
    let text = "input[0]: json: cannot unmarshal number into Go struct field \
                ResponsesWebSearchAction.action.query of type string";
    assert_eq!((refusal.status, refusal.text.as_str()), (400, text));
}

#[rstest]
#[case::built_in("web_search_20250305", true)]
#[case::of_any_version("web_search", true)]
#[case::of_the_client("custom", false)]
fn a_search_is_told_by_the_type_of_its_tool(#[case] kind: &str, #[case] expected: bool) {
    let tools = json!([{ "name": "other" }, { "type": kind, "name": "web_search" }]);
    let said = json!([{ "role": "user", "content": "Any news?" }]);
    let body = json!({ "model": "m", "max_tokens": 1, "messages": said, "tools": tools });
    let echo = decode(Dialect::Messages, body.to_string().as_bytes()).unwrap().echo;
    assert_eq!(echo["web_search"], expected);
}
