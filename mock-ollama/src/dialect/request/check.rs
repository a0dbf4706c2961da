//! The checks that need the model (rows 15 to 20, 25 and 26 of the reference; `server/routes.go`, `server/images.go`).

use serde_json::Value;

use super::fields::handler;
use super::{Ask, Dialect};
use crate::dialect::go_fmt::quote;
use crate::dialect::{Refusal, RefusedBy};
use crate::models::Card;

const FLOATS: &[&str] =
    &["top_p", "min_p", "typical_p", "temperature", "repeat_penalty", "presence_penalty", "frequency_penalty"];

const INTEGERS: &[&str] = &[
    "num_keep",
    "seed",
    "num_predict",
    "top_k",
    "repeat_last_n",
    "num_ctx",
    "num_batch",
    "num_gpu",
    "main_gpu",
    "num_thread",
    "draft_num_predict",
];

/// Whether the model `card` can do what `ask` wants, in the order in which the real server asks.
///
/// # Errors
/// The first check that fails, with its status and text.
pub fn check(ask: &Ask, card: &Card) -> Result<(), Refusal> {
    if ask.raw && (!ask.system.is_empty() || !ask.template.is_empty() || !ask.context.is_empty()) {
        return Err(handler(400, "raw mode does not support template, system, or context"));
    }
    // The wrapper of `/v1/messages` drops what the model cannot do.
    if ask.think == Some(true) && !card.can("thinking") && ask.dialect != Dialect::Messages {
        return Err(handler(400, format!("\"{}\" does not support thinking", ask.model)));
    }
    if !card.can("completion") {
        let what = if ask.dialect.is_generate() { "generate" } else { "chat" };
        return Err(handler(400, format!("\"{}\" does not support {what}", ask.model)));
    }
    let lacks = |what: &str| handler(400, format!("{} does not support {what}", full_name(card)));
    if !ask.suffix.is_empty() && !card.can("insert") {
        return Err(lacks("insert"));
    }
    if ask.tools && !card.can("tools") {
        return Err(lacks("tools"));
    }
    for (name, value) in &ask.options {
        if let Some(kind) = mistyped(name, value) {
            return Err(handler(500, format!("option \"{name}\" must be of {kind}")));
        }
    }
    if ask.is_load() {
        return Ok(());
    }
    if ask.template.rfind("{{").is_some_and(|open| !ask.template[open..].contains("}}")) {
        return Err(handler(500, "template: :1: unclosed action"));
    }
    check_format(&ask.format)
}

/// The name with everything that listings leave out.
fn full_name(card: &Card) -> String {
    let name = card.name.as_str();
    match name.matches('/').count() {
        0 => format!("registry.ollama.ai/library/{name}"),
        1 => format!("registry.ollama.ai/{name}"),
        _ => name.to_owned(),
    }
}

/// What an option must be that is something else (`api/types.go`, `Options.FromMap`); unknown ones pass.
fn mistyped(name: &str, value: &Value) -> Option<&'static str> {
    if value.is_null() {
        return None;
    }
    if FLOATS.contains(&name) {
        return (!value.is_number()).then_some("type float32");
    }
    if INTEGERS.contains(&name) {
        return (!value.is_number()).then_some("type integer");
    }
    match (name, value) {
        ("use_mmap", value) if !value.is_boolean() => Some("type boolean"),
        ("stop", Value::Array(stops)) if stops.iter().all(Value::is_string) => None,
        ("stop", Value::Array(_)) => Some("an array of strings"),
        ("stop", _) => Some("type array"),
        _ => None,
    }
}

/// `llm/llama_server.go`: the runner's client refuses it, so the stream writer reports it.
fn check_format(format: &Value) -> Result<(), Refusal> {
    match format {
        Value::Null | Value::Object(_) => Ok(()),
        Value::String(text) if text.is_empty() || text == "json" => Ok(()),
        other => {
            let shown = quote(&crate::dialect::to_go_json(other).unwrap_or_default());
            let text = format!("invalid format: {shown}; expected \"json\" or a valid JSON Schema object");
            Err(Refusal { status: 500, text, by: RefusedBy::Runner })
        }
    }
}
