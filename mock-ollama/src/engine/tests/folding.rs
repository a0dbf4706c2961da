//! What was recorded in one form and is asked for in another: streams, failures, and answers that no client could read.

use rstest::rstest;
use serde_json::{Value, json};

use super::{CONN, TestEngine, chunks_of, post, recording};
use crate::catalog::Matching;
use crate::dialect::routes;
use crate::journal::Answer;
use crate::recording::{Chunk, End, Recording, RequestBody};
use crate::schedule::Pace;

const EVENTS: &str = "text/event-stream";
const LINES: &str = "application/x-ndjson";

/// A recording of one question, answered like this.
fn answered(name: &str, path: &str, status: u16, kind: Option<&str>, body: &str) -> Recording {
    let mut recording = recording(name, "tiny", path, request(path, true), &[body.to_owned()]);
    let response = &mut recording.exchanges[0].response;
    response.status = status;
    response.headers = kind.map(|kind| ("Content-Type".to_owned(), kind.to_owned())).into_iter().collect();
    recording
}

/// The question that every recording here answers.
fn request(path: &str, stream: bool) -> Value {
    let messages = json!([{ "role": "user", "content": "q" }]);
    json!({ "model": "tiny", "prompt": "q", "messages": messages, "input": "q", "max_tokens": 9, "stream": stream, "path": path })
}

/// The same, recorded for a request that asked for no stream.
fn unstreamed(mut recording: Recording) -> Recording {
    let asked = recording.exchanges[0].request.as_mut().unwrap();
    asked.body = Some(RequestBody::Json(request(&asked.path, false)));
    recording
}

fn bench(recordings: &[Recording]) -> TestEngine {
    TestEngine::new(recordings.to_vec(), |config| {
        config.matching = Matching::Exact;
        config.pace = Pace::instant();
    })
}

/// Head and body of the answer to the question in this form.
fn ask(bench: &mut TestEngine, path: &str, stream: bool) -> (String, String) {
    let before = bench.output().len();
    bench.send(post(path, &request(path, stream).to_string(), "")).run();
    let answer = bench.output()[before..].to_owned();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{answer}"));
    let is_chunked = head.contains("Transfer-Encoding: chunked");
    let body = if is_chunked { chunks_of(&answer).concat() } else { body.to_owned() };
    (head.to_owned(), body)
}

fn status(head: &str) -> u16 {
    head[9..12].parse().unwrap()
}

fn json_of((head, body): (String, String)) -> Value {
    assert!(head.contains("\r\nContent-Type: application/json"), "{head}\n{body}");
    serde_json::from_str(&body).unwrap_or_else(|error| panic!("{error}: {body}"))
}

/// The tool call of an answer, its name and its arguments.
fn call(path: &str, answer: &Value) -> (String, Value) {
    let place = match path {
        "/v1/chat/completions" => "/choices/0/message/tool_calls/0/function",
        "/v1/messages" => "/content/1",
        "/v1/responses" => "/output/1",
        _ => "/message/tool_calls/0/function",
    };
    let call = answer.pointer(place).unwrap_or_else(|| panic!("{answer}"));
    let arguments = call.get("arguments").or(call.get("input")).unwrap();
    let arguments = arguments.as_str().map_or(arguments.clone(), |text| serde_json::from_str(text).unwrap());
    (call["name"].as_str().unwrap().to_owned(), arguments)
}

fn chat_stream(deltas: &[&str], finish: &str) -> String {
    let chunk = |delta: &str, finish: &str| {
        format!(
            "data: {{\"id\":\"c-7\",\"model\":\"tiny\",\"choices\":[{{\"index\":0,\"delta\":{delta},\"finish_reason\":{finish}}}]}}\n\n"
        )
    };
    let body: String = deltas.iter().map(|delta| chunk(delta, "null")).collect();
    body + &chunk("{}", finish) + "data: [DONE]\n\n"
}

/// Thinking, and a call whose arguments come in these pieces.
fn chat_call(pieces: [&str; 2]) -> String {
    let piece =
        |text: &str| format!("{{\"tool_calls\":[{{\"index\":0,\"function\":{{\"arguments\":{}}}}}]}}", json!(text));
    let begin =
        r#"{"tool_calls":[{"index":0,"id":"call_a","type":"function","function":{"name":"weather","arguments":""}}]}"#;
    let [first, second] = pieces.map(piece);
    chat_stream(&[r#"{"role":"assistant","reasoning_content":"hm"}"#, begin, &first, &second], "\"tool_calls\"")
}

/// The same in the dialect of messages.
fn message_call(pieces: [&str; 2]) -> String {
    let piece = |text: &str| {
        let delta = json!({ "type": "input_json_delta", "partial_json": text });
        json!({ "type": "content_block_delta", "index": 1, "delta": delta })
    };
    let [first, second] = pieces.map(piece);
    let usage = json!({ "input_tokens": 3, "output_tokens": 1 });
    let message =
        json!({ "id": "m-1", "type": "message", "role": "assistant", "model": "tiny", "content": [], "usage": usage });
    let thinking = json!({ "type": "thinking", "thinking": "", "signature": "" });
    let tool = json!({ "type": "tool_use", "id": "t-1", "name": "weather", "input": {} });
    let events = [
        json!({ "type": "message_start", "message": message }),
        json!({ "type": "content_block_start", "index": 0, "content_block": thinking }),
        json!({ "type": "content_block_delta", "index": 0, "delta": { "type": "thinking_delta", "thinking": "hm" } }),
        json!({ "type": "content_block_stop", "index": 0 }),
        json!({ "type": "content_block_start", "index": 1, "content_block": tool }),
        first,
        second,
        json!({ "type": "content_block_stop", "index": 1 }),
        json!({ "type": "message_delta", "delta": { "stop_reason": "tool_use" }, "usage": { "output_tokens": 20 } }),
        json!({ "type": "message_stop" }),
    ];
    let events: Vec<String> = events.iter().map(|event| format!("event: e\ndata: {event}\n\n")).collect();
    events.concat()
}

const CHATS: [&str; 4] = ["/api/chat", "/v1/chat/completions", "/v1/messages", "/v1/responses"];

#[rstest]
#[case::openai("/v1/chat/completions", chat_call(["{\"city\":", "\"Paris\"}"]))]
#[case::anthropic("/v1/messages", message_call(["", "{\"city\": \"Paris\"}"]))]
fn a_call_in_pieces_is_folded_and_rendered_in_every_dialect(#[case] path: &str, #[case] body: String) {
    let recordings = [answered("r", path, 200, Some(EVENTS), &body)];
    for asked in CHATS {
        let answer = ask(&mut bench(&recordings), asked, false);
        assert_eq!(status(&answer.0), 200, "{asked}");
        let answer = json_of(answer);
        assert_eq!(call(asked, &answer), ("weather".to_owned(), json!({ "city": "Paris" })), "{asked}");
        let (head, body) = ask(&mut bench(&recordings), asked, true);
        assert!(status(&head) == 200 && body.contains("weather") && body.contains("hm"), "{asked}: {head}\n{body}");
    }
}

#[rstest]
#[case::openai("/v1/chat/completions", "data: {\"object\":\"chat.completion.chunk\",\"choices\":[]}\n\n".to_owned() + &chat_call(["{}", ""]))]
#[case::anthropic("/v1/messages", message_call(["", "{}"]))]
#[case::responses(
    "/v1/responses",
    "data: {\"type\":\"response.created\"}\n\ndata: {\"type\":\"response.output_item.done\",\"item\":{\"type\":\"function_call\",\"name\":\"weather\"}}\n\n".to_owned()
)]
fn without_a_request_the_body_tells_the_dialect(#[case] path: &str, #[case] body: String) {
    let mut recording = answered("r", path, 200, None, &body);
    recording.exchanges[0].request = None;
    let mut bench = bench(&[recording]);
    bench.engine.config.matching = Matching::Loose;
    assert_eq!(ask(&mut bench, path, true).1, body);
    let answer = json_of(ask(&mut bench, "/api/chat", false));
    assert_eq!(answer["message"]["tool_calls"][0]["function"]["name"], "weather", "{answer}");
}

#[test]
fn arguments_that_are_no_json_are_folded_where_they_are_text_and_said_elsewhere() {
    let recordings = [answered("r", "/v1/chat/completions", 200, Some(EVENTS), &chat_call(["{\"city\"", ""]))];
    let answer = json_of(ask(&mut bench(&recordings), "/v1/chat/completions", false));
    assert_eq!(answer["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"], "{\"city\"");
    let answer = json_of(ask(&mut bench(&recordings), "/v1/responses", false));
    assert_eq!(answer["output"][1]["arguments"], "{\"city\"");
    for asked in ["/api/chat", "/v1/messages"] {
        for stream in [true, false] {
            let (head, body) = ask(&mut bench(&recordings), asked, stream);
            assert_eq!(status(&head), 404);
            assert!(
                body.contains("dialect: the arguments of its call of \\\"weather\\\" are no JSON object"),
                "{body}"
            );
        }
    }
}

const CHOICES: &str = "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}},{\"index\":1,\"delta\":{\"content\":\"b\"}}]}\n\n";

#[test]
fn several_choices_are_folded_in_their_own_dialect_alone() {
    let recordings = [answered("r", "/v1/chat/completions", 200, Some(EVENTS), CHOICES)];
    let answer = json_of(ask(&mut bench(&recordings), "/v1/chat/completions", false));
    assert_eq!(answer["choices"][1]["message"]["content"], "b");
    let (head, body) = ask(&mut bench(&recordings), "/api/chat", false);
    assert_eq!(status(&head), 404);
    assert!(body.contains("it has several choices, and one is all that can be rendered"), "{body}");
}

#[rstest]
#[case::no_json(
    "/v1/chat/completions",
    EVENTS,
    "data: {'a':1}\n\n",
    "stream: value 1 of its body is none of its dialect"
)]
#[case::no_events("/v1/messages", EVENTS, "boom\n", "stream: line 1 of its body is no line of an event stream")]
#[case::other_events(
    "/v1/chat/completions",
    EVENTS,
    "data: {\"a\":1}\n\n",
    "stream: its body holds no answer of its dialect"
)]
#[case::cut(
    "/api/chat",
    LINES,
    "{\"message\":{\"content\":\"a\"},\"done\":false}\n{\"mess",
    "stream: value 2 of its body"
)]
#[case::stray(
    "/v1/chat/completions",
    EVENTS,
    "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"{}\"}}]}}]}\n\n",
    "stream: it has a piece of a tool call whose beginning is missing"
)]
fn a_stream_that_cannot_be_folded_is_a_miss_that_says_why(
    #[case] path: &str,
    #[case] kind: &str,
    #[case] body: &str,
    #[case] why: &str,
) {
    let recordings = [answered("r", path, 200, Some(kind), body)];
    let mut bench = bench(&recordings);
    let (head, said) = ask(&mut bench, path, false);
    assert!(status(&head) == 404 && !head.contains(kind), "{head}");
    assert!(
        said.contains("nearest: recording \\\"r\\\" exchange 0; first difference: ") && said.contains(why),
        "{said}"
    );
    assert!(
        matches!(&bench.engine.journal().entries[0].answer, Answer::Unexpected { why: told } if told.contains(why))
    );
    // As it was recorded, it is served all the same.
    assert_eq!(ask(&mut bench, path, true).1, body);
}

#[rstest]
#[case::native("/api/chat", LINES, "{\"message\":{\"content\":\"a\"},\"done\":false}\n{\"error\":\"boom\"}\n")]
#[case::openai(
    "/v1/chat/completions",
    EVENTS,
    "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\ndata: {\"error\":{\"message\":\"boom\"}}\n\n"
)]
#[case::anthropic(
    "/v1/messages",
    EVENTS,
    "data: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"a\"}}\n\n\
    data: {\"type\":\"error\",\"error\":{\"type\":\"x\",\"message\":\"boom\"}}\n\n"
)]
#[case::responses(
    "/v1/responses",
    EVENTS,
    "data: {\"type\":\"response.output_text.delta\",\"delta\":\"a\"}\n\n\
    data: {\"type\":\"response.failed\",\"response\":{\"error\":{\"message\":\"boom\"}}}\n\n"
)]
fn an_error_in_mid_stream_is_the_whole_answer(#[case] path: &str, #[case] kind: &str, #[case] body: &str) {
    let recordings = [answered("r", path, 200, Some(kind), body)];
    for asked in CHATS {
        let answer = ask(&mut bench(&recordings), asked, false);
        assert_eq!(status(&answer.0), 500, "{asked}");
        let error = json_of(answer)["error"].clone();
        assert_eq!(error.as_str().or(error["message"].as_str()), Some("boom"), "{asked}");
    }
}

#[rstest]
#[case::native("/api/chat", LINES, "{\"message\":{\"content\":\"a\"},\"done\":false}\n", "/message/content")]
#[case::openai(
    "/v1/chat/completions",
    EVENTS,
    "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n",
    "/choices/0/message/content"
)]
#[case::responses(
    "/v1/responses",
    EVENTS,
    "data: {\"type\":\"response.output_text.delta\",\"delta\":\"a\"}\n\n",
    "/output/0/content/0/text"
)]
fn without_a_final_object_the_text_so_far_is_the_answer_unless_the_connection_broke(
    #[case] path: &str,
    #[case] kind: &str,
    #[case] body: &str,
    #[case] place: &str,
) {
    let mut recording = answered("r", path, 200, Some(kind), body);
    let answer = json_of(ask(&mut bench(&[recording.clone()]), path, false));
    assert_eq!(answer.pointer(place), Some(&json!("a")), "{answer}");
    for end in [End::Eof, End::Reset, End::ClientClosed, End::Timeout] {
        recording.exchanges[0].end = end;
        for asked in CHATS {
            let (head, body) = ask(&mut bench(&[recording.clone()]), asked, false);
            assert!(status(&head) == 404 && body.contains("it breaks off before its answer ends"), "{asked}: {body}");
        }
    }
}

#[rstest]
#[case::reset(End::Reset, "reset")]
#[case::closed(End::Eof, "shutdown")]
fn a_stream_that_broke_off_breaks_off_in_every_dialect(#[case] end: End, #[case] told: &str) {
    for body in ["", "{\"message\":{\"content\":\"ab\"},\"done\":false}\n{\"mess"] {
        let mut recording = answered("r", "/api/chat", 200, Some(LINES), body);
        recording.exchanges[0].end = end;
        recording.exchanges[0].chunks.retain(|chunk| !chunk.bytes.is_empty());
        for asked in CHATS {
            let mut bench = bench(&[recording.clone()]);
            bench.send(post(asked, &request(asked, true).to_string(), "")).run();
            let output = bench.output();
            assert!(output.contains("ab") != body.is_empty(), "{asked}: {output}");
            assert!(!output.contains("Content-Length") && !output.ends_with("0\r\n\r\n"), "{asked}: {output}");
            assert_eq!(bench.told.first().map(|(_, told)| *told), Some(told), "{asked}");
        }
    }
}

#[test]
fn a_connection_that_broke_after_the_answer_lost_nothing() {
    let body = chat_stream(&["{\"content\":\"a\"}"], "\"stop\"");
    let mut recording = answered("r", "/v1/chat/completions", 200, Some(EVENTS), &body[..body.len() - 4]);
    recording.exchanges[0].end = End::ClientClosed;
    let answer = json_of(ask(&mut bench(&[recording]), "/v1/chat/completions", false));
    assert_eq!(answer["choices"][0]["finish_reason"], "stop");
}

#[rstest]
#[case::json(Some("application/json"), "{\"error\":\"busy\"}")]
#[case::events(Some(EVENTS), "event: error\ndata: {\"type\":\"error\",\"error\":{\"message\":\"busy\"}}\n\n")]
#[case::no_type(None, "{\"error\":{\"message\":\"busy\"}}")]
fn a_recorded_failure_answers_in_every_form_and_dialect(#[case] kind: Option<&str>, #[case] body: &str) {
    for recorded in routes() {
        let recordings = [answered("r", recorded, 503, kind, body)];
        for asked in routes() {
            for stream in [true, false] {
                let (head, body) = ask(&mut bench(&recordings), asked, stream);
                assert!(status(&head) == 503 && body.contains("busy"), "{recorded} as {asked}: {head}\n{body}");
                assert!(stream || !head.contains(EVENTS), "{recorded} as {asked}: {head}");
                let is_native = asked.starts_with("/api/") && asked != recorded;
                assert!(!is_native || body == "{\"error\":\"busy\"}", "{body}");
            }
        }
    }
}

#[rstest]
#[case::own_dialect("/api/chat")]
#[case::another_dialect("/v1/chat/completions")]
fn a_recorded_failure_takes_its_turn(#[case] path: &str) {
    let line = "{\"message\":{\"content\":\"a\"},\"done\":true,\"done_reason\":\"stop\"}\n";
    let recordings = [
        answered("stream", "/api/chat", 200, Some(LINES), line),
        answered("failure", "/api/chat", 503, Some("application/json"), "{\"error\":\"busy\"}"),
        unstreamed(answered("whole", "/api/chat", 200, Some("application/json"), line)),
    ];
    for stream in [true, false] {
        let mut bench = bench(&recordings);
        let statuses: Vec<u16> = (0..4).map(|_| status(&ask(&mut bench, path, stream).0)).collect();
        // In another dialect, both recordings of the answer are rendered.
        let expected = match (path, stream) {
            ("/api/chat", true) => [200, 503, 200, 503],
            ("/api/chat", false) => [503, 200, 503, 200],
            _ => [200, 503, 200, 200],
        };
        assert_eq!(statuses, expected, "{stream}");
    }
}

#[test]
fn a_stream_without_a_content_type_is_served_as_it_is() {
    let line = "{\"model\":\"tiny\",\"message\":{\"content\":\"x\"},\"done\":true}\n";
    let recordings = [answered("r", "/api/chat", 200, None, line)];
    let (head, body) = ask(&mut bench(&recordings), "/api/chat", true);
    assert!(status(&head) == 200 && !head.contains("Content-Type"), "{head}");
    assert!(head.contains("Transfer-Encoding: chunked") && body == line, "{head}\n{body}");
    assert_eq!(json_of(ask(&mut bench(&recordings), "/api/chat", false))["message"]["content"], "x");
}

#[test]
fn events_without_a_content_type_are_a_stream() {
    let body = ": hi\n\n".to_owned() + &chat_stream(&["{\"content\":\"a\"}"], "\"stop\"");
    let recordings = [answered("r", "/v1/chat/completions", 200, None, &body)];
    assert_eq!(ask(&mut bench(&recordings), "/v1/chat/completions", true).1, body);
    let answer = json_of(ask(&mut bench(&recordings), "/v1/chat/completions", false));
    assert_eq!(answer["choices"][0]["message"]["content"], "a");
}

#[test]
fn a_whole_answer_that_came_in_two_pieces_is_no_stream() {
    let body = "{\"message\":{\"content\":\"a\"},\"done\":true}";
    let mut recording = answered("r", "/api/chat", 200, Some("application/json; charset=utf-8"), body);
    let pieces = [&body[..9], &body[9..]].map(|piece| Chunk { at_us: 0, bytes: piece.to_owned().into() });
    recording.exchanges[0].chunks = pieces.to_vec();
    // A request for a stream that got this once gets it again.
    assert_eq!(ask(&mut bench(&[recording.clone()]), "/api/chat", true).1, body);
    let recording = unstreamed(recording);
    assert_eq!(ask(&mut bench(std::slice::from_ref(&recording)), "/api/chat", false).1, body);
    let (head, said) = ask(&mut bench(&[recording]), "/api/chat", true);
    assert_eq!(status(&head), 404);
    assert!(said.contains("stream: only a whole answer was recorded, asked \\\"stream\\\":true"), "{said}");
}

#[rstest]
#[case::no_content(204)]
#[case::not_modified(304)]
fn a_status_without_a_body_keeps_the_connection_in_step(#[case] status: u16) {
    for kind in [None, Some(LINES)] {
        let recordings = [answered("r", "/api/chat", status, kind, "{\"message\":{},\"done\":true}\n")];
        let mut bench = bench(&recordings);
        let request = post("/api/chat", &request("/api/chat", true).to_string(), "");
        bench.send(request.repeat(2)).run();
        let output = bench.output();
        let heads: Vec<&str> = output.split_terminator("\r\n\r\n").collect();
        assert_eq!(heads.len(), 2, "{output}");
        for head in heads {
            assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{output}");
            assert!(!head.contains("Content-Length") && !head.contains("Transfer-Encoding"), "{output}");
        }
    }
}

#[test]
fn a_recorded_head_request_is_answered_by_the_head_alone() {
    let mut recording = answered("r", "/api/tags", 200, Some("application/json"), "{}");
    let asked = recording.exchanges[0].request.as_mut().unwrap();
    (asked.method, asked.body) = (crate::recording::Method::Head, None);
    let mut bench = bench(&[recording]);
    bench.send("HEAD /api/tags HTTP/1.1\r\nHost: a\r\n\r\n".repeat(2)).run();
    let output = bench.output();
    assert_eq!(output.matches("HTTP/1.1 200 OK\r\n").count(), 2, "{output}");
    assert!(!output.contains("{}") && !bench.writes(CONN).is_empty(), "{output}");
}
