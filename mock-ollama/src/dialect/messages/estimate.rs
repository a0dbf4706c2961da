//! The number of input tokens that a stream of `/v1/messages` begins with, since the model has not counted them yet
//! (`anthropic/anthropic.go`, `EstimateInputTokens`).

use serde_json::{Map, Value};

use crate::dialect::native::schemas::arguments;
use crate::go_json::{GoStruct, GoType, decode_as, parse, to_string};

pub(crate) static BLOCK: GoStruct = GoStruct(
    "anthropic.ContentBlock",
    &[
        (GoType::Text, &["type", "text", "id", "name", "tool_use_id", "thinking", "signature"]),
        (GoType::List("[]anthropic.Citation", &GoType::Struct(&CITATION)), &["citations"]),
        (GoType::Struct(&SOURCE), &["source"]),
        (GoType::Custom(arguments), &["input"]),
        (GoType::Any, &["content"]),
        (GoType::Bool, &["is_error"]),
    ],
);

static CITATION: GoStruct =
    GoStruct("anthropic.Citation", &[(GoType::Text, &["type", "url", "title", "encrypted_index", "cited_text"])]);

static SOURCE: GoStruct = GoStruct("anthropic.ImageSource", &[(GoType::Text, &["type", "media_type", "data", "url"])]);

/// A quarter of the bytes of the system text, the messages and the tools; at least one.
pub(crate) fn estimate(asked: &Map<String, Value>, messages: &[Value]) -> u64 {
    let mut bytes = asked.get("system").map_or(0, of_system);
    for message in messages {
        let blocks = message["content"].as_array().map(Vec::as_slice).unwrap_or_default();
        bytes += of_text(message, "role") + blocks.iter().map(of_block).sum::<usize>();
    }
    let tools = asked.get("tools").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    for tool in tools {
        // The schema counts as it stands in the request, with its white space.
        bytes += ["name", "description", "input_schema"].map(|name| of_text(tool, name)).iter().sum::<usize>();
    }
    u64::try_from(bytes / 4).unwrap_or(u64::MAX).max(1)
}

/// A text, or the blocks of a list; other items count as nothing.
fn of_system(system: &Value) -> usize {
    match system {
        Value::Null => 0,
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(of_item).sum(),
        other => of_json(other),
    }
}

/// Go writes the item, with sorted keys, and reads a block from that.
fn of_item(item: &Value) -> usize {
    let mut item = item.clone();
    item.sort_all_objects();
    let text = to_string(&item);
    decode_as(&parse(text.as_bytes()), &BLOCK).map_or(0, |block| of_block(&block))
}

/// The text and the thinking; all of a block that is about a tool, as JSON.
fn of_block(block: &Value) -> usize {
    let said = of_text(block, "text") + of_text(block, "thinking");
    let is_whole = matches!(block["type"].as_str(), Some("tool_use" | "tool_result"));
    said + if is_whole { of_json(&written_block(block)) } else { 0 }
}

fn of_text(value: &Value, name: &str) -> usize {
    value[name].as_str().map_or(0, str::len)
}

fn of_json(value: &Value) -> usize {
    to_string(value).len()
}

fn written_block(block: &Value) -> Value {
    let mut block = written(block, &["type"], &["text", "thinking", "input", "content"]);
    if let Some(source) = block.get_mut("source") {
        *source = written(source, &["type"], &[]);
    }
    for citation in block.get_mut("citations").and_then(Value::as_array_mut).into_iter().flatten() {
        *citation = written(citation, &["type", "url", "title"], &[]);
    }
    block
}

/// The fields of a struct that Go writes: those of `always`, those of `given` where there are any, and of the others
/// those that are not empty.
fn written(fields: &Value, always: &[&str], given: &[&str]) -> Value {
    let mut out: Map<String, Value> = always.iter().map(|name| ((*name).to_owned(), Value::from(""))).collect();
    for (name, value) in fields.as_object().into_iter().flatten() {
        let is_empty =
            matches!(value, Value::Bool(false)) || *value == "" || value.as_array().is_some_and(Vec::is_empty);
        if !is_empty || given.contains(&name.as_str()) {
            out.insert(name.clone(), value.clone());
        }
    }
    Value::Object(out)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use crate::dialect::messages::request::decode_messages;

    fn estimate(content: &str, more: &str) -> u64 {
        let messages = format!(r#"[{{"role":"user","content":{content}}}]"#);
        let body = format!(r#"{{"model":"m","max_tokens":1,"messages":{messages}{more}}}"#);
        decode_messages(body.as_bytes()).unwrap().echo["estimated_tokens"].as_u64().unwrap()
    }

    // The role and `hi` are 6 bytes; Go's own decoder and encoder gave these numbers.
    #[rstest]
    #[case::at_least_one("", 1)]
    #[case::system(r#","system":"0123456789""#, 4)]
    #[case::blocks_of_system(r#","system":[{"type":"text","text":"0123456789"},{"type":"text","text":5},7]"#, 4)]
    #[case::anything_as_system(r#","system":{"a":"<"}"#, 5)]
    #[case::tool(r#","tools":[{"name":"f","description":"12345678","input_schema":{"type":"object"}}]"#, 8)]
    #[case::white_space_in_a_schema(
        r#","tools":[{"name":"f","description":"12345678","input_schema":{ "type" : "object", "properties": {} }}]"#,
        13
    )]
    #[case::null_as_schema(r#","tools":[{"name":"f","input_schema":null}]"#, 2)]
    #[case::search(r#","tools":[{"type":"web_search_20250305","name":"web_search","max_uses":5}]"#, 4)]
    fn system_and_tools_are_counted(#[case] more: &str, #[case] tokens: u64) {
        assert_eq!(estimate(r#""hi""#, more), tokens);
    }

    #[rstest]
    #[case::image(r#"{"type":"image","source":{"type":"base64","data":"QUJDREVGR0hJSktM"}}"#, 1)]
    #[case::thinking(r#"{"type":"thinking","thinking":"0123456789","signature":"sig"}"#, 3)]
    #[case::call(r#"{"type":"tool_use","id":"i","name":"f","input":{"a":"<b>","n":1.0}}"#, 19)]
    #[case::what_go_leaves_out(
        r#"{"type":"tool_use","id":"i","name":"f","input":{},"is_error":false,"signature":"","zzz":1}"#,
        13
    )]
    #[case::result(
        r#"{"type":"tool_result","tool_use_id":"i","content":[{"type":"text","text":"21 degrees"}],"is_error":true}"#,
        27
    )]
    #[case::empty_result(r#"{"type":"tool_result","tool_use_id":"i","content":""}"#, 14)]
    #[case::search(r#"{"type":"server_tool_use","id":"i","name":"web_search","input":{"query":"0123456789"}}"#, 1)]
    #[case::citations(r#"{"type":"text","text":"0123456789","citations":[{"type":"x","url":"y","title":"z"}]}"#, 3)]
    #[case::what_go_adds(
        r#"{"type":"tool_result","text":"x","source":{"type":"base64"},"citations":[{"cited_text":"c"}]}"#,
        32
    )]
    fn blocks_are_counted(#[case] block: &str, #[case] tokens: u64) {
        assert_eq!(estimate(&format!("[{block}]"), ""), tokens);
    }
}
