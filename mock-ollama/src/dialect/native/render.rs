//! `/api/generate` and `/api/chat` (Ollama `server/routes.go`, `api/types.go`).

use serde::Serialize;
use serde_json::json;
use serde_json::value::RawValue;

use crate::dialect::render::Render;
use crate::dialect::shared::{MetricFields, NativeCall, NativeLogprob, created_at, fields};
use crate::generation::{ParsedRequest, Part};
use crate::go_json::{error_body, rfc3339, string, to_string};
use crate::http::{JSON, Reply};

/// Renders native objects.
#[derive(Debug)]
pub(crate) struct NativeRenderer {
    /// As the request names it.
    model: String,
    is_chat: bool,
}

/// `api.GenerateResponse`
#[derive(Serialize)]
struct Generate<'a> {
    model: &'a str,
    created_at: String,
    response: Box<RawValue>,
    #[serde(skip_serializing_if = "str::is_empty")]
    thinking: &'a str,
    done: bool,
    #[serde(skip_serializing_if = "str::is_empty")]
    done_reason: &'a str,
    #[serde(skip_serializing_if = "<[i64]>::is_empty")]
    context: &'a [i64],
    #[serde(flatten)]
    metrics: MetricFields,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<NativeCall<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    logprobs: Vec<NativeLogprob>,
}

/// `api.ChatResponse`
#[derive(Serialize)]
struct Chat<'a> {
    model: &'a str,
    created_at: String,
    message: Message<'a>,
    done: bool,
    #[serde(skip_serializing_if = "str::is_empty")]
    done_reason: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    logprobs: Vec<NativeLogprob>,
    #[serde(flatten)]
    metrics: MetricFields,
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    content: Box<RawValue>,
    #[serde(skip_serializing_if = "str::is_empty")]
    thinking: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<NativeCall<'a>>,
}

impl NativeRenderer {
    pub(crate) fn new(model: &str, is_chat: bool) -> Self {
        Self { model: model.to_owned(), is_chat }
    }

    fn object(&self, part: &Part) -> String {
        // An object that nobody filled in has neither a name nor a time.
        let model = if part.is_blank { "" } else { self.model.as_str() };
        let created_at = created_at(part);
        let done_reason = part.done.as_ref().map_or("", |done| done.reason.as_str());
        let metrics = part.done.as_ref().and_then(|done| done.metrics).map(MetricFields::from).unwrap_or_default();
        let tool_calls = part.calls.iter().map(NativeCall::from).collect();
        let logprobs = part.logprobs.iter().map(NativeLogprob::from).collect();
        let (text, thinking, done) = (string(&part.text), part.thinking.as_str(), part.done.is_some());
        if self.is_chat {
            let role = if part.is_blank { "" } else { "assistant" };
            let message = Message { role, content: text, thinking, tool_calls };
            return to_string(&Chat { model, created_at, message, done, done_reason, logprobs, metrics });
        }
        let context = part.done.as_ref().map_or(&[][..], |done| &done.context);
        to_string(&Generate {
            model,
            created_at,
            response: text,
            thinking,
            done,
            done_reason,
            context,
            metrics,
            tool_calls,
            logprobs,
        })
    }
}

/// The answer to `_debug_render_only` of a native request: what the model would have been given.
pub fn debug_reply(request: &ParsedRequest, rendered: &str, unix_nanos: u64) -> Reply {
    let mut answer = json!({ "model": request.model, "created_at": rfc3339(unix_nanos) });
    if request.is_generate() {
        answer["response"] = json!("");
    } else {
        answer["message"] = json!({ "role": "", "content": "" });
    }
    answer["done"] = json!(false);
    answer["_debug_info"] = json!({ "rendered_template": rendered });
    Reply::new(200, JSON, to_string(&answer))
}

impl Render for NativeRenderer {
    fn stream_fields(&self) -> Vec<(String, String)> {
        fields("application/x-ndjson")
    }

    fn part(&mut self, part: &Part) -> Vec<Vec<u8>> {
        vec![(self.object(part) + "\n").into_bytes()]
    }

    fn failure(&mut self, text: &str) -> Vec<Vec<u8>> {
        vec![(error_body(text) + "\n").into_bytes()]
    }

    fn whole(&mut self, part: &Part) -> Reply {
        Reply::new(200, JSON, self.object(part))
    }
}
