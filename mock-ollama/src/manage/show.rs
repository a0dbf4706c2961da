//! The body of `/api/show` (`server/routes.go`, `GetModelInfo`).

use serde_json::{Map, Value, json};

use super::listing::without_lengths;
use super::modelfile::{DEFAULT_TEMPLATE, modelfile, parameters};
use super::request::ShowRequest;
use crate::go_json::to_string;
use crate::models::Card;

/// Clients whose `User-Agent` begins so get the name that they asked for.
const COPILOT: &str = "GitHubCopilotChat/";

/// The fields that are there also when they are empty.
const ALWAYS: [&str; 5] = ["modelfile", "template", "details", "model_info", "modified_at"];

/// The body of `/api/show`; `user_agent` is what the field of that name says.
pub fn show(card: &Card, request: &ShowRequest, user_agent: &str) -> String {
    let own_system = card.system.as_deref().unwrap_or_default();
    let system = if request.system.is_empty() { own_system } else { &request.system };
    let mut model_info = metadata(&model_info(card), request.verbose);
    if user_agent.starts_with(COPILOT) {
        model_info.insert("general.basename".to_owned(), json!(request.model));
        model_info.sort_keys();
    }
    let template = card.chat_template.as_deref().or(card.template.as_deref());
    let messages = card.messages.iter().map(|(role, content)| json!({ "role": role, "content": content }));
    let mut body = json!({
        "license": card.licences.join("\n"),
        "modelfile": modelfile(card, Some(system), &request.options),
        "parameters": parameters(card),
        "template": template.unwrap_or(DEFAULT_TEMPLATE),
        "system": system,
        "renderer": card.renderer,
        "parser": card.parser,
        "details": without_lengths(card),
        "messages": messages.collect::<Vec<_>>(),
        "model_info": model_info,
        "projector_info": card.projector_info.as_ref().map(|info| metadata(info, request.verbose)),
        "tensors": card.tensors,
        "capabilities": card.capabilities,
        "modified_at": card.modified_at,
        "requires": card.requires,
    });
    if let Value::Object(fields) = &mut body {
        let is_empty = |value: &Value| value.is_null() || value == "" || value.as_array().is_some_and(Vec::is_empty);
        fields.retain(|name, value| ALWAYS.contains(&name.as_str()) || !is_empty(value));
    }
    to_string(&body)
}

/// The metadata of the weights' file, or as much of it as the details tell.
fn model_info(card: &Card) -> Map<String, Value> {
    if !card.model_info.is_empty() {
        return card.model_info.clone();
    }
    let details = &card.details;
    let mut info = Map::new();
    if !details.family.is_empty() {
        info.insert("general.architecture".to_owned(), json!(details.family));
        let lengths = [("context_length", details.context_length), ("embedding_length", details.embedding_length)];
        for (key, length) in lengths {
            info.extend(length.map(|length| (format!("{}.{key}", details.family), json!(length))));
        }
    }
    info
}

/// Metadata as it is shown: sorted, without name and chat template, and without arrays unless they are asked for.
fn metadata(info: &Map<String, Value>, verbose: bool) -> Map<String, Value> {
    let hidden = ["general.name", "tokenizer.chat_template"];
    let shown = info.iter().filter(|(key, _)| !hidden.contains(&key.as_str())).map(|(key, value)| {
        let value = if value.is_array() && !verbose { Value::Null } else { value.clone() };
        (key.clone(), value)
    });
    let mut shown: Map<String, Value> = shown.collect();
    shown.sort_keys();
    shown
}

#[cfg(test)]
#[path = "show_tests.rs"]
mod tests;
