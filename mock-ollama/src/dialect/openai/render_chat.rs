//! `/v1/chat/completions` (Ollama `middleware/openai.go`, `openai/openai.go`).

use serde::Serialize;

use crate::dialect::ids::Ids;
use crate::dialect::render::Render;
use crate::dialect::shared::{NativeLogprob, arguments_text, event_data, sse_fields};
use crate::generation::{Done, ParsedRequest, Part, Reason, ToolCall};
use crate::go_json::{lossy_text, to_string};
use crate::http::Reply;

/// What every object says that this server made it.
pub(crate) const FINGERPRINT: &str = "fp_ollama";

/// What ends a stream.
pub(crate) const DONE: &str = "data: [DONE]\n\n";

/// Renders one chat completion.
#[derive(Debug)]
pub(crate) struct ChatRenderer {
    id: String,
    model: String,
    include_usage: bool,
    /// Seconds since 1970 of the first part; every chunk has it.
    created: Option<i64>,
    role_sent: bool,
    has_calls: bool,
}

#[derive(Clone, Copy, Default, Serialize)]
#[expect(clippy::struct_field_names, reason = "the names on the wire")]
pub(crate) struct Usage {
    prompt_tokens: u64,
    completion_tokens: u64,
    total_tokens: u64,
}

impl Usage {
    pub(crate) fn of(done: Option<&Done>) -> Self {
        let metrics = done.and_then(|done| done.metrics).unwrap_or_default();
        let (prompt_tokens, completion_tokens) = (metrics.prompt_eval_count, metrics.eval_count);
        Self { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens }
    }
}

#[derive(Serialize)]
pub(crate) struct Completion<'a, C> {
    pub(crate) id: &'a str,
    pub(crate) object: &'static str,
    pub(crate) created: i64,
    pub(crate) model: &'a str,
    pub(crate) system_fingerprint: &'static str,
    pub(crate) choices: Vec<C>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) usage: Option<Usage>,
}

/// A choice has a message in a whole answer, and a delta in a stream.
#[derive(Default, Serialize)]
struct Choice<'a> {
    index: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Delta<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delta: Option<Delta<'a>>,
    finish_reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logprobs: Option<Logprobs>,
}

#[derive(Default, Serialize)]
struct Delta<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<String>,
    #[serde(skip_serializing_if = "str::is_empty")]
    reasoning: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<Call<'a>>,
}

#[derive(Serialize)]
pub(crate) struct Call<'a> {
    id: &'a str,
    index: u32,
    #[serde(rename = "type")]
    kind: &'static str,
    function: Function<'a>,
}

#[derive(Serialize)]
struct Function<'a> {
    name: &'a str,
    arguments: String,
}

#[derive(Serialize)]
struct Logprobs {
    content: Vec<NativeLogprob>,
}

impl<'a> Call<'a> {
    pub(crate) fn new(id: &'a str, index: u32, name: &'a str, arguments: String) -> Self {
        Self { id, index, kind: "function", function: Function { name, arguments } }
    }
}

impl<'a> From<&'a ToolCall> for Call<'a> {
    fn from(call: &'a ToolCall) -> Self {
        Self::new(call.id.as_deref().unwrap_or_default(), call.index, &call.name, arguments_text(call))
    }
}

fn logprobs(part: &Part) -> Option<Logprobs> {
    let content: Vec<NativeLogprob> = part.logprobs.iter().map(NativeLogprob::from).collect();
    (!content.is_empty()).then_some(Logprobs { content })
}

/// Whether a stream ends with a chunk of usage.
pub(crate) fn includes_usage(request: &ParsedRequest) -> bool {
    request.echo.get("include_usage").is_some_and(|asked| *asked == true)
}

impl ChatRenderer {
    pub(crate) fn new(request: &ParsedRequest, ids: Ids) -> Self {
        Self {
            id: format!("chatcmpl-{}", ids.number("chatcmpl", 999)),
            model: request.model.clone(),
            include_usage: includes_usage(request),
            created: None,
            role_sent: false,
            has_calls: false,
        }
    }

    fn chunk(&self, model: &str, choices: Vec<Choice<'_>>, usage: Option<Usage>) -> String {
        event_data(&to_string(&Completion {
            id: &self.id,
            object: "chat.completion.chunk",
            created: self.created.unwrap_or_default(),
            model,
            system_fingerprint: FINGERPRINT,
            choices,
            usage,
        }))
    }

    fn delta(&mut self, delta: Delta<'_>, logprobs: Option<Logprobs>) -> String {
        let role = (!std::mem::replace(&mut self.role_sent, true)).then_some("assistant");
        let delta = Delta { role, ..delta };
        let model = self.model.clone();
        self.chunk(&model, vec![Choice { delta: Some(delta), logprobs, ..Choice::default() }], None)
    }

    /// The chunks of what a native object says: thinking and anything else beside it make two.
    fn said(&mut self, part: &Part) -> String {
        let says_more = !part.text.is_empty() || !part.calls.is_empty();
        let mut out = String::new();
        let (mut reasoning, mut logprobs) = (part.thinking.as_str(), logprobs(part));
        if !reasoning.is_empty() && says_more {
            out += &self.delta(Delta { reasoning, ..Delta::default() }, logprobs.take());
            reasoning = "";
        }
        let tool_calls: Vec<Call<'_>> = part.calls.iter().map(Call::from).collect();
        self.has_calls |= !tool_calls.is_empty();
        let delta = Delta { role: None, content: Some(lossy_text(&part.text)), reasoning, tool_calls };
        out + &self.delta(delta, logprobs)
    }

    fn finish_reason(&self, reason: Reason) -> &'static str {
        match reason {
            Reason::Stop if self.has_calls => "tool_calls",
            reason => reason.as_str(),
        }
    }

    fn ended(&self, done: &Done) -> String {
        let finish_reason = Some(self.finish_reason(done.reason));
        let finish = Choice { delta: Some(Delta::default()), finish_reason, ..Choice::default() };
        let mut out = self.chunk(&self.model, vec![finish], None);
        if self.include_usage {
            out += &self.chunk(&self.model, Vec::new(), Some(Usage::of(Some(done))));
        }
        out + DONE
    }
}

impl Render for ChatRenderer {
    fn stream_fields(&self) -> Vec<(String, String)> {
        sse_fields(false)
    }

    fn part(&mut self, part: &Part) -> Vec<Vec<u8>> {
        self.created.get_or_insert(part.created_unix_s());
        let says = !part.text.is_empty() || !part.thinking.is_empty() || !part.calls.is_empty();
        let has_more = says || !part.logprobs.is_empty();
        let mut out = String::new();
        // A stream opens with a role even when the model says nothing.
        if has_more || part.done.is_none() || !self.role_sent {
            out += &self.said(part);
        }
        if let Some(done) = &part.done {
            out += &self.ended(done);
        }
        vec![out.into_bytes()]
    }

    /// The error is read as an object without anything in it, so its text is lost.
    fn failure(&mut self, _text: &str) -> Vec<Vec<u8>> {
        let delta = Delta { content: Some(String::new()), ..Delta::default() };
        let choice = Choice { delta: Some(delta), ..Choice::default() };
        vec![self.chunk("", vec![choice], None).into_bytes()]
    }

    fn whole(&mut self, part: &Part) -> Reply {
        self.has_calls = !part.calls.is_empty();
        let message = Delta {
            role: Some(if part.is_blank { "" } else { "assistant" }),
            content: Some(lossy_text(&part.text)),
            reasoning: &part.thinking,
            tool_calls: part.calls.iter().map(Call::from).collect(),
        };
        let finish_reason = part.done.as_ref().map(|done| self.finish_reason(done.reason));
        let object = Completion {
            id: &self.id,
            object: "chat.completion",
            created: part.created_unix_s(),
            model: if part.is_blank { "" } else { &self.model },
            system_fingerprint: FINGERPRINT,
            choices: vec![Choice {
                message: Some(message),
                finish_reason,
                logprobs: logprobs(part),
                ..Choice::default()
            }],
            usage: Some(Usage::of(part.done.as_ref())),
        };
        Reply::wrapped(200, &to_string(&object))
    }
}
