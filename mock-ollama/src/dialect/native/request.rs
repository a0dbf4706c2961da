//! `/api/generate` and `/api/chat`, and what every dialect goes through once it is in their form
//! (`server/routes.go`, `GenerateHandler` and `ChatHandler`).

use serde_json::{Map, Value};

use super::schemas;
use crate::generation::{Dialect, ParsedRequest, Question, Refusal, last_said, named};
use crate::go_json::{decode, fields};
use crate::models::KeepAlive;

/// Decodes a request of `/api/generate` or `/api/chat`.
pub(crate) fn decode_native(dialect: Dialect, body: &[u8]) -> Result<ParsedRequest, Refusal> {
    let is_generate = dialect == Dialect::Generate;
    let schema = if is_generate { &schemas::GENERATE } else { &schemas::CHAT };
    let fields = decode(body, schema, NO_BODY).map_err(|text| Refusal::by_handler(400, text))?;
    of_native(dialect, is_generate, fields, Map::new())
}

/// The text for a native request without a body.
pub(crate) const NO_BODY: &str = "missing request body";

/// Brings the fields of a native request to the common form, with the checks that follow decoding.
pub(crate) fn of_native(
    dialect: Dialect,
    is_generate: bool,
    mut fields: Map<String, Value>,
    echo: Map<String, Value>,
) -> Result<ParsedRequest, Refusal> {
    let top = fields::int(&fields, "top_logprobs").unwrap_or_default();
    let top = usize::try_from(top).ok().filter(|top| *top <= 20);
    let top = top.ok_or_else(|| Refusal::by_handler(400, "top_logprobs must be between 0 and 20"))?;
    let model = fields::text(&mut fields, "model");
    if model.trim().is_empty() {
        return Err(if is_generate {
            Refusal::by_handler(404, format!("model '{model}' not found"))
        } else {
            Refusal::by_handler(400, "model is required")
        });
    }
    let name = named::local(&model)?;
    let question = if is_generate {
        Question::Prompt(fields::text(&mut fields, "prompt"))
    } else {
        Question::Messages(fields::list(&mut fields, "messages"))
    };
    let last_text = match &question {
        Question::Prompt(prompt) => prompt.clone(),
        Question::Messages(messages) => last_said(messages),
    };
    let context = fields::list(&mut fields, "context");
    Ok(ParsedRequest {
        dialect,
        model,
        name,
        question,
        last_text,
        stream: fields::flag(&fields, "stream").unwrap_or(true),
        keep_alive: KeepAlive::of_value(fields.get("keep_alive")),
        think: fields::flag(&fields, "think"),
        tools: fields::list(&mut fields, "tools").iter().map(tool_name).collect(),
        raw: fields::flag(&fields, "raw").unwrap_or_default(),
        system: fields::text(&mut fields, "system"),
        template: fields::text(&mut fields, "template"),
        suffix: fields::text(&mut fields, "suffix"),
        // A null among the tokens is Go's zero.
        context: context.iter().map(|token| token.as_i64().unwrap_or_default()).collect(),
        format: fields.remove("format").unwrap_or_default(),
        options: fields::map(&mut fields, "options"),
        logprobs: (fields::flag(&fields, "logprobs") == Some(true)).then_some(top),
        debug_render_only: fields::flag(&fields, "_debug_render_only").unwrap_or_default(),
        echo,
    })
}

/// Returns the name of a tool that is offered. Two of the dialects hand it on without Ollama's own nesting.
fn tool_name(tool: &Value) -> String {
    let name = tool["function"]["name"].as_str().or(tool["name"].as_str());
    name.unwrap_or_default().to_owned()
}
