//! Models with a built-in parser: what they show with and without thinking, tools and streaming, in every dialect
//! (`server/routes.go`, `model/parsers/qwen3.go`, `harmony/harmonyparser.go`).
//!
//! What is shown is written as one text an object: `~` before thinking, `!` before the arguments of a call.

use rstest::rstest;
use serde_json::{Value, json};

use crate::bench::{Answer, Bench};
use crate::empty_streams::asking;

const PARIS: &str = r#"!{"zeta":1,"city":"Paris"}"#;
const ROME: &str = r#"!{"city":"Rome"}"#;

/// What `QTOOL` of q3 shows before its calls, with thinking and without.
const THOUGHT: &[&str] = &["~\nhmm", "~ ok", "Sure", " thing."];
const UNTHOUGHT: &[&str] = &["<think>", "\nhmm", " ok", " \n</think>", "\n\nSure", " thing."];

fn text(value: &Value, prefix: &str) -> Option<String> {
    value.as_str().filter(|text| !text.is_empty()).map(|text| format!("{prefix}{text}"))
}

fn calls(calls: &Value, arguments: impl Fn(&Value) -> String) -> Vec<String> {
    calls.as_array().into_iter().flatten().map(|call| format!("!{}", arguments(call))).collect()
}

/// Of a native object.
fn of_native(object: &Value) -> Vec<String> {
    let said = if object["message"].is_object() { &object["message"] } else { object };
    let texts = [text(&said["thinking"], "~"), text(&said["content"], ""), text(&said["response"], "")];
    let calls = calls(&said["tool_calls"], |call| call["function"]["arguments"].to_string());
    texts.into_iter().flatten().chain(calls).collect()
}

fn of_delta(said: &Value) -> Vec<String> {
    let texts = [text(&said["reasoning"], "~"), text(&said["content"], "")];
    let calls = calls(&said["tool_calls"], |call| call["function"]["arguments"].as_str().unwrap().to_owned());
    texts.into_iter().flatten().chain(calls).collect()
}

fn of_event(event: &Value) -> Option<String> {
    match event["type"].as_str()? {
        "response.reasoning_summary_text.delta" => text(&event["delta"], "~"),
        "response.output_text.delta" => text(&event["delta"], ""),
        "response.function_call_arguments.delta" => text(&event["delta"], "!"),
        "content_block_delta" => {
            let delta = &event["delta"];
            text(&delta["thinking"], "~").or(text(&delta["text"], "")).or(text(&delta["partial_json"], "!"))
        }
        _ => None,
    }
}

fn of_item(item: &Value) -> Option<String> {
    match item["type"].as_str()? {
        "reasoning" => text(&item["summary"][0]["text"], "~"),
        "message" => text(&item["content"][0]["text"], ""),
        "function_call" => text(&item["arguments"], "!"),
        "thinking" => text(&item["thinking"], "~"),
        "text" => text(&item["text"], ""),
        _ => Some(format!("!{}", item["input"])),
    }
}

/// Everything that an answer shows, whatever its dialect.
fn shown(path: &str, answer: &Answer, stream: bool) -> Vec<String> {
    assert_eq!(answer.status, 200, "{}", answer.text());
    match (path, stream) {
        ("/api/chat" | "/api/generate", true) => answer.objects().iter().flat_map(of_native).collect(),
        ("/api/chat" | "/api/generate", false) => of_native(&answer.json()),
        ("/v1/chat/completions", true) => {
            answer.events().iter().flat_map(|event| of_delta(&event["choices"][0]["delta"])).collect()
        }
        ("/v1/chat/completions", false) => of_delta(&answer.json()["choices"][0]["message"]),
        (_, true) => answer.events().iter().filter_map(of_event).collect(),
        ("/v1/responses", false) => answer.json()["output"].as_array().unwrap().iter().filter_map(of_item).collect(),
        (_, false) => answer.json()["content"].as_array().unwrap().iter().filter_map(of_item).collect(),
    }
}

/// Says in the words of a route whether the model is to think.
fn thinking(path: &str, think: bool) -> (&'static str, Value) {
    match path {
        "/v1/chat/completions" => ("reasoning_effort", json!(if think { "high" } else { "none" })),
        "/v1/responses" => ("reasoning", json!({ "effort": if think { "high" } else { "none" } })),
        "/v1/messages" => ("thinking", json!({ "type": if think { "enabled" } else { "disabled" } })),
        _ => ("think", json!(think)),
    }
}

fn tools(path: &str) -> Value {
    match path {
        "/v1/responses" => json!([{ "type": "function", "name": "get_weather", "parameters": { "type": "object" } }]),
        "/v1/messages" => json!([{ "name": "get_weather", "input_schema": { "type": "object" } }]),
        _ => json!([{ "type": "function", "function": { "name": "get_weather", "parameters": { "type": "object" } } }]),
    }
}

fn answers(path: &str, asked: (&str, &str), think: Option<bool>, offers: bool, stream: bool) -> Vec<String> {
    let mut body = asking(path, asked.0, asked.1);
    body["stream"] = json!(stream);
    if let Some(think) = think {
        let (key, value) = thinking(path, think);
        body[key] = value;
    }
    if offers {
        body["tools"] = tools(path);
    }
    shown(path, &Bench::scripted().post(path, &body), stream)
}

/// Thinking and text joined, each with all that follows of its kind.
fn folded(shown: &[&str]) -> Vec<String> {
    let of = |wanted: bool| {
        let texts = shown.iter().filter(|text| text.starts_with('~') == wanted);
        texts.map(|text| text.trim_start_matches('~')).collect::<String>()
    };
    let (thinking, text) = (of(true), of(false));
    let all = [(thinking.is_empty(), format!("~{thinking}")), (text.is_empty(), text)];
    all.into_iter().filter(|(empty, _)| !empty).map(|(_, text)| text).collect()
}

#[rstest]
fn a_parser_runs_whether_thinking_and_tools_were_asked_for_or_not(
    #[values("/api/chat", "/v1/chat/completions", "/v1/messages")] path: &str,
    #[values(None, Some(true), Some(false))] think: Option<bool>,
    #[values(false, true)] offers: bool,
) {
    let said = if think == Some(false) { UNTHOUGHT } else { THOUGHT };
    let streamed = answers(path, ("q3", "QTOOL"), think, offers, true);
    assert_eq!(streamed, [said, &[PARIS, ROME]].concat());
    // Without tools in the request, those of the last object alone are in a folded answer, and it has none.
    let calls: &[&str] = if offers { &[PARIS, ROME] } else { &[] };
    let expected = [folded(said), calls.iter().map(|call| (*call).to_owned()).collect()].concat();
    assert_eq!(answers(path, ("q3", "QTOOL"), think, offers, false), expected);
}

#[rstest]
fn responses_show_the_same_but_no_text_beside_calls(
    #[values(None, Some(true), Some(false))] think: Option<bool>,
    #[values(false, true)] offers: bool,
) {
    let path = "/v1/responses";
    let said = if think == Some(false) { UNTHOUGHT } else { THOUGHT };
    let streamed = answers(path, ("q3", "QTOOL"), think, offers, true);
    assert_eq!(streamed, [said, &[PARIS, ROME]].concat());
    let mut expected = folded(said);
    if offers {
        expected.retain(|text| text.starts_with('~'));
        expected.extend([PARIS.to_owned(), ROME.to_owned()]);
    }
    assert_eq!(answers(path, ("q3", "QTOOL"), think, offers, false), expected);
}

#[rstest]
fn generate_drops_the_calls_that_come_before_the_final_object(
    #[values(None, Some(true), Some(false))] think: Option<bool>,
) {
    let said = if think == Some(false) { UNTHOUGHT } else { THOUGHT };
    assert_eq!(answers("/api/generate", ("q3", "QTOOL"), think, false, true), said);
    assert_eq!(answers("/api/generate", ("q3", "QTOOL"), think, false, false), folded(said));
}

#[test]
fn completions_show_the_text_alone() {
    let answer = Bench::scripted().post("/v1/completions", &json!({ "model": "q3", "prompt": "QTOOL" }));
    assert_eq!(answer.json()["choices"][0]["text"], "Sure thing.");
}

#[rstest]
fn white_space_is_held_back_until_something_follows(#[values("/api/chat", "/api/generate")] path: &str) {
    let streamed = answers(path, ("q3", "THINKING"), Some(false), false, true);
    assert_eq!(streamed, ["<thi", "nk>", "\nlet me", " see", "</th", "ink>", "\n\nAn", "swer"]);
    let folded = answers(path, ("q3", "SLOW"), Some(false), false, false);
    assert_eq!(folded, [["tick"; 120].join(" ")], "what is held at the end is lost");
}

#[rstest]
fn harmony_thinks_whatever_was_asked_and_calls_in_the_final_object(
    #[values("/api/chat", "/v1/chat/completions", "/v1/messages", "/v1/responses")] path: &str,
    #[values(None, Some(true), Some(false))] think: Option<bool>,
    #[values(false, true)] offers: bool,
) {
    let call = r#"!{"city":"Paris"}"#;
    assert_eq!(answers(path, ("hm", "HTOOL"), think, offers, true), ["~let", "~ me", call]);
    assert_eq!(answers(path, ("hm", "HTOOL"), think, offers, false), ["~let me", call]);
    assert_eq!(answers(path, ("hm", "HTEXT"), think, offers, true), ["~let", "~ me", "An", "swer"]);
}

#[rstest]
fn harmony_under_generate_calls_without_an_id(#[values(true, false)] stream: bool) {
    let body = json!({ "model": "hm", "prompt": "HTOOL", "stream": stream });
    let last = Bench::scripted().post("/api/generate", &body).objects().pop().unwrap();
    let call = json!({ "function": { "index": 0, "name": "get_weather", "arguments": { "city": "Paris" } } });
    assert_eq!((&last["done"], &last["tool_calls"]), (&json!(true), &json!([call])));
}

#[rstest]
fn harmony_shows_nothing_outside_of_a_channel(#[values("/api/chat", "/api/generate")] path: &str) {
    let mut bench = Bench::scripted();
    let objects = bench.post(path, &asking(path, "hm", "hi")).objects();
    assert_eq!((objects.len(), &objects[0]["done"], &objects[0]["eval_count"]), (1, &json!(true), &json!(4)));
    assert_eq!(of_native(&objects[0]), Vec::<String>::new());
}

#[rstest]
#[case::generate_parsed("/api/generate", "q3", "QTOOL", 16)]
#[case::chat_parsed("/api/chat", "q3", "QTOOL", 16)]
#[case::harmony("/api/chat", "hm", "HTOOL", 15)]
// The thinking parser of a template holds six pieces, whose logprobs are lost in a chat.
#[case::template("/api/chat", "think", "THINKING", 5)]
#[case::template_generate("/api/generate", "think", "THINKING", 11)]
fn a_piece_of_which_nothing_is_shown_is_sent_for_its_logprobs(
    #[case] path: &str,
    #[case] model: &str,
    #[case] word: &str,
    #[case] objects: usize,
) {
    let mut body = asking(path, model, word);
    body["logprobs"] = json!(true);
    let answer = Bench::scripted().post(path, &body).objects();
    let with = answer.iter().filter(|object| object["logprobs"].is_array()).count();
    assert_eq!((answer.len(), with), (objects, objects - 1));
}

#[test]
fn no_parser_looks_at_the_answer_to_a_raw_prompt() {
    let body = json!({ "model": "q3", "prompt": "THINKING", "raw": true, "stream": false });
    let answer = Bench::scripted().post("/api/generate", &body).json();
    assert_eq!((&answer["response"], answer.get("thinking")), (&json!("<think>\nlet me see</think>\n\nAnswer"), None));
}

#[test]
fn calls_that_follow_a_text_take_its_place_among_the_items_of_responses() {
    let mut body = asking("/v1/responses", "q3", "QTOOL");
    body["tools"] = tools("/v1/responses");
    let events = Bench::scripted().post("/v1/responses", &body).events();
    let places = events.iter().filter(|event| event["type"] == "response.output_item.added");
    let places: Vec<_> =
        places.map(|event| (event["item"]["type"].as_str().unwrap(), &event["output_index"])).collect();
    let expected =
        [("reasoning", json!(0)), ("message", json!(1)), ("function_call", json!(1)), ("function_call", json!(2))];
    assert_eq!(places, expected.each_ref().map(|(kind, place)| (*kind, place)));
    let done = events.iter().filter(|event| event["type"] == "response.output_text.done").count();
    assert_eq!(done, 0, "no event says that the text is complete");
    let items = events.last().unwrap()["response"]["output"].as_array().unwrap().clone();
    let kinds: Vec<&Value> = items.iter().map(|item| &item["type"]).collect();
    assert_eq!(kinds, ["reasoning", "function_call", "function_call", "message"]);
    let ids: Vec<&str> = items[1..3].iter().map(|item| item["id"].as_str().unwrap()).collect();
    assert!(ids.iter().all(|id| id.ends_with("_0")), "calls are counted within their object: {ids:?}");
}

/// Thinks and speaks twice.
const TWICE: &str = "pieces = [{ thinking = 'a' }, 'b', { thinking = 'c' }, 'd']";

#[test]
fn messages_drop_thinking_that_follows_a_text() {
    let body = asking("/v1/messages", "m", "hi");
    let streamed = shown("/v1/messages", &Bench::saying(TWICE).post("/v1/messages", &body), true);
    assert_eq!(streamed, ["~a", "b", "d"]);
}

#[test]
fn responses_think_again_in_an_item_of_its_own() {
    let events = Bench::saying(TWICE).post("/v1/responses", &asking("/v1/responses", "m", "hi")).events();
    let items = events.iter().filter(|event| event["type"] == "response.output_item.done");
    let items: Vec<_> = items.map(|event| (event["item"]["type"].as_str().unwrap(), &event["output_index"])).collect();
    // The text stays open while the model thinks again, and moves behind that.
    let expected = [("reasoning", json!(0)), ("reasoning", json!(1)), ("message", json!(2))];
    assert_eq!(items, expected.each_ref().map(|(kind, place)| (*kind, place)));
    let output = &events.last().unwrap()["response"]["output"];
    assert_eq!(output[2]["content"][0]["text"], "bd");
    assert_ne!(output[0]["id"], output[1]["id"]);
}

#[rstest]
fn a_message_ends_with_tool_use_after_a_call_whatever_stopped_the_model(
    #[values("ends = 'length'", "ends = 'silent'")] ends: &str,
) {
    let said = format!("pieces = [{{ call = {{ name = 'f', arguments = '{{}}' }} }}]\n{ends}");
    let mut body = asking("/v1/messages", "m", "hi");
    if ends.contains("length") {
        let events = Bench::saying(&said).post("/v1/messages", &body).events();
        assert_eq!(events[events.len() - 2]["delta"]["stop_reason"], "tool_use");
    }
    body["stream"] = json!(false);
    assert_eq!(Bench::saying(&said).post("/v1/messages", &body).json()["stop_reason"], "tool_use");
}

#[rstest]
#[case::responses("/v1/responses", json!({ "model": "m", "input": "", "stream": true }), 3)]
#[case::messages("/v1/messages", json!({ "model": "m", "max_tokens": 1, "messages": [{ "role": "user", "content": "" }], "stream": true }), 3)]
fn a_load_is_one_event_a_chunk_where_the_writer_flushes(#[case] path: &str, #[case] body: Value, #[case] count: usize) {
    let answer = Bench::saying(TWICE).post(path, &body);
    assert_eq!((answer.chunks().len(), answer.header("Content-Type")), (count, Some("text/event-stream")));
}
