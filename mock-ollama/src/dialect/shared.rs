//! What the objects of several dialects have in common.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::generation::{Arguments, Logprob, Metrics, Part, ToolCall};
use crate::go_json::{is_zero, rfc3339, string, to_string};

/// The time of a native object; Go's zero time where nobody set one.
pub(crate) fn created_at(part: &Part) -> String {
    if part.is_blank { "0001-01-01T00:00:00Z".to_owned() } else { rfc3339(part.unix_nanos) }
}

/// The six metrics of a final object, none of which is sent when it is zero (`api/types.go`, `Metrics`).
#[derive(Clone, Copy, Default, Serialize)]
pub(crate) struct MetricFields {
    #[serde(skip_serializing_if = "is_zero")]
    total_duration: u64,
    #[serde(skip_serializing_if = "is_zero")]
    load_duration: u64,
    #[serde(skip_serializing_if = "is_zero")]
    prompt_eval_count: u64,
    #[serde(skip_serializing_if = "is_zero")]
    prompt_eval_duration: u64,
    #[serde(skip_serializing_if = "is_zero")]
    eval_count: u64,
    #[serde(skip_serializing_if = "is_zero")]
    eval_duration: u64,
}

impl From<Metrics> for MetricFields {
    fn from(metrics: Metrics) -> Self {
        Self {
            total_duration: metrics.total_ns,
            load_duration: metrics.load_ns,
            prompt_eval_count: metrics.prompt_eval_count,
            prompt_eval_duration: metrics.prompt_eval_ns,
            eval_count: metrics.eval_count,
            eval_duration: metrics.eval_ns,
        }
    }
}

/// A native tool call (`api/types.go`, `ToolCall`).
#[derive(Serialize)]
pub(crate) struct NativeCall<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    function: NativeFunction<'a>,
}

#[derive(Serialize)]
struct NativeFunction<'a> {
    index: u32,
    name: &'a str,
    arguments: Cow<'a, Map<String, Value>>,
}

impl<'a> From<&'a ToolCall> for NativeCall<'a> {
    fn from(call: &'a ToolCall) -> Self {
        let function = NativeFunction { index: call.index, name: &call.name, arguments: arguments(call) };
        Self { id: call.id.as_deref(), function }
    }
}

/// The arguments of a call where a dialect has an object. The catalog offers it no call whose arguments are none.
pub(crate) fn arguments(call: &ToolCall) -> Cow<'_, Map<String, Value>> {
    call.arguments.object().unwrap_or_default()
}

/// The arguments of a call where a dialect has a text.
pub(crate) fn arguments_text(call: &ToolCall) -> String {
    match &call.arguments {
        Arguments::Object(object) => to_string(object),
        Arguments::Text(text) => text.clone(),
    }
}

/// A native logprob (`api/types.go`, `Logprob`).
#[derive(Serialize)]
pub(crate) struct NativeLogprob {
    #[serde(flatten)]
    token: TokenLogprob,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    top_logprobs: Vec<TokenLogprob>,
}

#[derive(Serialize)]
struct TokenLogprob {
    token: Box<RawValue>,
    logprob: f64,
    bytes: Vec<u8>,
}

impl From<&Logprob> for NativeLogprob {
    fn from(logprob: &Logprob) -> Self {
        let of = |bytes: &Vec<u8>, logprob| TokenLogprob { token: string(bytes), logprob, bytes: bytes.clone() };
        let top = logprob.top.iter().map(|(token, logprob)| of(token, *logprob));
        Self { token: of(&logprob.token, logprob.logprob), top_logprobs: top.collect() }
    }
}

/// Header fields with this content type.
pub(crate) fn fields(content_type: &str) -> Vec<(String, String)> {
    vec![("Content-Type".to_owned(), content_type.to_owned())]
}

/// The fields of the head of an SSE stream; two of the wrappers set more of them (`middleware/openai.go`,
/// `middleware/anthropic.go`).
pub(crate) fn sse_fields(all: bool) -> Vec<(String, String)> {
    let mut fields = fields("text/event-stream");
    if all {
        fields.push(("Cache-Control".to_owned(), "no-cache".to_owned()));
        fields.push(("Connection".to_owned(), "keep-alive".to_owned()));
    }
    fields
}

/// One SSE event without a name.
pub(crate) fn event_data(data: &str) -> String {
    format!("data: {data}\n\n")
}
