//! What the objects of several dialects have in common.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::go_json::{go_string, to_string};
use crate::generation::{Arguments, Logprob, Metrics, Part, ToolCall};

/// Serialises one of this crate's own types, whose `Serialize` cannot fail.
pub(super) fn json<T: Serialize>(value: &T) -> String {
    to_string(value).unwrap_or_default()
}

/// RFC 3339 in UTC with the trailing zeros of the fraction removed, as Go prints it.
pub fn rfc3339(unix_nanos: u64) -> String {
    Timestamp::from_nanosecond(i128::from(unix_nanos)).unwrap_or(Timestamp::UNIX_EPOCH).to_string()
}

/// The time of a native object; Go's zero time where nobody set one.
pub(super) fn created_at(part: &Part) -> String {
    if part.is_blank { "0001-01-01T00:00:00Z".to_owned() } else { rfc3339(part.unix_nanos) }
}

/// `{"error":"…"}`
pub fn error_body(text: &str) -> String {
    #[derive(Serialize)]
    struct Error<'a> {
        error: &'a str,
    }
    json(&Error { error: text })
}

/// The error of a request that no recording answers; the mock's own, so it says so.
pub fn miss_text(why: &str) -> String {
    format!("mock-ollama: {why}")
}

/// The six metrics of a final object, none of which is sent when it is zero (`api/types.go`, `Metrics`).
#[derive(Clone, Copy, Default, Serialize)]
pub(super) struct MetricFields {
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

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
pub(super) fn is_zero(number: &u64) -> bool {
    *number == 0
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
pub(super) struct NativeCall<'a> {
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
pub(super) fn arguments(call: &ToolCall) -> Cow<'_, Map<String, Value>> {
    call.arguments.object().unwrap_or_default()
}

/// The arguments of a call where a dialect has a text.
pub(super) fn arguments_text(call: &ToolCall) -> String {
    match &call.arguments {
        Arguments::Object(object) => json(object),
        Arguments::Text(text) => text.clone(),
    }
}

/// A native logprob (`api/types.go`, `Logprob`).
#[derive(Serialize)]
pub(super) struct NativeLogprob {
    token: Box<RawValue>,
    logprob: f64,
    bytes: Vec<u8>,
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
        let top = logprob.top.iter().map(|(token, logprob)| TokenLogprob {
            token: go_string(token),
            logprob: *logprob,
            bytes: token.clone(),
        });
        Self {
            token: go_string(&logprob.token),
            logprob: logprob.logprob,
            bytes: logprob.token.clone(),
            top_logprobs: top.collect(),
        }
    }
}

/// Header fields with this content type.
pub(super) fn fields(content_type: &str) -> Vec<(String, String)> {
    vec![("Content-Type".to_owned(), content_type.to_owned())]
}

#[cfg(test)]
mod tests {
    use super::{error_body, rfc3339};

    #[test]
    fn a_time_has_the_trailing_zeros_of_its_fraction_removed() {
        assert_eq!(rfc3339(1_785_578_400_120_000_000), "2026-08-01T10:00:00.12Z");
        assert_eq!(rfc3339(1_785_578_400_000_000_000), "2026-08-01T10:00:00Z");
    }

    #[test]
    fn an_error_text_is_escaped_as_go_does() {
        assert_eq!(error_body("boom <x>"), r#"{"error":"boom \u003cx\u003e"}"#);
    }
}
