use std::fmt::Write as _;
use std::time::Duration;

use bytes::Bytes;
use proptest::prelude::*;
use rstest::rstest;
use serde_json::json;

use super::{DIALECTS, read};
use crate::generation::Dialect;
use crate::generation::{Arguments, Content, Ending, Generation};
use crate::recording::{Chunk, End, Exchange, Response};

pub(crate) const LINES: &str = "application/x-ndjson";
pub(crate) const EVENTS: &str = "text/event-stream";
pub(crate) const JSON: &str = "application/json";

/// An exchange whose chunks come 10 ms apart.
pub(crate) fn exchange(status: u16, kind: &str, chunks: &[&str]) -> Exchange {
    let chunks =
        chunks.iter().zip(1..).map(|(text, n)| Chunk { at_us: n * 10_000, bytes: text.as_bytes().to_vec().into() });
    let headers = vec![("Content-Type".to_owned(), kind.to_owned())];
    let response = Response { status, headers };
    Exchange { request: None, sent_us: None, response, chunks: chunks.collect(), end: End::Clean }
}

pub(crate) fn shown(dialect: Dialect, status: u16, kind: &str, chunks: &[&str]) -> String {
    read(dialect, &exchange(status, kind, chunks))
        .map_or_else(|why| format!("none: {why}"), |generation| show(&generation))
}

/// A generation in a line a piece.
fn show(generation: &Generation) -> String {
    let Generation { load, prompt_end, prompt_count, eval_count, context, .. } = generation;
    let mut out = format!("load {load:?}, prompt {prompt_end:?}, counts {prompt_count} {eval_count}, {context:?}");
    for piece in generation.pieces.iter().chain([&generation.last]) {
        let _ = write!(out, "\n{:?} ", piece.at);
        let _ = match &piece.content {
            Content::Held => write!(out, "held"),
            Content::Text(text) => write!(out, "text {:?}", String::from_utf8_lossy(text)),
            Content::Thinking(text) => write!(out, "thinking {text:?}"),
            Content::Calls(calls) => calls.iter().try_for_each(|call| {
                let arguments = match &call.arguments {
                    Arguments::Object(object) => serde_json::Value::Object(object.clone()).to_string(),
                    Arguments::Text(text) => format!("`{text}`"),
                };
                write!(out, "call {} {:?} {} {arguments};", call.index, call.id, call.name)
            }),
        };
        for logprob in &piece.logprobs {
            let _ = write!(out, " {:?}={}/{}", logprob.token, logprob.logprob, logprob.top.len());
        }
    }
    let _ = write!(out, "\n{:?}", generation.ending);
    out
}

#[test]
fn generate_lines_are_pieces_at_the_times_of_their_chunks() {
    insta::assert_snapshot!(shown(Dialect::Generate, 200, LINES, &[
        "{\"model\":\"m\",\"created_at\":\"t\",\"response\":\"\",\"done\":false}\n",
        "{\"model\":\"m\",\"response\":\"Hi\",\"thinking\":\"hm\",\"done\":false}\n{\"response\":\"!\",\"done\":false}\n{\"resp",
        "onse\":\"?\",\"done\":false}\n",
        "{\"response\":\"\",\"done\":true,\"done_reason\":\"length\",\"context\":[1,2],\"total_duration\":9,\
         \"load_duration\":1000000,\"prompt_eval_count\":11,\"prompt_eval_duration\":2000000,\"eval_count\":3,\
         \"eval_duration\":5}\n",
    ]), @r#"
    load 1ms, prompt 3ms, counts 11 3, [1, 2]
    10ms held
    20ms thinking "hm"
    20ms text "Hi"
    20ms text "!"
    30ms text "?"
    40ms held
    Done(Length)
    "#);
}

#[test]
fn chat_lines_are_pieces_and_those_without_anything_are_dropped() {
    insta::assert_snapshot!(shown(Dialect::Chat, 200, LINES, &[
        "{\"message\":{\"role\":\"assistant\",\"content\":\"\"},\"done\":false}\n",
        "{\"message\":{\"role\":\"assistant\",\"content\":\"\",\"thinking\":\"hm\"},\"done\":false}\n",
        "{\"message\":{\"role\":\"assistant\",\"content\":\"a\",\"tool_calls\":[{\"function\":{\"name\":\"f\",\
         \"arguments\":{\"z\":1,\"a\":2}}},{\"id\":\"call_1\",\"function\":{\"index\":1,\"name\":\"g\",\
         \"arguments\":{}}}]},\"done\":false}\n",
        "{\"message\":{\"role\":\"assistant\",\"content\":\"\"},\"done\":true,\"done_reason\":\"stop\",\
         \"load_duration\":90000000,\"prompt_eval_duration\":1,\"eval_count\":3}\n",
    ]), @r#"
    load 20ms, prompt 20ms, counts 0 3, []
    20ms thinking "hm"
    30ms text "a"
    30ms call 0 None f {"z":1,"a":2};call 1 Some("call_1") g {};
    40ms held
    Done(Stop)
    "#);
}

#[test]
fn what_the_final_object_says_is_kept_apart() {
    insta::assert_snapshot!(shown(Dialect::Chat, 200, LINES, &[
        "{\"message\":{\"role\":\"assistant\",\"content\":\"\",\"thinking\":\"hm\",\"tool_calls\":[{\"id\":\"x\",\
         \"function\":{\"index\":0,\"name\":\"f\",\"arguments\":{}}}]},\"done\":true}\n",
    ]), @r#"
    load 0ns, prompt 10ms, counts 0 0, []
    10ms thinking "hm"
    10ms call 0 Some("x") f {};
    Done(Stop)
    "#);
}

#[test]
fn a_whole_answer_is_one_moment() {
    insta::assert_snapshot!(shown(Dialect::Chat, 200, JSON, &[
        "{\"message\":{\"role\":\"assistant\",\"content\":\"ab\",\"thinking\":\"hm\",\"tool_calls\":[{\"function\":",
        "{\"name\":\"f\",\"arguments\":{}}}]},\"done\":true,\"done_reason\":\"stop\",\"logprobs\":[{\"token\":\"a\",\
         \"logprob\":-0.5,\"bytes\":[97],\"top_logprobs\":[{\"token\":\"b\",\"logprob\":-1}]}],\
         \"load_duration\":2000000,\"prompt_eval_duration\":3000000}",
    ]), @r#"
    load 2ms, prompt 5ms, counts 0 0, []
    20ms thinking "hm"
    20ms text "ab" [97]=-0.5/1
    20ms call 0 None f {};
    20ms held
    Done(Stop)
    "#);
}

#[test]
fn logprobs_keep_an_object_that_has_nothing_else() {
    let line = "{\"message\":{\"role\":\"assistant\",\"content\":\"\"},\"done\":false,\
                \"logprobs\":[{\"token\":\"\u{fffd}\",\"logprob\":-1.5,\"bytes\":[240,159]}]}\n";
    insta::assert_snapshot!(shown(Dialect::Chat, 200, LINES, &[line]), @r#"
    load 0ns, prompt 10ms, counts 0 0, []
    10ms held [240, 159]=-1.5/0
    10ms held
    Silent
    "#);
}

#[rstest]
#[case::load("{\"response\":\"\",\"done\":true,\"done_reason\":\"load\"}", "Done(Load)")]
#[case::unload("{\"response\":\"\",\"done\":true,\"done_reason\":\"unload\"}", "Done(Unload)")]
#[case::no_reason("{\"response\":\"\",\"done\":true}", "Done(Stop)")]
#[case::no_final_object("{\"response\":\"\",\"done\":false}", "Silent")]
fn an_answer_without_anything_has_no_pieces(#[case] body: &str, #[case] ending: &str) {
    let generation = read(Dialect::Generate, &exchange(200, JSON, &[body])).unwrap();
    assert!(generation.pieces.is_empty(), "{generation:?}");
    assert_eq!(format!("{:?}", generation.ending), ending);
}

#[rstest]
#[case::native(Dialect::Chat, JSON, "{\"error\":\"boom\"}")]
#[case::openai(Dialect::OpenAiChat, JSON, "{\"error\":{\"message\":\"boom\",\"type\":\"api_error\",\"param\":null}}\n")]
#[case::anthropic(Dialect::Messages, JSON, "{\"type\":\"error\",\"error\":{\"type\":\"x\",\"message\":\"boom\"}}\n")]
fn a_refusal_keeps_its_status_in_every_envelope(#[case] dialect: Dialect, #[case] kind: &str, #[case] body: &str) {
    let generation = read(dialect, &exchange(503, kind, &[body])).unwrap();
    assert_eq!(generation.ending, Ending::Failed { status: 503, text: "boom".to_owned() });
    assert_eq!(generation.last.at, Duration::from_millis(10));
}

#[rstest]
#[case::generate(Dialect::Generate, LINES, &["{\"response\":\"a\",\"done\":false}\n", "{\"error\":\"boom\"}\n"], "boom")]
#[case::openai(
    Dialect::OpenAiChat, EVENTS,
    &["data: {\"model\":\"m\",\"choices\":[{\"delta\":{\"content\":\"a\"},\"finish_reason\":null}]}\n\n",
      "data: {\"model\":\"\",\"choices\":[{\"delta\":{\"content\":\"\"},\"finish_reason\":null}]}\n\n"],
    "an error was encountered while running the model"
)]
#[case::completions(
    Dialect::OpenAiCompletions, EVENTS,
    &["data: {\"choices\":[{\"text\":\"a\",\"finish_reason\":null}],\"model\":\"m\"}\n\n",
      "data: {\"choices\":[{\"text\":\"\",\"finish_reason\":null}],\"model\":\"\"}\n\n"],
    "an error was encountered while running the model"
)]
fn a_failure_in_mid_stream_is_what_it_would_be_without_one(
    #[case] dialect: Dialect,
    #[case] kind: &str,
    #[case] chunks: &[&str],
    #[case] text: &str,
) {
    let generation = read(dialect, &exchange(200, kind, chunks)).unwrap();
    assert_eq!(generation.ending, Ending::Failed { status: 500, text: text.to_owned() });
    assert_eq!((generation.pieces.len(), generation.last.at), (1, Duration::from_millis(20)));
}

#[test]
fn chat_events_of_today_read_and_calls_beside_the_finish_are_the_final_objects() {
    insta::assert_snapshot!(shown(Dialect::OpenAiChat, 200, EVENTS, &[
        "data: {\"model\":\"m\",\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\",\"reasoning\":\"hm\"},\
         \"finish_reason\":null}]}\n\n",
        "data: {\"model\":\"m\",\"choices\":[{\"delta\":{\"content\":\"Hi\"},\"finish_reason\":null,\
         \"logprobs\":{\"content\":[{\"token\":\"Hi\",\"logprob\":-1}]}}]}\n\n",
        "data: {\"model\":\"m\",\"choices\":[{\"delta\":{\"content\":\"\",\"tool_calls\":[{\"id\":\"c\",\"index\":0,\
         \"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"b\\\":1,\\\"a\\\":\\\"\\\\u003c\\\"}\"}}]},\
         \"finish_reason\":null}]}\n\ndata: {\"model\":\"m\",\"choices\":[{\"delta\":{},\"finish_reason\":\"tool_calls\"}]}\
         \n\ndata: {\"model\":\"m\",\"choices\":[],\"usage\":{\"prompt_tokens\":11,\"completion_tokens\":4,\
         \"total_tokens\":15}}\n\ndata: [DONE]\n\n",
    ]), @r#"
    load 0ns, prompt 10ms, counts 11 4, []
    10ms thinking "hm"
    20ms text "Hi" [72, 105]=-1/0
    30ms call 0 Some("c") f `{"b":1,"a":"\u003c"}`;
    Done(Stop)
    "#);
}

#[test]
fn chat_events_of_old_servers_read() {
    let delta = |text: &str, finish: &str| {
        let delta = json!({"role": "assistant", "content": text});
        format!("data: {{\"choices\":[{{\"delta\":{delta},\"finish_reason\":{finish}}}]}}\n\n")
    };
    let (a, b, end) = (delta("a", "null"), delta("b", "null"), delta("", "\"length\"") + "data: [DONE]\n\n");
    insta::assert_snapshot!(shown(Dialect::OpenAiChat, 200, EVENTS, &[&a, &b, &end]), @r#"
    load 0ns, prompt 10ms, counts 0 0, []
    10ms text "a"
    20ms text "b"
    30ms held
    Done(Length)
    "#);
}

#[test]
fn a_stream_that_came_as_one_piece_keeps_its_pieces() {
    let delta = |text: &str| format!("data: {{\"choices\":[{{\"delta\":{{\"content\":\"{text}\"}}}}]}}\n\n");
    let finish = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
    let body = ["a", "b", "c"].map(delta).concat() + finish;
    let generation = read(Dialect::OpenAiChat, &exchange(200, EVENTS, &[&body])).unwrap();
    let texts: Vec<&Content> = generation.pieces.iter().chain([&generation.last]).map(|piece| &piece.content).collect();
    assert_eq!(texts, ["a", "b", "c"].map(|text| Content::Text(text.into())).iter().collect::<Vec<_>>());
}

#[test]
fn completions_events_hold_what_generate_holds() {
    let chunk = |text: &str, finish: &str| {
        format!(
            "data: {{\"choices\":[{{\"text\":\"{text}\",\"index\":0,\"finish_reason\":{finish}}}],\"model\":\"m\"}}\n\n"
        )
    };
    let chunks = [chunk("", "null"), chunk("a", "null"), chunk("", "\"stop\"")];
    let chunks = chunks.each_ref().map(String::as_str);
    insta::assert_snapshot!(shown(Dialect::OpenAiCompletions, 200, EVENTS, &chunks), @r#"
    load 0ns, prompt 10ms, counts 0 0, []
    10ms held
    20ms text "a"
    30ms held
    Done(Stop)
    "#);
}

#[test]
fn response_events_read() {
    insta::assert_snapshot!(shown(Dialect::Responses, 200, EVENTS, &[
        "event: response.created\ndata: {\"response\":{\"usage\":null},\"type\":\"response.created\"}\n\n",
        "event: x\ndata: {\"delta\":\"hm\",\"type\":\"response.reasoning_summary_text.delta\"}\n\n",
        "event: x\ndata: {\"delta\":\"Hi\",\"type\":\"response.output_text.delta\"}\n\n",
        "event: x\ndata: {\"item\":{\"type\":\"message\",\"content\":[{\"text\":\"Hi\"}]},\
         \"type\":\"response.output_item.done\"}\n\n",
        "event: x\ndata: {\"item\":{\"type\":\"function_call\",\"call_id\":\"c\",\"name\":\"f\",\
         \"arguments\":\"{\\\"a\\\":1}\"},\"type\":\"response.output_item.done\"}\n\n",
        "event: x\ndata: {\"response\":{\"object\":\"response\",\"output\":null,\"incomplete_details\":null,\
         \"usage\":{\"input_tokens\":11,\"output_tokens\":4,\"total_tokens\":15}},\"type\":\"response.completed\"}\n\n",
    ]), @r#"
    load 0ns, prompt 20ms, counts 11 4, []
    20ms thinking "hm"
    30ms text "Hi"
    50ms call 0 Some("c") f `{"a":1}`;
    60ms held
    Done(Stop)
    "#);
}

#[test]
fn a_whole_response_reads() {
    insta::assert_snapshot!(shown(Dialect::Responses, 200, JSON, &[
        "{\"object\":\"response\",\"incomplete_details\":null,\"output\":[{\"type\":\"reasoning\",\"summary\":[{\"text\":\
         \"hm\"}]},{\"type\":\"message\",\"content\":[{\"type\":\"output_text\",\"text\":\"Hi\"}]}],\"error\":null,\
         \"usage\":{\"input_tokens\":11,\"output_tokens\":4}}\n",
    ]), @r#"
    load 0ns, prompt 10ms, counts 11 4, []
    10ms thinking "hm"
    10ms text "Hi"
    10ms held
    Done(Stop)
    "#);
}

#[test]
fn message_events_read() {
    insta::assert_snapshot!(shown(Dialect::Messages, 200, EVENTS, &[
        "event: m\ndata: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":1}}}\n\n",
        "event: m\ndata: {\"type\":\"content_block_start\",\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n",
        "event: m\ndata: {\"type\":\"content_block_delta\",\"delta\":{\"type\":\"text_delta\",\"text\":\"Hi\"}}\n\n",
        "event: m\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n",
        "event: m\ndata: {\"type\":\"content_block_start\",\"content_block\":{\"type\":\"tool_use\",\"id\":\"c\",\
         \"name\":\"f\",\"input\":{}}}\n\n",
        "event: m\ndata: {\"type\":\"content_block_delta\",\"delta\":{\"type\":\"input_json_delta\",\
         \"partial_json\":\"{\\\"a\\\":1}\"}}\n\nevent: m\ndata: {\"type\":\"content_block_stop\",\"index\":1}\n\n",
        "event: m\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"max_tokens\"},\
         \"usage\":{\"input_tokens\":11,\"output_tokens\":4}}\n\n",
        "event: m\ndata: {\"type\":\"message_stop\"}\n\n",
    ]), @r#"
    load 0ns, prompt 30ms, counts 11 4, []
    30ms text "Hi"
    60ms call 0 Some("c") f `{"a":1}`;
    70ms held
    Done(Length)
    "#);
}

#[test]
fn a_whole_message_reads() {
    insta::assert_snapshot!(shown(Dialect::Messages, 200, JSON, &[
        "{\"type\":\"message\",\"content\":[{\"type\":\"thinking\",\"thinking\":\"hm\"},{\"type\":\"text\",\"text\":\"Hi\"},\
         {\"type\":\"tool_use\",\"id\":\"c\",\"name\":\"f\",\"input\":{\"a\":1}}],\"stop_reason\":\"tool_use\",\
         \"usage\":{\"input_tokens\":11,\"output_tokens\":4}}\n",
    ]), @r#"
    load 0ns, prompt 10ms, counts 11 4, []
    10ms thinking "hm"
    10ms text "Hi"
    10ms call 0 Some("c") f {"a":1};
    10ms held
    Done(Stop)
    "#);
}

#[rstest]
#[case::cut_line(Dialect::Generate, 200, LINES, "{\"response\":\"a\",\"done\":false}\n{\"resp", "value 2 of its body")]
#[case::cut_event(Dialect::OpenAiChat, 200, EVENTS, "data: {\"choices\":[{\"delta\":{\"cont", "value 1 of its body")]
#[case::no_json(Dialect::OpenAiChat, 200, EVENTS, "data: {'a':1}\n\n", "value 1 of its body")]
#[case::no_event(Dialect::Messages, 200, EVENTS, "data: {\"type\":\"ping\"}\n\nboom\n", "line 3 of its body")]
#[case::chat_is_no_generate(
    Dialect::Generate,
    200,
    LINES,
    "{\"message\":{\"content\":\"a\"},\"done\":false}\n",
    "its body holds no answer"
)]
#[case::generate_is_no_chat(
    Dialect::Chat,
    200,
    LINES,
    "{\"response\":\"a\",\"done\":false}\n",
    "its body holds no answer"
)]
#[case::progress_of_a_pull(Dialect::Generate, 200, LINES, "{\"status\":\"success\"}\n", "its body holds no answer")]
#[case::rendered_prompt(
    Dialect::Generate,
    200,
    JSON,
    "{\"response\":\"\",\"done\":false,\"_debug_info\":{}}",
    "its body holds no answer"
)]
#[case::after_the_end(
    Dialect::Chat,
    200,
    LINES,
    "{\"error\":\"a\"}\n{\"message\":{},\"done\":true}\n",
    "it goes on after its answer ended"
)]
#[case::after_the_finish(
    Dialect::OpenAiChat,
    200,
    EVENTS,
    "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n",
    "it goes on after its answer ended"
)]
#[case::other_events(
    Dialect::OpenAiChat,
    200,
    EVENTS,
    "data: {\"type\":\"message_stop\"}\n\n",
    "its body holds no answer"
)]
#[case::other_chunks(
    Dialect::OpenAiCompletions,
    200,
    EVENTS,
    "data: {\"choices\":[{\"delta\":{}}]}\n\n",
    "value 1 of its body"
)]
#[case::two_choices(
    Dialect::OpenAiChat,
    200,
    EVENTS,
    "data: {\"choices\":[{\"index\":1,\"delta\":{}}]}\n\n",
    "it has several choices"
)]
#[case::two_whole_choices(
    Dialect::OpenAiCompletions,
    200,
    JSON,
    "{\"choices\":[{\"text\":\"a\"},{\"text\":\"b\"}]}",
    "it has several choices"
)]
#[case::stray_arguments(
    Dialect::OpenAiChat,
    200,
    EVENTS,
    "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"{}\"}}]}}]}\n\n",
    "it has a piece of a tool call whose beginning is missing"
)]
#[case::a_page(
    Dialect::Messages,
    404,
    "text/plain",
    "404 page not found",
    "its status is 404, and its body is no error"
)]
#[case::nothing(Dialect::OpenAiChat, 200, JSON, "", "its body holds no answer")]
fn what_cannot_be_read_says_why(
    #[case] dialect: Dialect,
    #[case] status: u16,
    #[case] kind: &str,
    #[case] body: &str,
    #[case] why: &str,
) {
    let shown = shown(dialect, status, kind, &[body]);
    assert!(shown.starts_with(&format!("none: {why}")), "{shown}");
}

#[rstest]
#[case::line(Dialect::Chat, LINES, "{\"message\":{\"content\":\"a\"},\"done\":false}\n{\"mess")]
#[case::event(Dialect::OpenAiChat, EVENTS, "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\ndata: {\"ch")]
#[case::end_of_events(
    Dialect::OpenAiChat,
    EVENTS,
    "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\ndata: [DO"
)]
#[case::name(Dialect::OpenAiChat, EVENTS, "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\nda")]
fn of_a_connection_that_broke_the_cut_object_is_left_out(
    #[case] dialect: Dialect,
    #[case] kind: &str,
    #[case] body: &str,
) {
    let generation = read(dialect, &Exchange { end: End::Eof, ..exchange(200, kind, &[body]) }).unwrap();
    assert_eq!(generation.pieces[0].content, Content::Text("a".into()));
    assert_eq!((generation.pieces.len(), generation.ending), (1, Ending::Silent));
}

#[test]
fn a_stream_that_was_left_between_objects_just_ends() {
    let generation =
        read(Dialect::Chat, &exchange(200, LINES, &["{\"message\":{\"content\":\"a\"},\"done\":false}\n"]));
    let generation = generation.unwrap();
    assert_eq!((generation.ending, generation.last.at), (Ending::Silent, Duration::from_millis(10)));
}

#[test]
fn an_empty_stream_is_an_answer_without_anything() {
    assert_eq!(read(Dialect::Generate, &exchange(200, LINES, &[])), Ok(Generation::default()));
}

/// What a model might say, as the simplest writer of native chat objects puts it.
fn line(content: &Content) -> String {
    let mut message = json!({"role": "assistant", "content": ""});
    match content {
        Content::Text(text) => message["content"] = json!(String::from_utf8(text.clone()).unwrap()),
        Content::Thinking(text) => message["thinking"] = json!(text),
        Content::Held | Content::Calls(_) => {}
    }
    format!("{}\n", json!({"model": "m", "message": message, "done": false}))
}

fn content() -> impl Strategy<Value = Content> {
    let text = prop_oneof![".{1,8}", "[\"\\\\{}\\[\\]\n\u{2028}\u{1f600}]{1,4}"];
    (text, any::<bool>()).prop_map(
        |(text, is_thinking)| {
            if is_thinking { Content::Thinking(text) } else { Content::Text(text.into_bytes()) }
        },
    )
}

proptest! {
    /// However a body is cut into chunks, its pieces stay, each with the time of the chunk that completes it.
    #[test]
    fn pieces_come_back(contents in prop::collection::vec(content(), 0..9), cuts in prop::collection::vec(1..64_usize, 0..40)) {
        let lines: Vec<String> = contents.iter().map(line).collect();
        let body: String = lines.concat() + "{\"message\":{\"content\":\"\"},\"done\":true,\"eval_count\":7}\n";
        let mut cuts = cuts.into_iter();
        let (mut chunks, mut ends, mut from) = (Vec::new(), Vec::new(), 0);
        while from < body.len() {
            let to = cuts.next().map_or(body.len(), |length| body.len().min(from + length));
            let at_us = 100 * (chunks.len() as u64 + 1);
            chunks.push(Chunk { at_us, bytes: Bytes::copy_from_slice(&body.as_bytes()[from..to]) });
            ends.push((to, Duration::from_micros(at_us)));
            from = to;
        }
        let exchange = Exchange { chunks, ..exchange(200, LINES, &[]) };
        let generation = read(Dialect::Chat, &exchange).unwrap();
        let mut end = 0;
        let expected = lines.iter().zip(contents).map(|(line, content)| {
            end += line.len();
            // The newline is not part of the object.
            (ends.iter().find(|(to, _)| *to >= end - 1).unwrap().1, content)
        });
        let expected: Vec<_> = expected.collect();
        let found: Vec<_> = generation.pieces.into_iter().map(|piece| (piece.at, piece.content)).collect();
        prop_assert_eq!(found, expected);
        let last = ends.iter().find(|(to, _)| *to >= body.len() - 1).unwrap().1;
        prop_assert_eq!((generation.eval_count, generation.last.at), (7, last));
    }

    #[test]
    fn no_body_makes_it_stumble(kind in prop::sample::select(vec![LINES, EVENTS, JSON]), body in ".{0,64}", status in prop::sample::select(vec![200, 400])) {
        for dialect in DIALECTS.map(|row| row.name()) {
            let _ = read(dialect, &exchange(status, kind, &[&body, &format!("data: {body}\n")]));
        }
    }
}
