//! The built-in web search of `/v1/messages` and `/v1/responses` on a server without the cloud
//! (`middleware/anthropic.go`, `middleware/openai.go`). Read in the source; not among the captures.

use rstest::rstest;
use serde_json::{Value, json};

use crate::bench::{Answer, Bench};
use crate::mask::mask;

const NO_CLOUD: &str = "403 Forbidden: ollama cloud is disabled: web search is unavailable";

fn call(name: &str, arguments: &str) -> String {
    format!("{{ call = {{ name = '{name}', arguments = '{arguments}' }} }}")
}

fn search(query: &str) -> String {
    call("web_search", &json!({ "query": query }).to_string())
}

fn pieces(pieces: &[impl AsRef<str>]) -> String {
    let pieces: Vec<&str> = pieces.iter().map(AsRef::as_ref).collect();
    format!("pieces = [{}]", pieces.join(", "))
}

fn with(mut body: Value, more: &Value) -> Value {
    for (key, value) in more.as_object().unwrap() {
        body[key] = value.clone();
    }
    body
}

fn messages(answer: &str, more: &Value) -> Answer {
    let tool = json!({ "type": "web_search_20250305", "name": "web_search", "max_uses": 5 });
    let said = json!([{ "role": "user", "content": "Any news?" }]);
    let body = json!({ "model": "m", "max_tokens": 50, "messages": said, "tools": [tool] });
    Bench::saying(answer).post("/v1/messages", &with(body, more))
}

fn responses(answer: &str, more: &Value) -> Answer {
    let body = json!({ "model": "m", "input": "Any news?", "tools": [{ "type": "web_search" }] });
    Bench::saying(answer).post("/v1/responses", &with(body, more))
}

/// Every event of a stream in a line of its own, without what differs from run to run.
fn events(answer: &Answer) -> String {
    let ids = regex::Regex::new(r"(srvtoolu|ws)_([0-9a-f]{24}|\d+)").unwrap();
    let lines = answer.chunks().into_iter().map(|chunk| {
        let (kind, data) = chunk.split_once("\ndata: ").unwrap();
        let data = data.strip_suffix("\n\n").expect("an event a chunk");
        let data = mask(&ids.replace_all(data, "$1-N"));
        // What a response repeats of its request is not of interest here.
        let begins = kind == "event: response.created" || kind == "event: response.in_progress";
        if begins { kind.to_owned() } else { format!("{kind} {data}") }
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_search_of_messages_is_shown_and_has_failed() {
    let answer = messages(&pieces(&[&search("news <b>")]), &json!({}));
    assert_eq!((answer.status, answer.header("Content-Type")), (200, Some("application/json")));
    let id = answer.json()["id"].as_str().unwrap().replace("msg_", "");
    let expected = [
        r#"{"id":"msg_ID","type":"message","role":"assistant","model":"m","content":["#,
        r#"{"type":"server_tool_use","id":"srvtoolu_ID","name":"web_search","input":{"query":"news \u003cb\u003e"}},"#,
        r#"{"type":"web_search_tool_result","tool_use_id":"srvtoolu_ID","#,
        r#""content":{"type":"web_search_tool_result_error","error_code":"unavailable"}}],"#,
        r#""stop_reason":"end_turn","usage":{"input_tokens":7,"output_tokens":2}}"#,
    ];
    assert_eq!(answer.text(), expected.concat().replace("ID", &id) + "\n");
}

#[test]
fn a_search_of_streamed_messages_closes_what_is_open_and_has_failed() {
    let said = pieces(&["{ thinking = 'Hm.' }", "'I look.'", &search("news"), "'dropped'"]);
    let answer = messages(&said, &json!({ "stream": true }));
    // The writer never sets its own type over that of the native stream.
    assert_eq!(answer.header("Content-Type"), Some("application/x-ndjson"));
    assert_eq!(answer.header("Cache-Control"), Some("no-cache"));
    insta::assert_snapshot!(events(&answer), @r#"
    event: message_start {"type":"message_start","message":{"id":"msg_H","type":"message","role":"assistant","model":"m","content":[],"usage":{"input_tokens":5,"output_tokens":0}}}
    event: content_block_start {"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":""}}
    event: content_block_delta {"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"Hm."}}
    event: content_block_stop {"type":"content_block_stop","index":0}
    event: content_block_start {"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}}
    event: content_block_delta {"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"I look."}}
    event: content_block_stop {"type":"content_block_stop","index":1}
    event: content_block_start {"type":"content_block_start","index":2,"content_block":{"type":"server_tool_use","id":"srvtoolu-N","name":"web_search","input":{"query":"news"}}}
    event: content_block_stop {"type":"content_block_stop","index":2}
    event: content_block_start {"type":"content_block_start","index":3,"content_block":{"type":"web_search_tool_result","tool_use_id":"srvtoolu-N","content":{"type":"web_search_tool_result_error","error_code":"unavailable"}}}
    event: content_block_stop {"type":"content_block_stop","index":3}
    event: message_delta {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"input_tokens":7,"output_tokens":5}}
    event: message_stop {"type":"message_stop"}
    "#);
}

#[test]
fn a_stream_of_messages_that_begins_with_a_search_has_the_real_count_from_the_start() {
    let answer = messages(&pieces(&[&search("news")]), &json!({ "stream": true }));
    let events = answer.events();
    assert_eq!(events[0]["message"]["usage"], json!({ "input_tokens": 7, "output_tokens": 0 }));
    assert_eq!(events[1]["content_block"]["type"], "server_tool_use");
}

#[rstest]
#[case::empty(r#"{"query":""}"#, "invalid_request", "")]
#[case::missing("{}", "invalid_request", "")]
#[case::number(r#"{"query":1}"#, "invalid_request", "")]
#[case::blank(r#"{"query":" "}"#, "unavailable", " ")]
fn messages_tell_a_search_for_nothing_from_one_that_failed(
    #[case] arguments: &str,
    #[case] code: &str,
    #[case] query: &str,
    #[values(false, true)] stream: bool,
) {
    let answer = messages(&pieces(&[&call("web_search", arguments)]), &json!({ "stream": stream }));
    let text = answer.text();
    assert!(text.contains(&format!(r#""error_code":"{code}""#)), "{text}");
    assert!(text.contains(&format!(r#""input":{{"query":"{query}"}}"#)), "{text}");
}

#[rstest]
#[case::its_own_call([call("get_weather", "{}"), search("news")])]
#[case::several([search("news"), search("more")])]
fn of_several_calls_a_message_shows_the_first_search_alone(#[case] said: [String; 2]) {
    let content = messages(&pieces(&said), &json!({})).json()["content"].clone();
    let kinds: Vec<&Value> = content.as_array().unwrap().iter().map(|block| &block["type"]).collect();
    assert_eq!(kinds, ["server_tool_use", "web_search_tool_result"]);
    assert_eq!(content[0]["input"], json!({ "query": "news" }));
}

#[test]
fn a_call_that_came_before_the_search_stays_in_a_stream_of_messages() {
    let answer = messages(&pieces(&[&call("get_weather", "{}"), &search("news")]), &json!({ "stream": true }));
    let events = answer.events();
    let begun = events.iter().filter(|event| event["type"] == "content_block_start");
    let blocks: Vec<(&Value, &str)> =
        begun.map(|event| (&event["index"], event["content_block"]["type"].as_str().unwrap())).collect();
    let places = [json!(0), json!(1), json!(2)];
    let kinds = ["tool_use", "server_tool_use", "web_search_tool_result"];
    assert_eq!(blocks, places.iter().zip(kinds).collect::<Vec<_>>());
    assert_eq!(events[events.len() - 2]["delta"], json!({ "stop_reason": "end_turn" }));
}

#[rstest]
#[case::messages("/v1/messages")]
#[case::responses("/v1/responses")]
fn a_stream_that_breaks_off_after_the_call_says_nothing_of_the_search(#[case] path: &str) {
    let said = format!("{}\nends = 'silent'", pieces(&["'I look.'", &search("news")]));
    let asked = if path == "/v1/messages" { messages } else { responses };
    let text = asked(&said, &json!({ "stream": true })).text();
    assert!(text.contains("I look.") && !text.contains("search_"), "{text}");
}

#[test]
fn a_search_of_responses_fails_the_request() {
    let answer = responses(&pieces(&["'I look.'", &search("news")]), &json!({}));
    assert_eq!((answer.status, answer.header("Content-Type")), (403, Some("application/json")));
    let expected = json!({ "error": { "message": NO_CLOUD, "type": "api_error", "param": null, "code": null } });
    assert_eq!(answer.text(), format!("{expected}\n"));
}

#[test]
fn a_search_of_streamed_responses_begins_and_fails_the_response() {
    let said = pieces(&["{ thinking = 'Hm.' }", &search("news"), "'Then.'"]);
    let answer = responses(&said, &json!({ "stream": true }));
    assert_eq!((answer.status, answer.header("Content-Type")), (200, Some("text/event-stream")));
    insta::assert_snapshot!(events(&answer), @r#"
    event: response.created
    event: response.in_progress
    event: response.output_item.added {"item":{"id":"rs-N","summary":[],"type":"reasoning"},"output_index":0,"sequence_number":2,"type":"response.output_item.added"}
    event: response.reasoning_summary_text.delta {"delta":"Hm.","item_id":"rs-N","output_index":0,"sequence_number":3,"summary_index":0,"type":"response.reasoning_summary_text.delta"}
    event: response.reasoning_summary_text.done {"item_id":"rs-N","output_index":0,"sequence_number":4,"summary_index":0,"text":"Hm.","type":"response.reasoning_summary_text.done"}
    event: response.output_item.done {"item":{"encrypted_content":"Hm.","id":"rs-N","summary":[{"text":"Hm.","type":"summary_text"}],"type":"reasoning"},"output_index":0,"sequence_number":5,"type":"response.output_item.done"}
    event: response.output_item.added {"item":{"content":[],"id":"msg-N","role":"assistant","status":"in_progress","type":"message"},"output_index":1,"sequence_number":6,"type":"response.output_item.added"}
    event: response.content_part.added {"content_index":0,"item_id":"msg-N","output_index":1,"part":{"annotations":[],"logprobs":[],"text":"","type":"output_text"},"sequence_number":7,"type":"response.content_part.added"}
    event: response.output_text.delta {"content_index":0,"delta":"Then.","item_id":"msg-N","logprobs":[],"output_index":1,"sequence_number":8,"type":"response.output_text.delta"}
    event: response.output_text.done {"content_index":0,"item_id":"msg-N","logprobs":[],"output_index":1,"sequence_number":9,"text":"Then.","type":"response.output_text.done"}
    event: response.content_part.done {"content_index":0,"item_id":"msg-N","output_index":1,"part":{"annotations":[],"logprobs":[],"text":"Then.","type":"output_text"},"sequence_number":10,"type":"response.content_part.done"}
    event: response.output_item.done {"item":{"content":[{"annotations":[],"logprobs":[],"text":"Then.","type":"output_text"}],"id":"msg-N","role":"assistant","status":"completed","type":"message"},"output_index":1,"sequence_number":11,"type":"response.output_item.done"}
    event: response.output_item.added {"item":{"action":{"query":"news","type":"search"},"id":"ws-N_1","status":"in_progress","type":"web_search_call"},"output_index":2,"sequence_number":12,"type":"response.output_item.added"}
    event: response.web_search_call.in_progress {"item_id":"ws-N_1","output_index":2,"sequence_number":13,"type":"response.web_search_call.in_progress"}
    event: response.web_search_call.searching {"item_id":"ws-N_1","output_index":2,"sequence_number":14,"type":"response.web_search_call.searching"}
    event: response.failed {"response":{"error":{"code":"api_error","message":"403 Forbidden: ollama cloud is disabled: web search is unavailable"},"id":"resp-N","model":"m","object":"response","output":[],"status":"failed","usage":{"input_tokens":7,"output_tokens":4,"total_tokens":11}},"sequence_number":15,"type":"response.failed"}
    "#);
}

#[rstest]
#[case::empty(r#"{"query":""}"#)]
#[case::blank(r#"{"query":" \t"}"#)]
#[case::missing("{}")]
fn responses_refuse_a_search_for_nothing(#[case] arguments: &str) {
    let said = pieces(&[&call("web_search", arguments)]);
    let answer = responses(&said, &json!({}));
    let text = "web_search requires a non-empty string query";
    assert_eq!((answer.status, &answer.json()["error"]["message"]), (502, &json!(text)));
    let events = responses(&said, &json!({ "stream": true })).events();
    let kinds: Vec<&Value> = events.iter().map(|event| &event["type"]).collect();
    assert_eq!(kinds, ["response.created", "response.in_progress", "response.failed"]);
    assert_eq!(events[2]["response"]["error"], json!({ "code": "api_error", "message": text }));
}

#[test]
fn calls_of_the_client_beside_a_search_are_streamed_before_it() {
    let said = pieces(&["'I look.'", &call("get_weather", "{}"), &search("news")]);
    let events = responses(&said, &json!({ "stream": true })).events();
    let added = events.iter().filter(|event| event["type"] == "response.output_item.added");
    let items: Vec<(&str, &Value)> =
        added.map(|event| (event["item"]["type"].as_str().unwrap(), &event["output_index"])).collect();
    let places = [json!(0), json!(1), json!(2)];
    assert_eq!(items, ["message", "function_call", "web_search_call"].into_iter().zip(&places).collect::<Vec<_>>());
    assert_eq!(events.last().unwrap()["type"], "response.failed");
}

#[rstest]
#[case::a_text(["'I look.'".to_owned(), search("news")], "text/event-stream")]
#[case::a_search([search("news"), "'I look.'".to_owned()], "application/x-ndjson")]
#[case::a_call([call("get_weather", "{}"), search("news")], "application/x-ndjson")]
fn what_a_stream_of_responses_begins_with_decides_its_type(#[case] said: [String; 2], #[case] kind: &str) {
    let answer = responses(&pieces(&said), &json!({ "stream": true }));
    assert_eq!(answer.header("Content-Type"), Some(kind));
}

#[rstest]
#[case::unknown_model(json!({ "model": "n" }), "model 'n' not found")]
#[case::bad_option(json!({ "text": { "format": { "type": "json_schema", "schema": 1 } } }), "invalid format: \"1\"; expected \"json\" or a valid JSON Schema object")]
fn a_refusal_of_streamed_responses_that_may_search_is_a_failed_response(#[case] more: Value, #[case] text: &str) {
    let plain = responses("pieces = ['hi']", &more);
    assert_eq!(plain.json()["error"]["message"], text, "without a stream it keeps its status");
    assert_ne!(plain.status, 200);
    let answer = responses("pieces = ['hi']", &with(more, &json!({ "stream": true })));
    assert_eq!((answer.status, answer.header("Content-Type")), (200, Some("text/event-stream")));
    assert_eq!(answer.chunks().len(), 3, "an event a chunk");
    assert_eq!(answer.events()[2]["response"]["error"]["message"], text);
}

#[rstest]
#[case::messages("/v1/messages", json!([{ "name": "web_search", "input_schema": { "type": "object" } }]))]
#[case::responses("/v1/responses", json!([{ "type": "function", "name": "web_search", "parameters": {} }]))]
#[case::another_search("/v1/responses", json!([{ "type": "web_search_preview", "name": "web_search" }]))]
fn a_function_of_the_client_by_that_name_stays_a_function(#[case] path: &str, #[case] tools: Value) {
    let asked = if path == "/v1/messages" { messages } else { responses };
    let answer = asked(&pieces(&[&search("news")]), &json!({ "tools": tools }));
    let text = answer.text();
    assert!(text.contains("\"tool_use\"") || text.contains("\"function_call\""), "{text}");
}

#[rstest]
fn the_search_owns_its_name(#[values("/v1/messages", "/v1/responses")] path: &str) {
    let own = json!({ "type": "function", "name": "web_search" });
    let kind = if path == "/v1/messages" { "web_search_20250305" } else { "web_search" };
    let tools = json!([own, { "type": kind, "name": "web_search" }]);
    let asked = if path == "/v1/messages" { messages } else { responses };
    let text = asked(&pieces(&[&search("news")]), &json!({ "tools": tools, "tool_choice": { "type": "any" } })).text();
    assert!(text.contains("web_search_tool_result_error") || text.contains(NO_CLOUD), "{text}");
}

#[rstest]
fn without_a_call_a_tool_of_the_search_changes_nothing(#[values("content", "output")] key: &str) {
    let said = pieces(&["{ thinking = 'Hm.' }", "'No.'"]);
    let asked = if key == "content" { messages } else { responses };
    let whole = |more: &Value| mask(&asked(&said, more).json()[key].to_string());
    assert_eq!(whole(&json!({})), whole(&json!({ "tools": [] })));
    let kinds = |more: &Value| {
        let events = asked(&said, &with(json!({ "stream": true }), more)).events();
        events.into_iter().map(|event| event["type"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(kinds(&json!({})), kinds(&json!({ "tools": [] })));
}
