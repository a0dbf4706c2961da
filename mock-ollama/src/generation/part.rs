//! What a renderer is given.

use super::{Logprob, Reason, ToolCall};

/// The first second of year 1, which is the zero of Go's `time.Time`, in seconds since 1970.
const GO_ZERO_TIME_UNIX_S: i64 = -62_135_596_800;

/// One native response object before a dialect has shaped it; the dialects under `/v1` wrap exactly these
/// (`middleware/openai.go` parses each native object anew).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Part {
    /// Its time: nanoseconds since 1970.
    pub unix_nanos: u64,
    /// Whether no object came at all: the handler then answers with one that nobody filled in.
    pub is_blank: bool,
    /// Text of the answer; empty where there is none.
    pub text: Vec<u8>,
    /// Text of the thinking; empty where there is none.
    pub thinking: String,
    /// Tool calls; each has its id.
    pub calls: Vec<ToolCall>,
    /// Logprobs, where the request asked for them, with as many alternatives as it asked for.
    pub logprobs: Vec<Logprob>,
    /// What makes it the final object.
    pub done: Option<Done>,
}

impl Part {
    /// The seconds since 1970 of its `created_at`, which a blank one has at Go's zero time.
    pub fn created_unix_s(&self) -> i64 {
        if self.is_blank {
            return GO_ZERO_TIME_UNIX_S;
        }
        i64::try_from(self.unix_nanos / 1_000_000_000).unwrap_or(i64::MAX)
    }
}

/// What a final object says beside text.
#[derive(Clone, Debug, PartialEq)]
pub struct Done {
    /// Why the model stopped.
    pub reason: Reason,
    /// What was counted; absent after a load or an unload.
    pub metrics: Option<Metrics>,
    /// The token ids of prompt and answer; empty where `/api/generate` does not send them.
    pub context: Vec<i64>,
}

/// The metrics of a final object, durations in nanoseconds. `total_ns` is at least the sum of the other three.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Metrics {
    /// From the request to the final object.
    pub total_ns: u64,
    /// From the request to "model ready".
    pub load_ns: u64,
    /// Tokens of the prompt.
    pub prompt_eval_count: u64,
    /// The evaluation of the prompt.
    pub prompt_eval_ns: u64,
    /// Tokens sampled.
    pub eval_count: u64,
    /// From the first token to the end.
    pub eval_ns: u64,
}
