//! Tools and the schemas of their arguments, in every dialect: what Go's decoder refuses, and in which words.

use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Value, json};

use super::decode;
use crate::dialect::native::schemas::MAX_SCHEMA_LEVELS;
use crate::generation::Dialect;

/// What the request is refused with; every one of these is a 400.
fn refusal(dialect: Dialect, body: &str) -> Option<String> {
    let refusal = decode(dialect, body.as_bytes()).err()?;
    assert_eq!(refusal.status, 400);
    Some(refusal.text)
}

fn with_tools(dialect: Dialect, tools: &str) -> String {
    let question = match dialect {
        Dialect::Responses => r#""input":"hi""#,
        Dialect::Messages => r#""max_tokens":5,"messages":[{"role":"user","content":"hi"}]"#,
        _ => r#""messages":[{"role":"user","content":"hi"}]"#,
    };
    format!(r#"{{"model":"m",{question},"tools":[{tools}]}}"#)
}

/// A tool with this schema in each dialect, what precedes Go's words there, and where its decoder stands.
fn frames(schema: &str) -> [(Dialect, String, &'static str, &'static str); 5] {
    let native = format!(r#"{{"type":"function","function":{{"name":"f","parameters":{schema}}}}}"#);
    let flat = format!(r#"{{"type":"function","name":"f","parameters":{schema}}}"#);
    let member = format!(r#"{{"type":"namespace","name":"n","tools":[{flat}]}}"#);
    let messages = format!(r#"{{"name":"f","input_schema":{schema}}}"#);
    let (path, responses) = ("tools.function.parameters.", "failed to unmarshal tool parameters: ");
    [
        (Dialect::Chat, native.clone(), "", path),
        (Dialect::OpenAiChat, native, "", path),
        (Dialect::Responses, flat, responses, ""),
        (Dialect::Responses, member, responses, ""),
        (Dialect::Messages, messages, r#"invalid input_schema for tool "f": "#, ""),
    ]
    .map(|(dialect, tool, before, path)| (dialect, with_tools(dialect, &tool), before, path))
}

const NO_OBJECT: &str = "Value looks like object, but can't find closing '}' symbol";

#[rstest]
#[case::null("null")]
#[case::empty("{}")]
#[case::no_properties(r#"{"properties":null}"#)]
#[case::nullable(r#"{"properties":{"a":{"type":["string","null"]}}}"#)]
#[case::no_type(r#"{"properties":{"a":{"type":null}}}"#)]
#[case::no_schema(r#"{"properties":{"a":null}}"#)]
#[case::anything(r#"{"properties":{"a":{}}}"#)]
#[case::items_of_any_form(r#"{"items":5,"properties":{"a":{"items":[true]}}}"#)]
#[case::definitions_of_any_form(r#"{"$defs":[1]}"#)]
#[case::values(r#"{"properties":{"a":{"enum":[1,"a",null,{}]}}}"#)]
#[case::unknown_keys(r#"{"additionalProperties":true,"properties":{"a":{"format":5,"oneOf":true,"default":[]}}}"#)]
fn a_schema_that_go_takes_is_taken_in_every_dialect(#[case] schema: &str) {
    for (dialect, body, ..) in frames(schema) {
        assert_eq!(refusal(dialect, &body), None, "{body}");
    }
}

#[rstest]
#[case::type_of_the_whole(r#"{"type":["object"]}"#, "array", "type", "string")]
#[case::required_of_the_whole(r#"{"required":true}"#, "bool", "required", "[]string")]
#[case::required_names(r#"{"required":[1]}"#, "number", "required", "string")]
#[case::bool(r#"{"properties":{"a":true}}"#, "bool", "properties", "api.ToolProperty")]
#[case::text(r#"{"properties":{"a":"string"}}"#, "string", "properties", "api.ToolProperty")]
#[case::number(r#"{"properties":{"a":1.5}}"#, "number", "properties", "api.ToolProperty")]
#[case::list(r#"{"properties":{"a":[]}}"#, "array", "properties", "api.ToolProperty")]
#[case::the_second(r#"{"properties":{"a":{},"b":false}}"#, "bool", "properties", "api.ToolProperty")]
#[case::type_of_no_form(r#"{"properties":{"a":{"type":{}}}}"#, "object", "properties.type", "[]string")]
#[case::number_as_type(r#"{"properties":{"a":{"type":5}}}"#, "number", "properties.type", "[]string")]
#[case::number_among_types(r#"{"properties":{"a":{"type":["x",5]}}}"#, "number", "properties.type", "string")]
#[case::description(r#"{"properties":{"a":{"description":[]}}}"#, "array", "properties.description", "string")]
#[case::values(r#"{"properties":{"a":{"enum":"x"}}}"#, "string", "properties.enum", "[]interface {}")]
#[case::required(r#"{"properties":{"a":{"required":true}}}"#, "bool", "properties.required", "[]string")]
#[case::choices(r#"{"properties":{"a":{"anyOf":{}}}}"#, "object", "properties.anyOf", "[]api.ToolProperty")]
#[case::choice(r#"{"properties":{"a":{"anyOf":[1]}}}"#, "number", "properties.anyOf", "api.ToolProperty")]
#[case::nested(r#"{"properties":{"a":{"properties":{"b":1}}}}"#, "number", "properties.properties", "api.ToolProperty")]
#[case::in_a_choice(r#"{"properties":{"a":{"anyOf":[{"type":1}]}}}"#, "number", "properties.anyOf.type", "[]string")]
#[case::another_case(r#"{"PROPERTIES":{"a":{"Description":1}}}"#, "number", "properties.description", "string")]
#[case::before_the_rest(r#"{"required":true,"properties":{"a":1}}"#, "number", "properties", "api.ToolProperty")]
#[case::after_the_rest(r#"{"properties":{"a":1},"required":true}"#, "number", "properties", "api.ToolProperty")]
fn a_mistyped_schema_is_refused_in_every_dialect(
    #[case] schema: &str,
    #[case] found: &str,
    #[case] place: &str,
    #[case] wanted: &str,
) {
    for (dialect, body, before, path) in frames(schema) {
        let field = format!("ToolFunctionParameters.{path}{place}");
        let text = format!("{before}json: cannot unmarshal {found} into Go struct field {field} of type {wanted}");
        assert_eq!(refusal(dialect, &body), Some(text), "{body}");
    }
}

#[rstest]
#[case::empty_list(r#"{"properties":[]}"#)]
#[case::text(r#"{"properties":"a"}"#)]
#[case::number(r#"{"properties":5}"#)]
#[case::nested(r#"{"properties":{"a":{"properties":[]}}}"#)]
#[case::second_of_two(r#"{"properties":{},"properties":[]}"#)]
#[case::before_a_mistyped_description(r#"{"properties":{"a":{"description":1,"properties":[]}}}"#)]
fn properties_that_are_no_object_are_refused_in_every_dialect(#[case] schema: &str) {
    for (dialect, body, before, _) in frames(schema) {
        assert_eq!(refusal(dialect, &body), Some(format!("{before}{NO_OBJECT}")), "{body}");
    }
}

#[rstest]
#[case(Dialect::Chat, "5", "number into Go struct field ChatRequest.tools of type api.Tool")]
#[case(Dialect::Chat, r#"{"type":5}"#, "number into Go struct field Tool.tools.type of type string")]
#[case(Dialect::Chat, r#"{"function":[]}"#, "array into Go struct field Tool.tools.function of type api.ToolFunction")]
#[case(
    Dialect::Chat,
    r#"{"function":{"name":5}}"#,
    "number into Go struct field ToolFunction.tools.function.name of type string"
)]
#[case(Dialect::OpenAiChat, r#""x""#, "string into Go struct field ChatCompletionRequest.tools of type api.Tool")]
#[case(
    Dialect::OpenAiChat,
    r#"{"function":{"parameters":[]}}"#,
    "array into Go struct field ToolFunction.tools.function.parameters of type api.ToolFunctionParameters"
)]
#[case(Dialect::Responses, "5", "number into Go struct field ResponsesRequest.tools of type openai.ResponsesTool")]
#[case(
    Dialect::Responses,
    r#"{"strict":"yes"}"#,
    "string into Go struct field ResponsesTool.tools.strict of type bool"
)]
#[case(
    Dialect::Responses,
    r#"{"parameters":[]}"#,
    "array into Go struct field ResponsesTool.tools.parameters of type map[string]interface {}"
)]
#[case(
    Dialect::Responses,
    r#"{"tools":{}}"#,
    "object into Go struct field ResponsesTool.tools.tools of type []openai.ResponsesTool"
)]
#[case(
    Dialect::Responses,
    r#"{"tools":[{"name":5}]}"#,
    "number into Go struct field ResponsesTool.tools.tools.name of type string"
)]
#[case(Dialect::Messages, "5", "number into Go struct field MessagesRequest.tools of type anthropic.Tool")]
#[case(Dialect::Messages, r#"{"name":5}"#, "number into Go struct field Tool.tools.name of type string")]
#[case(Dialect::Messages, r#"{"max_uses":1.5}"#, "number 1.5 into Go struct field Tool.tools.max_uses of type int")]
fn the_rest_of_a_tool_is_refused_with_its_place(#[case] dialect: Dialect, #[case] tool: &str, #[case] text: &str) {
    let text = format!("json: cannot unmarshal {text}");
    assert_eq!(refusal(dialect, &with_tools(dialect, tool)), Some(text));
}

#[rstest]
#[case::number("5", "number")]
#[case::list("[]", "array")]
fn a_schema_of_messages_is_any_json_until_it_is_read(#[case] schema: &str, #[case] found: &str) {
    let body = with_tools(Dialect::Messages, &format!(r#"{{"name":"a\"b","input_schema":{schema}}}"#));
    let text = format!("json: cannot unmarshal {found} into Go value of type api.ToolFunctionParameters");
    assert_eq!(refusal(Dialect::Messages, &body), Some(format!(r#"invalid input_schema for tool "a\"b": {text}"#)));
}

const BAD: &str = r#"{"properties":{"a":1}}"#;

#[rstest]
#[case::search(Dialect::Responses, r#"{"type":"web_search","parameters":BAD}"#, true)]
#[case::search_in_a_namespace(
    Dialect::Responses,
    r#"{"type":"namespace","tools":[{"type":"web_search","parameters":BAD}]}"#,
    false
)]
#[case::of_the_same_name(Dialect::Responses, r#"{"type":"web_search"},{"name":"web_search","parameters":BAD}"#, false)]
#[case::namespace_itself(Dialect::Responses, r#"{"type":"namespace","parameters":BAD}"#, true)]
#[case::members_of_a_function(Dialect::Responses, r#"{"type":"function","tools":[{"parameters":BAD}]}"#, true)]
#[case::namespaces_in_a_namespace(
    Dialect::Responses,
    r#"{"type":"namespace","tools":[{"type":"namespace","tools":[{"parameters":BAD}]}]}"#,
    false
)]
#[case::search(Dialect::Messages, r#"{"type":"web_search_20250305","input_schema":BAD}"#, true)]
#[case::of_the_same_name(
    Dialect::Messages,
    r#"{"name":"web_search","input_schema":BAD},{"type":"web_search_1"}"#,
    true
)]
#[case::of_that_name_alone(Dialect::Messages, r#"{"name":"web_search","input_schema":BAD}"#, false)]
fn schemas_that_go_never_reads_are_not_refused(#[case] dialect: Dialect, #[case] tools: &str, #[case] is_taken: bool) {
    let body = with_tools(dialect, &tools.replace("BAD", BAD));
    assert_eq!(refusal(dialect, &body).is_none(), is_taken);
}

#[test]
fn a_schema_of_responses_is_read_in_the_order_of_its_keys() {
    let schema = r#"{"properties":{"b":{"type":1},"a":{"enum":1}}}"#;
    let body = with_tools(Dialect::Responses, &format!(r#"{{"parameters":{schema}}}"#));
    assert!(refusal(Dialect::Responses, &body).unwrap().contains("properties.enum"));
}

#[rstest]
#[case::none("", &[])]
#[case::empty_namespace(r#"{"type":"namespace","name":"n"}"#, &[])]
#[case::member(r#"{"type":"namespace","name":"n","tools":[{"type":"function","name":"f"}]}"#, &["f"])]
fn a_namespace_offers_its_members(#[case] tools: &str, #[case] offers: &[&str]) {
    let body = with_tools(Dialect::Responses, tools);
    assert_eq!(decode(Dialect::Responses, body.as_bytes()).unwrap().tools, offers);
}

#[rstest]
#[case::whole(false, Some("f"))]
#[case::stream(true, None)]
fn only_a_whole_answer_repeats_the_members_of_a_namespace(#[case] stream: bool, #[case] member: Option<&str>) {
    let body = json!({"model": "m", "input": "hi", "stream": stream, "tools": [
        {"type": "namespace", "name": "n", "tools": [{"type": "function", "name": "f"}]}]});
    let ask = decode(Dialect::Responses, body.to_string().as_bytes()).unwrap();
    let echo = &ask.echo;
    assert_eq!(echo["tools"][0]["tools"][0]["name"].as_str(), member);
}

/// A property around another one: among its choices, or in the object that it describes.
fn around(inner: &Value, is_choice: bool) -> Value {
    if is_choice {
        json!({"anyOf": [{}, inner]})
    } else {
        json!({"type": "object", "properties": {"x": {}, "y": inner}})
    }
}

proptest! {
    #[test]
    fn a_value_in_place_of_a_property_is_refused_at_any_depth(
        choices in prop::collection::vec(any::<bool>(), 0..12),
        (value, found) in prop::sample::select(vec![
            (json!(true), "bool"), (json!("x"), "string"), (json!(1), "number"), (json!([]), "array"),
        ]),
    ) {
        let of = |inner: Value| {
            let inner = choices.iter().rev().fold(inner, |inner, is_choice| around(&inner, *is_choice));
            json!({"type": "object", "properties": {"a": inner}}).to_string()
        };
        let steps = choices.iter().map(|is_choice| if *is_choice { ".anyOf" } else { ".properties" });
        let place = steps.collect::<String>();
        for (dialect, body, before, path) in frames(&of(value)) {
            let field = format!("ToolFunctionParameters.{path}properties{place}");
            let text = format!("json: cannot unmarshal {found} into Go struct field {field} of type api.ToolProperty");
            prop_assert_eq!(refusal(dialect, &body), Some(format!("{before}{text}")));
        }
        for (dialect, body, ..) in frames(&of(json!({"type": ["string", "null"]}))) {
            prop_assert_eq!(refusal(dialect, &body), None);
        }
    }
}

#[rstest]
#[case::at_the_limit(MAX_SCHEMA_LEVELS / 2, false)]
#[case::beyond_it(MAX_SCHEMA_LEVELS / 2 + 1, true)]
#[case::far_beyond_it(480, true)]
fn properties_may_be_nested_as_deep_as_the_limit(#[case] levels: usize, #[case] is_refused: bool) {
    let deep = r#"{"properties":{"a":"#.repeat(levels) + "{}" + &"}}".repeat(levels);
    for (dialect, body, before, _) in frames(&deep) {
        let text = format!("{before}the properties of a tool are nested more than 200 levels deep, the limit");
        assert_eq!(refusal(dialect, &body), is_refused.then_some(text));
    }
}
