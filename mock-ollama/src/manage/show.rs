//! The body of `/api/show` (`server/routes.go`, `GetModelInfo`).

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::listing::without_lengths;
use super::modelfile::{DEFAULT_TEMPLATE, modelfile, parameters};
use super::request::ShowRequest;
use crate::go_json::to_string;
use crate::models::{Card, Tensor};
use crate::recording::Details;

/// Clients whose `User-Agent` begins so get the name that they asked for.
const COPILOT: &str = "GitHubCopilotChat/";

#[derive(Serialize)]
struct Message<'a> {
    role: &'a str,
    content: &'a str,
}

#[derive(Serialize)]
struct Show<'a> {
    #[serde(skip_serializing_if = "String::is_empty")]
    license: String,
    modelfile: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    parameters: String,
    template: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    system: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    renderer: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    parser: &'a str,
    details: Details,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    messages: Vec<Message<'a>>,
    model_info: Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    projector_info: Option<Map<String, Value>>,
    #[serde(skip_serializing_if = "<[Tensor]>::is_empty")]
    tensors: &'a [Tensor],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    capabilities: &'a [String],
    modified_at: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    requires: &'a str,
}

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
    to_string(&Show {
        license: card.licences.join("\n"),
        modelfile: modelfile(card, Some(system), &request.options),
        parameters: parameters(card),
        template: template.unwrap_or(DEFAULT_TEMPLATE),
        system,
        renderer: card.renderer.as_deref().unwrap_or_default(),
        parser: card.parser.as_deref().unwrap_or_default(),
        details: without_lengths(card),
        messages: card.messages.iter().map(|(role, content)| Message { role, content }).collect(),
        model_info,
        projector_info: card.projector_info.as_ref().map(|info| metadata(info, request.verbose)),
        tensors: &card.tensors,
        capabilities: &card.capabilities,
        modified_at: &card.modified_at,
        requires: card.requires.as_deref().unwrap_or_default(),
    })
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
