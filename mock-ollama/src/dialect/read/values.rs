//! The values that several dialects share: errors, logprobs, calls, usage.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::draft::Draft;
use crate::generation::{Logprob, ToolCall};

/// What `error` holds, in any envelope.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum ErrorText {
    /// `{"error":"…"}`
    Text(String),
    /// `{"error":{"message":"…"}}`
    Object { message: String },
}

impl ErrorText {
    pub(super) fn into_text(self) -> String {
        match self {
            Self::Text(text) | Self::Object { message: text } => text,
        }
    }
}

/// A logprob of a native object, which `/v1/chat/completions` passes on as it is (Ollama `api/types.go`).
#[derive(Debug, Deserialize)]
pub(super) struct WireLogprob {
    #[serde(flatten)]
    token: WireToken,
    top_logprobs: Option<Vec<WireToken>>,
}

#[derive(Debug, Deserialize)]
struct WireToken {
    token: String,
    logprob: f64,
    bytes: Option<Vec<u8>>,
}

impl WireToken {
    fn read(self) -> (Vec<u8>, f64) {
        (self.bytes.unwrap_or_else(|| self.token.into_bytes()), self.logprob)
    }
}

pub(super) fn logprobs(wire: Option<Vec<WireLogprob>>) -> Vec<Logprob> {
    let read = |wire: WireLogprob| {
        let (token, logprob) = wire.token.read();
        let top = wire.top_logprobs.unwrap_or_default().into_iter().map(WireToken::read).collect();
        Logprob { token, logprob, top }
    };
    wire.unwrap_or_default().into_iter().map(read).collect()
}

/// A call whose arguments are an object (native) or its JSON text (`OpenAI`).
#[derive(Debug, Deserialize)]
pub(super) struct WireCall {
    id: Option<String>,
    index: Option<u32>,
    function: WireFunction,
}

#[derive(Debug, Deserialize)]
struct WireFunction {
    index: Option<u32>,
    name: String,
    arguments: Option<Value>,
}

/// The calls of one object; `None` when the arguments of one are no object.
pub(super) fn calls(wire: Option<Vec<WireCall>>, draft: &mut Draft) -> Option<Vec<ToolCall>> {
    let read = |call: WireCall| {
        let function = call.function;
        let arguments = match function.arguments {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(arguments)) => arguments,
            Some(Value::String(text)) => arguments(&text)?,
            Some(_) => return None,
        };
        Some(draft.call(call.id, function.index.or(call.index), function.name, arguments))
    };
    wire.unwrap_or_default().into_iter().map(read).collect()
}

/// Arguments as JSON text; no text is no arguments.
pub(super) fn arguments(text: &str) -> Option<Map<String, Value>> {
    if text.is_empty() { Some(Map::new()) } else { serde_json::from_str(text).ok() }
}

/// Token counts, by either pair of names.
#[derive(Debug, Deserialize)]
pub(super) struct Usage {
    #[serde(alias = "prompt_tokens")]
    input_tokens: u64,
    #[serde(alias = "completion_tokens")]
    output_tokens: u64,
}

impl Usage {
    pub(super) fn tell(&self, draft: &mut Draft) {
        draft.counts(self.input_tokens, self.output_tokens);
    }
}
