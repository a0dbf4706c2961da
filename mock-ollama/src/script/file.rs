//! The form, as it stands in a file.

use serde::Deserialize;
use toml::Spanned;

use crate::models::Tensor;
use crate::rules::StatedLogprobs;
use crate::rules::form::RuleForm;

/// A script file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ScriptFile {
    #[serde(default)]
    pub(super) model: Vec<Spanned<ModelForm>>,
    #[serde(default)]
    pub(super) rule: Vec<Spanned<RuleForm>>,
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
    pub(super) logprobs: Option<StatedLogprobs>,
    pub(super) embedding: Option<EmbeddingForm>,
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
