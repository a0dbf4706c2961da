//! The values that several dialects share: errors, logprobs, usage.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::generation::Logprob;

/// What `error` holds, in any envelope.
#[derive(Debug, Deserialize, Serialize)]
#[serde(untagged)]
pub(crate) enum ErrorText {
    /// `{"error":"…"}`
    Text(String),
    /// `{"error":{"message":"…"}}`
    Object { message: String },
    /// Anything else.
    Other(Value),
}

impl ErrorText {
    pub(crate) fn into_text(self) -> String {
        match self {
            Self::Text(text) | Self::Object { message: text } => text,
            Self::Other(value) => value.to_string(),
        }
    }
}

/// A logprob of a native object, which `/v1/chat/completions` passes on as it is (Ollama `api/types.go`).
#[derive(Debug, Deserialize)]
pub(crate) struct WireLogprob {
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

pub(crate) fn logprobs(wire: Option<Vec<WireLogprob>>) -> Vec<Logprob> {
    let read = |wire: WireLogprob| {
        let (token, logprob) = wire.token.read();
        let top = wire.top_logprobs.unwrap_or_default().into_iter().map(WireToken::read).collect();
        Logprob { token, logprob, top }
    };
    wire.unwrap_or_default().into_iter().map(read).collect()
}

/// Token counts, by either pair of names. Some servers tell them one by one.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct TokenCounts {
    #[serde(alias = "prompt_tokens")]
    pub(crate) input_tokens: Option<u64>,
    #[serde(alias = "completion_tokens")]
    pub(crate) output_tokens: Option<u64>,
}
