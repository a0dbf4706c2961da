//! `/api/generate` and `/api/chat`, and what every dialect goes through once it is in their form
//! (`server/routes.go`, `GenerateHandler` and `ChatHandler`).

use serde_json::{Map, Value};

use super::ask::said_last;
use super::{Ask, Dialect, Echo, Question, messages, openai, responses, schemas};
use crate::generation::{Refusal, named};
use crate::go_json::{decode, fields};
use crate::models::KeepAlive;

/// The text for a native request without a body.
pub(crate) const NO_BODY: &str = "missing request body";

impl Ask {
    /// Decodes a request body as far as that needs no knowledge of models: rows 1 to 12 of the checks.
    ///
    /// # Errors
    /// The refusal of the real server, with its status, text and who refuses.
    pub fn decode(dialect: Dialect, body: &[u8]) -> Result<Self, Refusal> {
        if !dialect.is_native() && named::names_cloud(body) {
            return Err(named::cloud_refused("remote model is"));
        }
        let native = |schema| decode(body, schema, NO_BODY).map_err(|text| Refusal::by_handler(400, text));
        match dialect {
            Dialect::Generate => of_native(dialect, native(&schemas::GENERATE)?, Echo::Nothing),
            Dialect::Chat => of_native(dialect, native(&schemas::CHAT)?, Echo::Nothing),
            Dialect::OpenAiChat => openai::chat(body),
            Dialect::OpenAiCompletions => openai::completions(body),
            Dialect::Responses => responses::decode_ask(body),
            Dialect::Messages => messages::decode_ask(body),
        }
    }
}

/// Brings the fields of a native request to the common form, with the checks that follow decoding.
pub(super) fn of_native(dialect: Dialect, mut fields: Map<String, Value>, echo: Echo) -> Result<Ask, Refusal> {
    let top = fields::int(&fields, "top_logprobs").unwrap_or_default();
    let top = usize::try_from(top).ok().filter(|top| *top <= 20);
    let top = top.ok_or_else(|| Refusal::by_handler(400, "top_logprobs must be between 0 and 20"))?;
    let model = fields::text(&mut fields, "model");
    if model.trim().is_empty() {
        return Err(if dialect.is_generate() {
            Refusal::by_handler(404, format!("model '{model}' not found"))
        } else {
            Refusal::by_handler(400, "model is required")
        });
    }
    let name = named::local(&model)?;
    let question = if dialect.is_generate() {
        Question::Prompt(fields::text(&mut fields, "prompt"))
    } else {
        Question::Messages(fields::list(&mut fields, "messages"))
    };
    let said_last = match &question {
        Question::Prompt(_) => String::new(),
        Question::Messages(messages) => said_last(messages),
    };
    let context = fields::list(&mut fields, "context");
    Ok(Ask {
        dialect,
        model,
        name,
        question,
        said_last,
        stream: fields::flag(&fields, "stream").unwrap_or(true),
        keep_alive: KeepAlive::of_value(fields.get("keep_alive")),
        think: fields::flag(&fields, "think"),
        tools: !fields::list(&mut fields, "tools").is_empty(),
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
