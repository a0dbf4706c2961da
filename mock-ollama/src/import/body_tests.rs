use std::time::Duration;

use proptest::prelude::*;
use rstest::rstest;
use serde_json::json;

use crate::import::{Import, ImportError, ImportOptions, Input, InputProblem, import};
use crate::recording::{End, Method, Recording, read, to_string};
use crate::summary::Summary;

fn options() -> ImportOptions {
    ImportOptions { name: "x".to_owned(), ..ImportOptions::default() }
}

fn made(body: impl AsRef<[u8]>, options: &ImportOptions) -> Result<Import, ImportError> {
    import(&[Input { label: "body", bytes: body.as_ref() }], options)
}

fn recording(body: impl AsRef<[u8]>) -> Recording {
    made(body, &options()).unwrap().recording
}

/// Returns the chunks of the first exchange: offset and text.
fn chunks(recording: &Recording) -> Vec<(u64, String)> {
    let chunk = |chunk: &crate::recording::Chunk| (chunk.at_us, String::from_utf8_lossy(&chunk.bytes).into_owned());
    recording.exchanges[0].chunks.iter().map(chunk).collect()
}

/// Returns what the head of the first exchange says: method, path, status, content type.
fn head(recording: &Recording) -> (Method, &str, u16, &str) {
    let exchange = &recording.exchanges[0];
    let request = exchange.request.as_ref().unwrap();
    let kind = exchange.response.header("content-type").unwrap_or_default();
    (request.method, &request.path, exchange.response.status, kind)
}

const FIRST: &str = "{\"model\":\"m\",\"created_at\":\"2026-01-01T00:00:00Z\",\"response\":\"Yes\",\"done\":false}\n";
const SECOND: &str = "{\"model\":\"m\",\"created_at\":\"2026-01-01T00:00:00.25Z\",\"response\":\".\",\"done\":false}\n";
const LAST: &str = "{\"model\":\"m\",\"created_at\":\"2026-01-01T00:00:00.5Z\",\"response\":\"\",\"done\":true,\"total_duration\":600000000}\n";
const ERROR: &str = "{\"error\":\"an error was encountered while running the model: unexpected EOF\"}\n";
const CHAT: &str = "data: {\"object\":\"chat.completion.chunk\",\"model\":\"m\",\"choices\":[]}\n\n";

#[rstest]
#[case::after_objects(&[FIRST, SECOND, ERROR], &[0, 250_000, 250_000])]
#[case::after_one_object(&[FIRST, ERROR], &[0, 0])]
#[case::with_the_place_to_sign_in(&[FIRST, "{\"error\":\"unauthorized\",\"signin_url\":\"x\"}\n"], &[0, 0])]
#[case::of_another_server(&[FIRST, "{\"error\":{\"message\":\"lost\",\"code\":500}}\n"], &[0, 0])]
fn an_error_line_comes_with_the_object_before_it(#[case] lines: &[&str], #[case] times: &[u64]) {
    let made = made(lines.concat(), &options()).unwrap();
    let expected: Vec<_> = times.iter().copied().zip(lines.iter().map(|line| (*line).to_owned())).collect();
    assert_eq!(chunks(&made.recording), expected);
    assert_eq!(head(&made.recording), (Method::Post, "/api/generate", 200, "application/x-ndjson"));
    assert_eq!((made.recording.exchanges[0].end, made.notes), (End::Clean, Vec::new()));
}

#[test]
fn lines_of_progress_carry_no_times() {
    let lines = ["{\"status\":\"pulling manifest\"}\n", "{\"error\":\"pull model manifest: file does not exist\"}\n"];
    let recording = recording(lines.concat());
    assert_eq!(chunks(&recording), lines.map(|line| (0, line.to_owned())));
    assert_eq!(head(&recording), (Method::Post, "/api/pull", 200, "application/x-ndjson"));
    assert_eq!((recording.model.name.as_str(), recording.exchanges[0].end), ("none:latest", End::Clean));
}

#[rstest]
#[case::native("{\"error\":\"model 'm' not found\"}")]
#[case::native_with_a_newline("{\"error\":\"model 'm' not found\"}\n")]
#[case::pretty("{\n  \"error\": \"busy\"\n}\n")]
#[case::open_ai("{\"error\":{\"message\":\"no\",\"type\":\"not_found_error\",\"param\":null,\"code\":null}}")]
#[case::anthropic(
    "{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"no\"},\"request_id\":\"r\"}"
)]
#[case::vllm("{\"object\":\"error\",\"message\":\"no\",\"type\":\"NotFoundError\",\"code\":404}")]
fn the_status_of_a_lone_error_must_be_stated(#[case] body: &str, #[values("/api/chat", "/v1/messages")] path: &str) {
    let path = Some(path.to_owned());
    let refused = made(body, &ImportOptions { path: path.clone(), ..options() }).unwrap_err();
    assert!(matches!(refused, ImportError::Input { problem: InputProblem::NoStatus, .. }), "{refused}");
    let stated = ImportOptions { path: path.clone(), status: Some(404), model: Some("m".to_owned()), ..options() };
    let made = made(body, &stated).unwrap();
    let expected = (Method::Post, path.as_deref().unwrap(), 404, "application/json; charset=utf-8");
    assert_eq!(head(&made.recording), expected);
    assert_eq!(chunks(&made.recording), [(0, body.to_owned())]);
    assert_eq!((made.recording.exchanges[0].end, made.notes), (End::Clean, Vec::new()));
}

#[test]
fn a_lone_error_without_a_model_is_kept_and_that_is_said() {
    let stated = ImportOptions { path: Some("/api/chat".to_owned()), status: Some(503), ..options() };
    let made = made(ERROR, &stated).unwrap();
    assert_eq!(made.recording.model.name, "none:latest");
    assert_eq!(made.notes, ["body: the answer names no model, which is kept as `none`; state it with --model"]);
}

#[rstest]
#[case("{\"models\":[{\"name\":\"m:1b\",\"size\":1}]}", Method::Get, "/api/tags", "application/json; charset=utf-8")]
#[case(
    "{\"models\":[{\"name\":\"m:1b\",\"expires_at\":\"\"}]}",
    Method::Get,
    "/api/ps",
    "application/json; charset=utf-8"
)]
#[case("{\"version\":\"0.33.0\"}", Method::Get, "/api/version", "application/json; charset=utf-8")]
#[case("{\"template\":\"\",\"details\":{}}", Method::Post, "/api/show", "application/json; charset=utf-8")]
#[case(
    "{\"model\":\"m\",\"embeddings\":[[0.6,0.8]],\"total_duration\":9000}",
    Method::Post,
    "/api/embed",
    "application/json; charset=utf-8"
)]
#[case("{\"embedding\":[0.6,0.8]}\n", Method::Post, "/api/embeddings", "application/json; charset=utf-8")]
#[case(
    "{\"object\":\"list\",\"data\":[{\"object\":\"embedding\"}],\"model\":\"m\"}\n",
    Method::Post,
    "/v1/embeddings",
    "application/json"
)]
#[case(
    "{\"object\":\"list\",\"data\":[{\"id\":\"m\",\"object\":\"model\"}]}\n",
    Method::Get,
    "/v1/models",
    "application/json"
)]
#[case("{\"id\":\"m:1b\",\"object\":\"model\"}\n", Method::Get, "/v1/models/m:1b", "application/json")]
#[case("{\"object\":\"text_completion\",\"model\":\"m\"}\n", Method::Post, "/v1/completions", "application/json")]
#[case("{\"object\":\"response\",\"error\":null,\"model\":\"m\"}\n", Method::Post, "/v1/responses", "application/json")]
#[case("{\"type\":\"message\",\"model\":\"m\"}\n", Method::Post, "/v1/messages", "application/json")]
fn a_plain_answer_is_one_chunk_at_once(
    #[case] body: &str,
    #[case] method: Method,
    #[case] path: &str,
    #[case] kind: &str,
) {
    let recording = recording(body);
    assert_eq!(head(&recording), (method, path, 200, kind));
    assert_eq!((chunks(&recording), recording.exchanges[0].end), (vec![(0, body.to_owned())], End::Clean));
}

#[test]
fn of_two_listings_that_look_alike_the_path_tells() {
    assert!(matches!(
        made("{\"models\":[]}", &options()),
        Err(ImportError::Input { problem: InputProblem::NoPath, .. })
    ));
    let made = made("{\"models\":[]}", &ImportOptions { path: Some("/api/tags".to_owned()), ..options() }).unwrap();
    assert_eq!(head(&made.recording), (Method::Get, "/api/tags", 200, "application/json; charset=utf-8"));
}

#[test]
fn an_answer_that_nothing_can_ask_for_is_imported_with_a_note() {
    let noted = |request| made("{\"embedding\":[1.0]}", &ImportOptions { request, ..options() }).unwrap().notes;
    assert!(noted(None)[0].ends_with("state it with --request"));
    assert_eq!(noted(Some(json!({"model": "m", "prompt": "x"}))), [""; 0]);
}

#[test]
fn the_request_names_the_model_where_the_answer_does_not() {
    let request = Some(json!({"model": "quill:1b", "input": "x"}));
    assert_eq!(
        made("{\"embedding\":[1.0]}", &ImportOptions { request, ..options() }).unwrap().recording.model.name,
        "quill:1b"
    );
}

#[rstest]
#[case::of_chat(CHAT, "data: [DONE]\n\n", "/v1/chat/completions")]
#[case::without_a_space(
    "data:{\"object\":\"text_completion\",\"model\":\"m\"}\n\n",
    "data:[DONE]\n\n",
    "/v1/completions"
)]
#[case::with_names(
    "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"model\":\"m\"}}\n\n",
    "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
    "/v1/messages"
)]
#[case::with_names_behind(
    "data: {\"type\":\"response.created\",\"response\":{\"model\":\"m\"}}\nevent: response.created\n\n",
    "data: {\"type\":\"response.completed\"}\nevent: response.completed\n\n",
    "/v1/responses"
)]
#[case::with_ids(
    "id: 7\ndata: {\"object\":\"chat.completion.chunk\",\"model\":\"m\"}\n\n",
    "id: 8\ndata: [DONE]\n\n",
    "/v1/chat/completions"
)]
#[case::in_two_lines(
    "data: {\"object\":\ndata: \"chat.completion.chunk\",\"model\":\"m\"}\n\n",
    "data: [DONE]\n",
    "/v1/chat/completions"
)]
#[case::and_an_error(CHAT, "data: {\"error\":{\"message\":\"lost\",\"code\":502}}\n\n", "/v1/chat/completions")]
#[case::and_an_error_of_messages(
    "event: ping\ndata: {\"type\": \"ping\"}\n\nevent: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"model\":\"m\"}}\n\n",
    "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"x\"}}\n\n",
    "/v1/messages"
)]
fn events_are_chunks_whatever_they_begin_with(
    #[case] first: &str,
    #[case] last: &str,
    #[case] path: &str,
    #[values("", ": keep-alive\n\n", "retry: 3000\n\n", ":\n\n\n", "event: ping\n\n")] before: &str,
    #[values("\n", "\r\n", "\r")] end: &str,
) {
    let body = [before, first, last].concat().replace('\n', end);
    let stated = ImportOptions { gap: Some(Duration::from_millis(5)), ..options() };
    let made = made(&body, &stated).unwrap();
    assert_eq!(head(&made.recording), (Method::Post, path, 200, "text/event-stream"));
    assert_eq!((made.recording.model.name.as_str(), &made.recording.exchanges[0].end), ("m:latest", &End::Clean));
    let found = chunks(&made.recording);
    let blank = end.repeat(2);
    assert!(found.iter().rev().skip(1).all(|(_, chunk)| chunk.ends_with(&blank)), "{found:?}");
    let count =
        body.replace("\r\n", "\n").replace('\r', "\n").replace("\n\n\n", "\n\n").trim_end().split("\n\n").count();
    assert_eq!(found.len(), count, "{found:?}");
    assert_eq!(found.last().unwrap().0, 5000 * (count as u64 - 1));
    assert_eq!((made.recording.exchanges[0].body(), made.notes), (body.into_bytes(), Vec::new()));
}

#[rstest]
#[case::no_final_object([FIRST, SECOND].concat(), 2, "before its last object")]
#[case::half_an_object([FIRST, &LAST[..40]].concat(), 2, "within its last object")]
#[case::half_an_object_and_a_newline([FIRST, &LAST[..40], "\n"].concat(), 2, "within its last object")]
#[case::half_a_character([FIRST, "{\"response\":\"\u{e9}"].concat(), 2, "within its last object")]
#[case::half_an_object_on_several_lines([FIRST, "{\n \"model\":"].concat(), 2, "within its last object")]
#[case::an_object_that_is_not_done("{\n\"model\":\"m\",\"response\":\"\",\"done\":false\n}".to_owned(), 1, "before its last object")]
#[case::no_success("{\"status\":\"pulling manifest\"}\n{\"status\":\"pulling abc\"}\n".to_owned(), 2, "before its last object")]
#[case::no_done(CHAT.repeat(2), 2, "before its last event")]
#[case::half_an_event([CHAT, &CHAT[..30]].concat(), 2, "within its last object")]
#[case::half_an_event_behind_a_comment([CHAT, ": x\n\n", &CHAT[..30], "\n\n: y\n\n"].concat(), 4, "within its last object")]
#[case::no_message_stop("data: {\"type\":\"message_start\",\"message\":{\"model\":\"m\"}}\n\n".to_owned(), 1, "before its last event")]
fn a_body_that_breaks_off_has_no_clean_end(#[case] body: String, #[case] count: usize, #[case] note: &str) {
    let made = made(&body, &options()).unwrap();
    let exchange = &made.recording.exchanges[0];
    assert_eq!((exchange.end, exchange.chunks.len()), (End::Eof, count));
    assert_eq!(exchange.body(), body.as_bytes());
    assert!(made.notes[0].contains(note) && made.notes[0].contains("`eof`"), "{:?}", made.notes);
}

#[test]
fn a_plain_answer_that_breaks_off_is_kept_where_its_route_is_stated() {
    let body = "{\"id\":\"chatcmpl-1\",\"object\":\"chat.comp";
    assert!(matches!(made(body, &options()), Err(ImportError::Input { problem: InputProblem::NoPath, .. })));
    let path = Some("/v1/chat/completions".to_owned());
    let made = made(body, &ImportOptions { path, model: Some("m".to_owned()), ..options() }).unwrap();
    assert_eq!(head(&made.recording).3, "application/json");
    assert_eq!((chunks(&made.recording), made.recording.exchanges[0].end), (vec![(0, body.to_owned())], End::Eof));
}

fn pretty(line: &str) -> String {
    serde_json::to_string_pretty(&serde_json::from_str::<serde_json::Value>(line).unwrap()).unwrap()
}

#[test]
fn one_object_over_several_lines_is_a_plain_answer_as_it_is() {
    let body = pretty(LAST) + "\n";
    let made = made(&body, &options()).unwrap();
    assert_eq!(head(&made.recording).3, "application/json; charset=utf-8");
    assert_eq!((chunks(&made.recording), made.notes), (vec![(600_000, body)], Vec::new()));
}

#[test]
fn several_objects_over_several_lines_are_put_on_one_line_each() {
    let body = [pretty(FIRST), pretty(SECOND), LAST.to_owned()].join("\n\n");
    let made = made(&body, &options()).unwrap();
    assert_eq!(head(&made.recording).3, "application/x-ndjson");
    let expected = [(100_000, FIRST.to_owned()), (350_000, SECOND.to_owned()), (600_000, LAST.to_owned())];
    assert_eq!(chunks(&made.recording), expected);
    assert_eq!(made.notes.len(), 1, "{:?}", made.notes);
}

#[test]
fn two_objects_on_a_line_are_two_chunks() {
    let body = [FIRST.trim_end(), LAST].concat();
    assert_eq!(chunks(&recording(&body)).len(), 2);
    assert_eq!(recording(&body).exchanges[0].body(), body.into_bytes());
}

#[rstest]
#[case::utf_8("\u{feff}".bytes().chain([FIRST, LAST].concat().into_bytes()).collect(), "byte order mark")]
#[case::utf_16("\u{feff}".encode_utf16().chain([FIRST, LAST].concat().encode_utf16()).flat_map(u16::to_le_bytes).collect(), "is UTF-16")]
#[case::events("\u{feff}".bytes().chain([CHAT, "data: [DONE]\n\n"].concat().into_bytes()).collect(), "byte order mark")]
fn marks_that_were_never_sent_are_taken_off_and_that_is_said(#[case] bytes: Vec<u8>, #[case] note: &str) {
    let made = made(bytes, &options()).unwrap();
    let body = String::from_utf8(made.recording.exchanges[0].body()).unwrap();
    assert!([[FIRST, LAST].concat(), [CHAT, "data: [DONE]\n\n"].concat()].contains(&body), "{body}");
    assert!(made.notes.len() == 1 && made.notes[0].contains(note), "{:?}", made.notes);
}

#[test]
fn a_head_before_the_body_tells_status_and_content_type() {
    let head_of = |head: &str, body: &str| {
        let stated = ImportOptions { path: Some("/api/chat".to_owned()), model: Some("m".to_owned()), ..options() };
        made(format!("{head}{body}"), &stated).unwrap().recording
    };
    let busy =
        head_of("HTTP/1.1 503 Service Unavailable\r\nRetry-After: 2\r\nSet-Cookie: a=b\r\nDate: today\r\n\r\n", ERROR);
    assert_eq!(head(&busy), (Method::Post, "/api/chat", 503, "application/json; charset=utf-8"));
    assert_eq!(busy.exchanges[0].response.headers[0], ("Retry-After".to_owned(), "2".to_owned()));
    assert_eq!(busy.exchanges[0].response.headers.len(), 2);
    let two = head_of(
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/2 502 \r\ncontent-type: text/html\r\n\r\n",
        "<html>bad gateway</html>",
    );
    assert_eq!(head(&two), (Method::Post, "/api/chat", 502, "text/html"));
    assert_eq!(chunks(&two), [(0, "<html>bad gateway</html>".to_owned())]);
    assert_eq!(head_of("HTTP/1.1 404 Not Found\n\n", "").exchanges[0].chunks, []);
}

#[test]
fn what_cannot_be_read_is_named_in_one_line_with_what_to_do() {
    let path = Some("/api/chat".to_owned());
    let errors: Vec<String> = [
        "mappings:\n- request:\n",
        "[{\"model\":\"m\"}]",
        "<html></html>",
        "{'model': 'm'}",
        "eyJtb2RlbCI6Im0iLCJk",
        "Ollama is running",
        "{\"model\":\"m\"} and more",
        "{\"object\":\"chat.completion.chunk\",\"model\":\"m\"}\n{\"object\":\"chat.completion.chunk\",\"model\":\"m\"}\n",
        "{\"version\":\"1\"}\n{\"version\":\"1\"}\n",
        "{\"error\":\"model 'm' not found\"}",
        "HTTP/1.1 abc\n\n{}",
        "HTTP/1.1 200 OK\nno field\n\n{}",
        "\u{feff}\n",
    ]
    .iter()
    .map(|body| made(body, &ImportOptions { path: path.clone().filter(|_| body.starts_with("HTTP")), ..options() }))
    .map(|done| done.unwrap_err().to_string())
    .collect();
    assert!(errors.iter().all(|error| error.lines().count() == 1), "{errors:?}");
    insta::assert_snapshot!(errors.join("\n"));
}

#[test]
fn tool_arguments_in_fragments_and_reasoning_are_kept_as_they_are() {
    let chunk = |delta: serde_json::Value| {
        let object =
            json!({"object": "chat.completion.chunk", "model": "m", "choices": [{"index": 0, "delta": delta}]});
        format!("data: {object}\n\n")
    };
    let call = |call: serde_json::Value| chunk(json!({ "tool_calls": [call] }));
    let body = [
        chunk(json!({"reasoning_content": "hm"})),
        chunk(json!({"reasoning": "hm"})),
        call(json!({"index": 0, "id": "call_a", "function": {"name": "f", "arguments": ""}})),
        call(json!({"index": 0, "function": {"arguments": "{\"a\":"}})),
        call(json!({"index": 0, "function": {"arguments": "1}"}})),
        "data: [DONE]\n\n".to_owned(),
    ];
    let recording = recording(body.concat());
    assert_eq!(chunks(&recording), body.map(|chunk| (0, chunk)));
    let summary = &Summary::of(&recording).exchanges[0];
    assert_eq!((summary.chunks, summary.end), (6, End::Clean));
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic_and_what_is_imported_can_be_read_again(
        start in prop::sample::select(vec!["", "{", "data: ", "\u{feff}", "HTTP/1.1 200 OK\r\n\r\n", FIRST, CHAT, "{\"format\":\"raw-capture/1\"}\n"]),
        rest in prop::collection::vec(any::<u8>(), 0..60),
        status in prop::option::of(200_u16..600),
    ) {
        let bytes = [start.as_bytes(), &rest].concat();
        let stated = ImportOptions { path: Some("/api/chat".to_owned()), model: Some("m".to_owned()), status, ..options() };
        for options in [options(), stated] {
            if let Ok(made) = made(&bytes, &options) {
                let text = to_string(&made.recording).unwrap();
                prop_assert_eq!(read(text.as_bytes(), "x").unwrap(), made.recording);
            }
        }
    }

    #[test]
    fn a_cut_body_keeps_all_its_bytes(at in 1_usize..400, is_events in any::<bool>()) {
        let whole = if is_events { [&CHAT.repeat(4), "data: [DONE]\n\n"].concat() } else { [FIRST, SECOND, LAST].concat() };
        let cut = &whole[..at.min(whole.len())];
        let stated = ImportOptions { path: Some("/api/chat".to_owned()), model: Some("m".to_owned()), ..options() };
        if let Ok(made) = made(cut, &stated) {
            prop_assert_eq!(made.recording.exchanges[0].body(), cut.as_bytes());
            let is_whole = cut.trim_end().len() == whole.trim_end().len();
            prop_assert_eq!(made.recording.exchanges[0].end == End::Clean, is_whole);
        }
    }
}

#[rstest]
fn deep_nesting_overflows_no_stack(
    #[values(127, 1000, 500_000)] depth: usize,
    #[values("}", "")] close: &str,
    #[values("", "data: ", "HTTP/1.1 200 OK\n\n")] before: &str,
) {
    let _ = made(format!("{before}{}1{}\n\n", "{\"a\":".repeat(depth), close.repeat(depth)), &options());
}
