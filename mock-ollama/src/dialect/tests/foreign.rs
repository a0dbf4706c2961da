//! Bodies of servers that are not Ollama.

use rstest::rstest;

use super::read;
use super::read::{EVENTS, JSON, exchange, shown};
use crate::generation::Dialect;
use crate::generation::{Content, Ending};

/// One chunk of a chat of `OpenAI`, with this in its only choice.
fn chunk(delta: &str, finish: &str) -> String {
    format!("{{\"model\":\"m\",\"choices\":[{{\"index\":0,\"delta\":{delta},\"finish_reason\":{finish}}}]}}")
}

#[rstest]
#[case::blank_lines("data: {A}\n\ndata: {B}\n\ndata: {C}\n\ndata: [DONE]\n\n")]
#[case::no_done("data: {A}\n\ndata: {B}\n\ndata: {C}\n\n")]
#[case::no_space("data:{A}\n\ndata:{B}\n\ndata:{C}\n\ndata:[DONE]\n\n")]
#[case::no_blank_lines("data: {A}\ndata: {B}\ndata: {C}\ndata: [DONE]\n")]
#[case::no_newline_at_the_end("data: {A}\n\ndata: {B}\n\ndata: {C}")]
#[case::carriage_returns("data: {A}\r\n\r\ndata: {B}\r\n\r\ndata: {C}\r\n\r\n")]
#[case::carriage_returns_alone("data: {A}\r\rdata: {B}\r\rdata: {C}\r\r")]
#[case::byte_order_mark("\u{feff}data: {A}\n\ndata: {B}\n\ndata: {C}\n\n")]
#[case::other_fields(": hi\n\nretry: 5\nid: 7\nevent: x\ndata: {A}\n\n: hi\n\ndata: {B}\nid: 8\n\ndata: {C}\n\n")]
#[case::two_in_a_line("data: {A} {B}\n\ndata: {C}\n\n")]
fn events_are_read_however_they_are_framed(#[case] frame: &str) {
    let body = frame
        .replace("{A}", &chunk("{\"role\":\"assistant\",\"content\":\"a\"}", "null"))
        .replace("{B}", &chunk("{\"content\":\"b\"}", "null"))
        .replace("{C}", &chunk("{}", "\"stop\""));
    let generation = read(Dialect::OpenAiChat, &exchange(200, EVENTS, &[&body])).unwrap();
    let texts: Vec<&Content> = generation.pieces.iter().map(|piece| &piece.content).collect();
    assert_eq!(texts, [&Content::Text("a".into()), &Content::Text("b".into())]);
    assert_eq!(format!("{:?}", generation.ending), "Done(Stop)");
}

#[test]
fn an_event_of_several_lines_is_one_value() {
    let body = "data: {\"choices\":\ndata: [{\"delta\":{\"content\":\"a\"}}]\ndata: }\n\n";
    let generation = read(Dialect::OpenAiChat, &exchange(200, EVENTS, &[body])).unwrap();
    assert_eq!(generation.pieces[0].content, Content::Text("a".into()));
}

#[rstest]
#[case::reasoning("{\"reasoning\":\"hm\"}", "thinking \"hm\"")]
#[case::reasoning_content("{\"content\":null,\"reasoning_content\":\"hm\"}", "thinking \"hm\"")]
#[case::both_names_for_one("{\"reasoning\":\"hm\",\"reasoning_content\":\"hm\"}", "thinking \"hm\"")]
#[case::refusal("{\"content\":null,\"refusal\":\"no\"}", "text \"no\"")]
#[case::old_call("{\"function_call\":{\"name\":\"f\",\"arguments\":\"{}\"}}", "call 0 None f `{}`;")]
fn a_delta_of_other_servers_reads(#[case] delta: &str, #[case] piece: &str) {
    let body =
        ["{\"role\":\"assistant\",\"content\":\"\"}", delta].map(|delta| format!("data: {}\n\n", chunk(delta, "\"\"")));
    let shown = shown(Dialect::OpenAiChat, 200, EVENTS, &[&body.concat()]);
    assert!(shown.contains(&format!("\n10ms {piece}\n")), "{shown}");
}

#[rstest]
#[case::usage_beside_the_finish(
    "{\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":4}}"
)]
#[case::usage_without_choices("{\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":4}}")]
#[case::empty_delta_after_the_finish(
    "{\"choices\":[{\"delta\":{\"content\":\"\"},\"finish_reason\":null}],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":4}}"
)]
fn usage_is_read_wherever_it_stands(#[case] last: &str) {
    let first = chunk("{\"content\":\"a\"}", "\"stop\"");
    let body = format!("data: {first}\n\ndata: {last}\n\ndata: [DONE]\n\n");
    let generation = read(Dialect::OpenAiChat, &exchange(200, EVENTS, &[&body])).unwrap();
    assert_eq!((generation.prompt_count, generation.eval_count), (3, 4));
    assert_eq!(format!("{:?}", generation.ending), "Done(Stop)");
}

#[test]
fn calls_in_pieces_come_when_they_and_those_before_them_are_complete() {
    let call = |text: &str| format!("data: {}\n\n", chunk(&format!("{{\"tool_calls\":[{text}]}}"), "null"));
    let chunks = [
        call(
            r#"{"index":0,"id":"a","function":{"name":"f","arguments":""}},{"index":1,"id":"b","function":{"name":"g","arguments":"{\"y\":1.0}"}}"#,
        ),
        call(r#"{"index":0,"function":{"arguments":"{\"x\":"}}"#),
        call(r#"{"index":0,"function":{"arguments":"9007199254740993}"}}"#),
        format!("data: {}\n\n", chunk("{}", "\"tool_calls\"")),
    ];
    let chunks = chunks.each_ref().map(String::as_str);
    insta::assert_snapshot!(shown(Dialect::OpenAiChat, 200, EVENTS, &chunks), @r#"
    load 0ns, prompt 30ms, counts 0 0, []
    30ms call 0 Some("a") f `{"x":9007199254740993}`;call 1 Some("b") g `{"y":1.0}`;
    40ms held
    Done(Stop)
    "#);
}

#[test]
fn message_events_of_other_servers_read() {
    insta::assert_snapshot!(shown(Dialect::Messages, 200, EVENTS, &[
        "data: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":3,\"output_tokens\":1}}}\n\n",
        "data: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"thinking\",\"thinking\":\"\"}}\n\n\
         data: {\"type\":\"ping\"}\n\n\
         data: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"thinking_delta\",\"thinking\":\"hm\"}}\n\n",
        "data: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"signature_delta\",\"signature\":\"s\"}}\n\n\
         data: {\"type\":\"content_block_stop\",\"index\":0}\n\n\
         data: {\"type\":\"content_block_start\",\"index\":1,\"content_block\":{\"type\":\"redacted_thinking\",\"data\":\"x\"}}\n\n\
         data: {\"type\":\"content_block_stop\",\"index\":1}\n\n\
         data: {\"type\":\"content_block_start\",\"index\":2,\"content_block\":{\"type\":\"tool_use\",\"id\":\"t\",\"name\":\"f\",\"input\":{}}}\n\n",
        "data: {\"type\":\"content_block_delta\",\"index\":2,\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\"\"}}\n\n\
         data: {\"type\":\"content_block_delta\",\"index\":2,\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\"{\\\"a\\\"\"}}\n\n",
        "data: {\"type\":\"content_block_delta\",\"index\":2,\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\": 1.0}\"}}\n\n\
         data: {\"type\":\"content_block_stop\",\"index\":2}\n\n",
        "data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"tool_use\"},\"usage\":{\"output_tokens\":20}}\n\n",
    ]), @r#"
    load 0ns, prompt 20ms, counts 3 20, []
    20ms thinking "hm"
    50ms call 0 Some("t") f `{"a": 1.0}`;
    60ms held
    Done(Stop)
    "#);
}

#[test]
fn response_events_of_other_servers_read() {
    insta::assert_snapshot!(shown(Dialect::Responses, 200, EVENTS, &[
        "data: {\"type\":\"response.output_item.added\",\"output_index\":0,\"item\":{\"type\":\"reasoning\"}}\n\n\
         data: {\"type\":\"response.output_item.done\",\"output_index\":0,\"item\":{\"type\":\"reasoning\",\"summary\":[],\"content\":[{\"text\":\"hm\"}]}}\n\n",
        "data: {\"type\":\"response.refusal.delta\",\"output_index\":1,\"delta\":\"no\"}\n\n\
         data: {\"type\":\"response.output_item.done\",\"output_index\":1,\"item\":{\"type\":\"message\",\"content\":[{\"type\":\"refusal\",\"refusal\":\"no\"}]}}\n\n",
        "data: {\"type\":\"response.output_item.added\",\"output_index\":2,\"item\":{\"type\":\"function_call\",\"call_id\":\"c\",\"name\":\"f\"}}\n\n\
         data: {\"type\":\"response.function_call_arguments.delta\",\"output_index\":2,\"delta\":\"{\\\"a\\\"\"}\n\n",
        "data: {\"type\":\"response.function_call_arguments.delta\",\"output_index\":2,\"delta\":\":1}\"}\n\n",
        "data: {\"type\":\"response.incomplete\",\"response\":{\"object\":\"response\",\"output\":[],\"incomplete_details\":{\"reason\":\"max_output_tokens\"},\"usage\":null}}\n\n",
    ]), @r#"
    load 0ns, prompt 10ms, counts 0 0, []
    10ms thinking "hm"
    20ms text "no"
    50ms call 0 Some("c") f `{"a":1}`;
    50ms held
    Done(Length)
    "#);
}

#[rstest]
#[case::openai(Dialect::OpenAiChat, "{\"error\":{\"message\":\"boom\",\"code\":400}}")]
#[case::text(Dialect::OpenAiCompletions, "{\"error\":\"boom\"}")]
#[case::failed(
    Dialect::Responses,
    "{\"type\":\"response.failed\",\"response\":{\"error\":{\"code\":\"x\",\"message\":\"boom\"}}}"
)]
#[case::error(Dialect::Responses, "{\"type\":\"error\",\"code\":\"x\",\"message\":\"boom\"}")]
#[case::anthropic(
    Dialect::Messages,
    "{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"boom\"}}"
)]
fn an_error_within_events_is_the_end(#[case] dialect: Dialect, #[case] event: &str) {
    let generation = read(dialect, &exchange(200, EVENTS, &[&format!("event: error\ndata: {event}\n\n")])).unwrap();
    assert_eq!(generation.ending, Ending::Failed { status: 500, text: "boom".to_owned() });
}

#[rstest]
#[case::events("event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"x\",\"message\":\"boom\"}}\n\n")]
#[case::line("{\"error\":\"boom\"}\n")]
#[case::message_at_the_top("{\"object\":\"error\",\"message\":\"boom\",\"code\":503}")]
fn a_refusal_reads_in_every_form(#[case] body: &str) {
    let generation = read(Dialect::Messages, &exchange(503, JSON, &[body])).unwrap();
    assert_eq!(generation.ending, Ending::Failed { status: 503, text: "boom".to_owned() });
}
