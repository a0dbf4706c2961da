//! What a request may request of a model: the checks that need its card (`server/routes.go`, `api/types.go`).

use serde_json::{Map, Value};

use super::format::WireFormat;
use crate::generation::{ParsedRequest, Refusal, RefusedBy};
use crate::go_json::fmt::quote;
use crate::go_json::to_string;
use crate::models::{Card, KeepAlive, qualified};

/// The type that an option must have.
#[derive(Clone, Copy)]
enum Type {
    Integer,
    Float,
    Boolean,
    Texts,
}

/// The names of options, by type; any other is ignored.
const OPTIONS: [(Type, &[&str]); 6] = [
    (Type::Integer, &["num_keep", "seed", "num_predict", "top_k", "repeat_last_n", "num_ctx", "num_batch"]),
    (Type::Integer, &["num_gpu", "main_gpu", "num_thread", "draft_num_predict"]),
    (Type::Float, &["top_p", "min_p", "typical_p", "temperature"]),
    (Type::Float, &["repeat_penalty", "presence_penalty", "frequency_penalty"]),
    (Type::Boolean, &["use_mmap"]),
    (Type::Texts, &["stop"]),
];

/// Checks a request against the model that it asks, in the order of the real server.
///
/// # Errors
/// The refusal of the real server, with its status, text and who refuses.
pub fn check(format: &dyn WireFormat, request: &ParsedRequest, card: &Card) -> Result<(), Refusal> {
    // An unload is granted before anything of this is looked at.
    if request.is_load() && request.keep_alive.is_some_and(KeepAlive::is_zero) {
        return Ok(());
    }
    let model = quote(&request.model);
    let generate = request.is_generate();
    if generate && !card.capabilities.is_empty() && card.capabilities.iter().any(|known| known == "image") {
        return Err(Refusal::by_handler(400, "image generation models are not currently supported"));
    }
    if request.raw && !(request.system.is_empty() && request.template.is_empty() && request.context.is_empty()) {
        return Err(Refusal::by_handler(400, "raw mode does not support template, system, or context"));
    }
    if request.think == Some(true) && format.refuses_thinking() && !card.can("thinking") {
        return Err(Refusal::by_handler(400, format!("{model} does not support thinking")));
    }
    if !card.can("completion") {
        let what = if generate { "generate" } else { "chat" };
        return Err(Refusal::by_handler(400, format!("{model} does not support {what}")));
    }
    let lacks = |capability: &str| {
        Refusal::by_handler(400, format!("{} does not support {capability}", qualified(card.name.as_str())))
    };
    if !request.suffix.is_empty() && !card.can("insert") {
        return Err(lacks("insert"));
    }
    if !request.tools.is_empty() && !card.can("tools") {
        return Err(lacks("tools"));
    }
    check_options(&request.options)?;
    if request.is_load() {
        return Ok(());
    }
    if !request.raw
        && let Some(text) = template_error(&request.template)
    {
        return Err(Refusal::by_handler(500, text));
    }
    check_format(&request.format)
}

/// Checks the types of options, for every route that has them.
///
/// # Errors
/// 500 for an option of a wrong type; of several the first by name, where the real server takes any.
pub fn check_options(options: &Map<String, Value>) -> Result<(), Refusal> {
    let mut names: Vec<&String> = options.keys().collect();
    names.sort();
    for name in names {
        let Some((wanted, _)) = OPTIONS.iter().find(|(_, known)| known.contains(&name.as_str())) else { continue };
        let wanted = match (wanted, &options[name]) {
            (_, Value::Null) | (Type::Integer | Type::Float, Value::Number(_)) | (Type::Boolean, Value::Bool(_)) => {
                continue;
            }
            (Type::Texts, Value::Array(items)) if items.iter().all(Value::is_string) => continue,
            (Type::Texts, Value::Array(_)) => "an array of strings",
            (Type::Texts, _) => "type array",
            (Type::Integer, _) => "type integer",
            (Type::Float, _) => "type float32",
            (Type::Boolean, _) => "type boolean",
        };
        return Err(Refusal::by_handler(500, format!("option {} must be of {wanted}", quote(name))));
    }
    Ok(())
}

/// The error of Go's template parser, for the templates that end inside of an action or leave a block open.
pub(crate) fn template_error(template: &str) -> Option<String> {
    let mut open = 0_usize;
    let mut rest = template;
    while let Some(start) = rest.find("{{") {
        let before = template.len() - rest.len() + start;
        let line = template[..before].matches('\n').count() + 1;
        let inner = &rest[start + 2..];
        if inner.trim_start_matches("- ").starts_with("/*") && !inner.contains("*/") {
            return Some(format!("template: :{line}: unclosed comment"));
        }
        let Some(end) = inner.find("}}") else {
            return Some(format!("template: :{line}: unclosed action"));
        };
        let action = inner[..end].trim_matches(['-', ' ', '\t', '\r', '\n']);
        match action.split_whitespace().next() {
            Some("if" | "range" | "with" | "block" | "define") => open += 1,
            Some("end") if open == 0 => return Some(format!("template: :{line}: unexpected {{{{end}}}}")),
            Some("end") => open -= 1,
            _ => {}
        }
        rest = &inner[end + 2..];
    }
    let lines = template.matches('\n').count() + 1;
    (open > 0).then(|| format!("template: :{lines}: unexpected EOF"))
}

fn check_format(format: &Value) -> Result<(), Refusal> {
    match format {
        Value::Null | Value::Object(_) => return Ok(()),
        Value::String(text) if text.is_empty() || text == "json" => return Ok(()),
        _ => {}
    }
    let json = quote(&to_string(format));
    let text = format!("invalid format: {json}; expected \"json\" or a valid JSON Schema object");
    Err(Refusal { status: 500, text, by: RefusedBy::Runner })
}
