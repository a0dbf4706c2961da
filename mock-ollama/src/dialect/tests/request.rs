//! Requests of every dialect, by rule.

use rstest::rstest;
use serde_json::{Value, json};

use super::{decode, of};
use crate::dialect::{EmbedRequest, check, check_options};
use crate::generation::{Dialect, ParsedRequest, Question};
use crate::models::{Card, ModelName};

fn card(name: &str, capability: &str) -> Card {
    Card { capabilities: vec![capability.to_owned()], ..Card::named(ModelName::parse(name).unwrap()) }
}

fn ask(dialect: Dialect, body: &Value) -> ParsedRequest {
    decode(dialect, body.to_string().as_bytes()).unwrap()
}

fn messages(ask: &ParsedRequest) -> Value {
    match &ask.question {
        Question::Messages(messages) => Value::Array(messages.clone()),
        Question::Prompt(prompt) => json!(prompt),
    }
}

#[rstest]
#[case(Dialect::Chat, r#"{"tools":5}"#, "number into Go struct field ChatRequest.tools of type api.Tools")]
#[case(Dialect::Chat, r#"{"messages":""}"#, "string into Go struct field ChatRequest.messages of type []api.Message")]
#[case(
    Dialect::OpenAiChat,
    r#"{"stream_options":{"include_usage":1}}"#,
    "number into Go struct field StreamOptions.stream_options.include_usage of type bool"
)]
#[case(
    Dialect::OpenAiChat,
    r#"{"messages":[{"role":1}]}"#,
    "number into Go struct field Message.messages.role of type string"
)]
#[case(
    Dialect::OpenAiCompletions,
    r#"{"prompt":["x"]}"#,
    "array into Go struct field CompletionRequest.prompt of type string"
)]
#[case(
    Dialect::Messages,
    r#"{"messages":[{"content":5}]}"#,
    "number into Go struct field MessagesRequest.messages of type []anthropic.ContentBlock"
)]
fn a_wrong_type_is_refused_with_its_place(#[case] dialect: Dialect, #[case] body: &str, #[case] text: &str) {
    let refusal = decode(dialect, body.as_bytes()).unwrap_err();
    assert_eq!((refusal.status, refusal.text), (400, format!("json: cannot unmarshal {text}")));
}

#[rstest]
#[case("temperature", json!("x"), "type float32")]
#[case("num_ctx", json!("x"), "type integer")]
#[case("use_mmap", json!(1), "type boolean")]
#[case("stop", json!("x"), "type array")]
#[case("stop", json!([1]), "an array of strings")]
fn w_054_a_mistyped_option_is_500(#[case] name: &str, #[case] value: Value, #[case] wanted: &str) {
    let refusal = check_options(&serde_json::Map::from_iter([(name.to_owned(), value)])).unwrap_err();
    assert_eq!((refusal.status, refusal.text), (500, format!("option \"{name}\" must be of {wanted}")));
}

#[rstest]
#[case("{{ .A }}", None)]
#[case("{{ .Bad", Some("template: :1: unclosed action"))]
#[case("a\n{{ if .A }}", Some("template: :2: unexpected EOF"))]
#[case("{{ end }}", Some("template: :1: unexpected {{end}}"))]
fn a_bad_template_has_gos_text(#[case] template: &str, #[case] text: Option<&str>) {
    assert_eq!(crate::dialect::check::template_error(template).as_deref(), text);
}

#[test]
fn thinking_is_dropped_for_messages_and_an_unload_is_not_checked() {
    let plain = card("plain", "completion");
    let asked = ask(Dialect::Chat, &json!({"model": "plain", "messages": [{}], "think": true}));
    assert_eq!(check(of(Dialect::Chat), &asked, &plain).unwrap_err().text, r#""plain" does not support thinking"#);
    assert_eq!(check(of(Dialect::Messages), &asked, &plain), Ok(()));
    let unload = ask(Dialect::Chat, &json!({"model": "plain", "think": true, "keep_alive": 0}));
    assert_eq!(check(of(Dialect::Chat), &unload, &plain), Ok(()));
}

#[test]
fn a_model_of_which_nothing_is_known_refuses_nothing() {
    let body = json!({"model": "m", "messages": [{}], "think": true, "tools": [{}]});
    assert_eq!(
        check(of(Dialect::Chat), &ask(Dialect::Chat, &body), &Card::named(ModelName::parse("m").unwrap())),
        Ok(())
    );
}

#[rstest]
#[case(Dialect::Generate, json!({"model": "m"}), true)]
#[case(Dialect::Chat, json!({"model": "m"}), true)]
#[case(Dialect::OpenAiChat, json!({"model": "m", "messages": [{"content": "x"}]}), false)]
#[case(Dialect::OpenAiCompletions, json!({"model": "m"}), false)]
#[case(Dialect::Responses, json!({"model": "m"}), false)]
#[case(Dialect::Messages, json!({"model": "m", "max_tokens": 1, "messages": [{"content": "x"}]}), false)]
fn w_088_only_native_routes_stream_by_default(#[case] dialect: Dialect, #[case] body: Value, #[case] stream: bool) {
    assert_eq!(ask(dialect, &body).stream, stream);
}

#[test]
fn a_request_of_openai_is_brought_to_the_native_form() {
    let asked = ask(
        Dialect::OpenAiChat,
        &json!({
            "model": "M", "stream": true, "stream_options": {"include_usage": true}, "max_tokens": 5, "stop": "x",
            "reasoning_effort": "none", "logprobs": true, "top_logprobs": 2, "response_format": {"type": "json_object"},
            "messages": [
                {"role": "assistant", "content": null,
                    "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": "{\"a\":1}"}}]},
                {"role": "tool", "tool_call_id": "c", "content": "r"},
                {"role": "User", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
            ],
        }),
    );
    assert_eq!(asked.options["num_predict"], 5);
    assert_eq!(asked.options["stop"], json!(["x"]));
    assert_eq!((&asked.options["temperature"], &asked.options["top_p"]), (&json!(1.0), &json!(1.0)));
    assert_eq!((asked.think, asked.logprobs, asked.stream), (Some(false), Some(2), true));
    assert_eq!((&asked.format, &asked.echo["include_usage"]), (&json!("json"), &json!(true)));
    assert_eq!(
        messages(&asked),
        json!([
            {"role": "assistant", "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": {"a": 1}}}]},
            {"role": "tool", "content": "r", "tool_name": "f", "tool_call_id": "c"},
            {"role": "user", "content": "a"},
            {"role": "user", "content": "b"},
        ])
    );
}

#[test]
fn a_request_of_responses_is_brought_to_the_native_form_and_echoed() {
    let asked = ask(
        Dialect::Responses,
        &json!({
            "model": "m", "instructions": "i", "max_output_tokens": 3, "reasoning": {"effort": "low"},
            "input": [
                {"role": "user", "content": "a"},
                {"type": "reasoning", "encrypted_content": "t"},
                {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
                {"type": "function_call_output", "call_id": "c", "output": "r"},
            ],
        }),
    );
    assert_eq!(
        messages(&asked),
        json!([
            {"role": "system", "content": "i"},
            {"role": "user", "content": "a"},
            {"role": "assistant", "content": "", "thinking": "t",
                "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": {}}}]},
            {"role": "tool", "content": "r", "tool_call_id": "c"},
        ])
    );
    let echo = &asked.echo;
    assert_eq!((&echo["instructions"], &echo["max_output_tokens"]), (&json!("i"), &json!(3)));
    assert_eq!((&echo["reasoning"], &echo["truncation"]), (&json!({"effort": "low"}), &json!("disabled")));
    assert_eq!((asked.think, &asked.options["num_predict"]), (Some(true), &json!(3)));
}

#[rstest]
#[case("hi", 1)]
#[case("LENGTH", 2)]
#[case("", 1)]
#[case("0123456789abcdef", 5)]
fn w_106_the_estimate_is_a_quarter_of_the_request(#[case] text: &str, #[case] tokens: u64) {
    let body = json!({"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": text}]});
    let echo = ask(Dialect::Messages, &body).echo;
    assert_eq!((&echo["estimated_tokens"], &echo["web_search"]), (&json!(tokens), &json!(false)));
}

#[test]
fn results_of_tools_come_before_the_text_of_the_same_message() {
    let body = json!({"model": "m", "max_tokens": 1, "system": "s", "thinking": {"type": "enabled"}, "messages": [
        {"role": "assistant", "content": [{"type": "tool_use", "id": "c", "name": "f", "input": {"a": 1}}]},
        {"role": "user", "content": [
            {"type": "text", "text": "x"}, {"type": "tool_result", "tool_use_id": "c", "content": "r"}]},
    ]});
    let asked = ask(Dialect::Messages, &body);
    assert_eq!(asked.think, Some(true));
    assert_eq!(
        messages(&asked),
        json!([
            {"role": "system", "content": "s"},
            {"role": "assistant", "content": "",
                "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": {"a": 1}}}]},
            {"role": "tool", "content": "r", "tool_call_id": "c"},
            {"role": "user", "content": "x"},
        ])
    );
}

#[rstest]
#[case("", true)]
#[case("x", false)]
fn an_empty_input_only_loads(#[case] input: &str, #[case] nothing: bool) {
    let body = json!({"model": "m", "input": input}).to_string();
    assert_eq!(EmbedRequest::decode_native(body.as_bytes()).unwrap().inputs.is_empty(), nothing);
    assert!(!EmbedRequest::decode_openai(body.as_bytes()).unwrap().inputs.is_empty());
}

const IMAGE: &str = "data:image/png;base64,QUJD";

#[rstest]
#[case::system_behind(json!([{"role": "user", "content": "q"}, {"role": "System", "content": "s"}]), "q")]
#[case::developer_behind(json!([{"role": "user", "content": "q"}, {"role": "developer", "content": "d"}]), "q")]
#[case::assistant_behind(json!([{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]), "q")]
#[case::empty_behind(json!([{"role": "user", "content": "q"}, {"role": "user", "content": ""}]), "q")]
#[case::two_of_the_user(json!([{"role": "user", "content": "p"}, {"role": "user", "content": "q"}]), "q")]
#[case::no_role(json!([{"role": "user", "content": "p"}, {"content": "q"}]), "q")]
#[case::nothing_of_the_user(json!([{"role": "system", "content": "s"}]), "")]
#[case::none(json!([]), "")]
#[case::result(json!([{"role": "user", "content": "q"}, {"role": "tool", "content": "r"}]), "r")]
#[case::empty_result(json!([{"role": "user", "content": "q"}, {"role": "tool", "content": ""}]), "")]
#[case::image_behind(json!([{"role": "user", "content": "q"}, {"role": "user", "content": "", "images": ["QUJD"]}]), "q")]
#[case::image_and_text(json!([{"role": "user", "content": "q", "images": ["QUJD"]}]), "q")]
fn the_last_text_is_that_of_the_user_or_of_a_tool(#[case] messages: Value, #[case] text: &str) {
    let asked = |dialect| ask(dialect, &json!({"model": "m", "messages": messages}));
    assert_eq!(asked(Dialect::Chat).last_text, text);
    // An empty list of messages is refused there.
    if messages != json!([]) {
        assert_eq!(asked(Dialect::OpenAiChat).last_text, text);
    }
}

#[rstest]
#[case::image_behind(Dialect::OpenAiChat, json!([
    {"type": "text", "text": "q"}, {"type": "image_url", "image_url": {"url": IMAGE}}]))]
#[case::image_between(Dialect::OpenAiChat, json!([
    {"type": "text", "text": "q"}, {"type": "image_url", "image_url": IMAGE}, {"type": "text", "text": "r"}]))]
#[case::image_behind(Dialect::Responses, json!([
    {"type": "input_text", "text": "q"}, {"type": "input_image", "image_url": IMAGE, "detail": "auto"}]))]
#[case::image_behind(Dialect::Messages, json!([{"type": "text", "text": "q"},
    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "QUJD"}}]))]
#[case::text_behind_a_result(Dialect::Messages, json!([
    {"type": "tool_result", "tool_use_id": "c", "content": "r"}, {"type": "text", "text": "q"}]))]
fn the_parts_of_a_message_are_one_text(#[case] dialect: Dialect, #[case] parts: Value) {
    let messages = json!([{"role": "user", "content": "p"}, {"role": "user", "content": parts}]);
    let asked = ask(dialect, &json!({"model": "m", "max_tokens": 1, "messages": messages, "input": messages}));
    assert!(asked.last_text.starts_with('q') && !asked.last_text.contains('p'), "{}", asked.last_text);
}

#[rstest]
#[case::developer_behind(json!({"role": "developer", "content": "d"}), "q")]
#[case::image_behind(json!({"role": "user", "content": [{"type": "input_image", "image_url": IMAGE}]}), "q")]
#[case::result(json!({"type": "function_call_output", "call_id": "c", "output": "r"}), "r")]
#[case::result_in_parts(json!({"type": "function_call_output", "call_id": "c",
    "output": [{"type": "input_text", "text": "r"}, {"type": "input_image", "image_url": IMAGE}]}), "r")]
fn the_last_text_of_responses_is_that_of_the_user_or_of_a_tool(#[case] last: Value, #[case] text: &str) {
    let body = json!({"model": "m", "instructions": "i", "input": [{"role": "user", "content": "q"}, last]});
    assert_eq!(ask(Dialect::Responses, &body).last_text, text);
}

#[test]
fn a_message_of_nothing_but_a_result_is_the_tools() {
    let body = json!({"model": "m", "max_tokens": 1, "messages": [
        {"role": "user", "content": "q"},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c", "content": "r"}]},
    ]});
    assert_eq!(ask(Dialect::Messages, &body).last_text, "r");
}
