//! The form, as it stands in a file.

use serde::Deserialize;
use toml::Spanned;

use crate::models::Tensor;

/// A script file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ScriptFile {
    #[serde(default)]
    pub(super) model: Vec<Spanned<ModelForm>>,
    #[serde(default)]
    pub(super) answer: Vec<Spanned<AnswerForm>>,
}

/// `[[model]]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ModelForm {
    pub(super) name: String,
    pub(super) capabilities: Vec<String>,
    pub(super) listed_capabilities: Option<Vec<String>>,
    pub(super) parent_model: String,
    pub(super) format: String,
    pub(super) family: String,
    pub(super) families: Option<Vec<String>>,
    pub(super) parameter_size: String,
    pub(super) quantization_level: String,
    pub(super) context_length: Option<u64>,
    pub(super) embedding_length: Option<u64>,
    pub(super) size: u64,
    pub(super) digest: Option<String>,
    pub(super) weights: Option<String>,
    pub(super) modified_at: Option<String>,
    pub(super) template: Option<String>,
    pub(super) chat_template: Option<String>,
    pub(super) system: Option<String>,
    pub(super) parameters: Vec<(String, toml::Value)>,
    pub(super) licences: Vec<String>,
    pub(super) messages: Vec<(String, String)>,
    pub(super) renderer: Option<String>,
    pub(super) parser: Option<String>,
    pub(super) requires: Option<String>,
    pub(super) model_info: toml::Table,
    pub(super) tensors: Vec<Tensor>,
    pub(super) installed: Option<bool>,
    /// How a prompt is rendered, for counting its tokens: `{system}` and `{prompt}` stand for theirs.
    pub(super) render: Option<String>,
    pub(super) prompt_tokens: Option<u64>,
    pub(super) load: Option<String>,
    pub(super) prompt_eval: Option<String>,
    /// From the first piece to the final object, whatever lies between.
    pub(super) eval: Option<String>,
    /// From one piece to the next, where `eval` is not stated.
    pub(super) gap: Option<String>,
    pub(super) logprobs: Option<LogprobForm>,
    pub(super) embedding: Option<EmbeddingForm>,
}

/// The logprob of every token, and that of its alternatives: `first`, `first + step`, …
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LogprobForm {
    pub(super) token: f64,
    pub(super) first: f64,
    pub(super) step: f64,
}

/// The vector of every text, and the word of those that fail.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EmbeddingForm {
    pub(super) vector: Vec<f32>,
    #[serde(default)]
    pub(super) fails_on: Option<String>,
    #[serde(default)]
    pub(super) error: String,
}

/// `[[answer]]`: conditions, and the answer where they hold.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct AnswerForm {
    pub(super) models: Option<Vec<String>>,
    pub(super) words: Vec<String>,
    pub(super) endpoint: Option<EndpointForm>,
    pub(super) think: Option<bool>,
    pub(super) tools: Option<bool>,
    pub(super) pieces: Option<Vec<PieceForm>>,
    /// What the model sampled, where parsers made the pieces of it.
    pub(super) raw: Option<Vec<PieceForm>>,
    /// Calls that the final object carries.
    pub(super) final_calls: Vec<CallForm>,
    /// Tokens sampled, where they are not one more than the pieces.
    pub(super) tokens: Option<u64>,
    pub(super) gap: Option<String>,
    pub(super) ends: Option<EndForm>,
    pub(super) error: Option<ErrorForm>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum EndpointForm {
    Generate,
    Chat,
}

/// How an answer ends that does not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum EndForm {
    Stop,
    Length,
    /// Without a final object.
    Silent,
    /// Before it begins: the queue is full.
    Busy,
}

/// A failure after `after` pieces.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ErrorForm {
    pub(super) text: String,
    #[serde(default)]
    pub(super) status: Option<u16>,
    #[serde(default)]
    pub(super) after: usize,
}

/// A piece: a text, or a table that says what else it is.
#[derive(Clone, Debug, Deserialize)]
#[serde(
    untagged,
    expecting = "a piece that is none; write a text, or a table with one of text, thinking, hex, held and call"
)]
pub(super) enum PieceForm {
    Text(String),
    Table(PieceTable),
}

/// Exactly one of the first five; `times` repeats a text within the piece, `pieces` the piece itself.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct PieceTable {
    pub(super) text: Option<String>,
    pub(super) thinking: Option<String>,
    pub(super) hex: Option<String>,
    pub(super) held: Option<bool>,
    pub(super) call: Option<CallForm>,
    pub(super) times: Option<usize>,
    pub(super) pieces: Option<usize>,
}

/// A call of a tool; the arguments are JSON, in the order in which the model gives them.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CallForm {
    pub(super) name: String,
    pub(super) arguments: String,
    #[serde(default)]
    pub(super) id: Option<String>,
}
