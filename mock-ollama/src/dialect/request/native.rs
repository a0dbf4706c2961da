//! `/api/generate` and `/api/chat`, and what their handlers check first of every request for an answer.

use serde_json::{Map, Value, json};

use super::fields::{Fields, handler, resolve};
use super::{Ask, Dialect, Echo, Question, messages, openai, responses, types};
use crate::dialect::Refusal;

impl Ask {
    /// Decodes the body of a request. Only its first JSON value counts; keys match without case, the last duplicate
    /// wins, `null` is absent; invalid UTF-8 becomes U+FFFD.
    ///
    /// # Errors
    /// A body that is refused whatever models there are, in the words of the real server.
    pub fn decode(dialect: Dialect, body: &[u8]) -> Result<Self, Refusal> {
        match dialect {
            Dialect::Generate => generate(body),
            Dialect::Chat => chat(body),
            Dialect::OpenAiChat => openai::chat(body),
            Dialect::OpenAiCompletions => openai::completion(body),
            Dialect::Responses => responses::decode(body),
            Dialect::Messages => messages::decode(body),
        }
    }

    /// A request that asks nothing special; the native handlers' first checks (rows 9 to 12 of the reference).
    pub(super) fn new(
        dialect: Dialect,
        model: String,
        question: Question,
        top_logprobs: Option<i64>,
    ) -> Result<Self, Refusal> {
        if !(0..=20).contains(&top_logprobs.unwrap_or(0)) {
            return Err(handler(400, "top_logprobs must be between 0 and 20"));
        }
        if model.is_empty() {
            return Err(if dialect.is_generate() {
                handler(404, "model '' not found")
            } else {
                handler(400, "model is required")
            });
        }
        Ok(Self {
            name: resolve(&model)?,
            dialect,
            model,
            question,
            stream: false,
            keep_alive: None,
            think: None,
            tools: false,
            raw: false,
            system: String::new(),
            template: String::new(),
            suffix: String::new(),
            context: Vec::new(),
            format: Value::Null,
            options: Map::new(),
            logprobs: None,
            debug_render_only: false,
            echo: Echo::Nothing,
        })
    }
}

fn generate(body: &[u8]) -> Result<Ask, Refusal> {
    let fields = Fields::native(&types::GENERATE, body)?;
    let question = Question::Prompt(fields.text("prompt"));
    let mut ask = Ask::new(Dialect::Generate, fields.text("model"), question, fields.int("top_logprobs"))?;
    ask.raw = fields.flag("raw").unwrap_or(false);
    ask.system = fields.text("system");
    ask.template = fields.text("template");
    ask.suffix = fields.text("suffix");
    ask.context = fields.list("context").iter().filter_map(Value::as_i64).collect();
    common(ask, &fields)
}

fn chat(body: &[u8]) -> Result<Ask, Refusal> {
    let fields = Fields::native(&types::CHAT, body)?;
    let messages = fields.list("messages").iter().cloned().map(message).collect();
    let question = Question::Messages(messages);
    let mut ask = Ask::new(Dialect::Chat, fields.text("model"), question, fields.int("top_logprobs"))?;
    ask.tools = !fields.list("tools").is_empty();
    common(ask, &fields)
}

fn common(mut ask: Ask, fields: &Fields) -> Result<Ask, Refusal> {
    ask.stream = fields.flag("stream").unwrap_or(true);
    ask.keep_alive = fields.keep_alive()?;
    ask.think = match fields.get("think") {
        Value::Null => None,
        think => Some(*think != json!(false)),
    };
    ask.format = fields.get("format").clone();
    ask.options = fields.map("options");
    ask.logprobs = logprobs(fields.flag("logprobs"), fields.int("top_logprobs"));
    ask.debug_render_only = fields.flag("_debug_render_only").unwrap_or(false);
    Ok(ask)
}

/// How many alternatives each logprob gets, where logprobs are asked for.
pub(super) fn logprobs(asked: Option<bool>, top: Option<i64>) -> Option<usize> {
    let top = usize::try_from(top.unwrap_or(0)).unwrap_or(0);
    (asked == Some(true)).then_some(top)
}

/// A message as the handler gets it: roles are lower case.
fn message(mut message: Value) -> Value {
    if let Some(role) = message.get_mut("role") {
        *role = json!(role.as_str().unwrap_or_default().to_lowercase());
    }
    message
}
