//! A stated model as a card.

use std::time::Duration;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::file::ModelForm;
use crate::models::{Card, ModelName};
use crate::recording::{Details, hex};
use crate::rules::ModelDefaults;
use crate::rules::form::{Wrong, duration};

/// What an answer of the model has where its rule states nothing.
pub(super) fn defaults(form: &ModelForm) -> Result<ModelDefaults, Wrong> {
    let stated = |key, text: &Option<String>| text.as_deref().map(duration).transpose().map_err(|what| (key, what));
    Ok(ModelDefaults {
        load: stated("load", &form.load)?.unwrap_or(Duration::from_micros(500)),
        prompt_eval: stated("prompt_eval", &form.prompt_eval)?.unwrap_or(Duration::from_millis(100)),
        eval: stated("eval", &form.eval)?,
        gap: stated("gap", &form.gap)?.unwrap_or(Duration::from_millis(20)),
        render: form.render.clone().unwrap_or_else(|| "{prompt}".to_owned()),
        prompt_tokens: form.prompt_tokens.unwrap_or(10),
        logprobs: form.logprobs,
    })
}

/// Everything that listings say of the model.
pub(super) fn card(form: &ModelForm, name: ModelName) -> Result<Card, Wrong> {
    let digest = match &form.digest {
        Some(digest) if digest.len() == 64 && digest.bytes().all(|digit| digit.is_ascii_hexdigit()) => digest.clone(),
        Some(digest) => return Err(("digest", format!("bad digest {digest:?}; write 64 hexadecimal digits"))),
        None => digest_of(name.as_str()),
    };
    let weights = form.weights.as_ref().map_or_else(|| digest.clone(), |weights| digest_of(weights));
    let json = |value: &toml::Value| serde_json::to_value(value).unwrap_or(Value::Null);
    let card = Card {
        capabilities: form.capabilities.clone(),
        listed_capabilities: form.listed_capabilities.clone(),
        details: Details {
            parent_model: form.parent_model.clone(),
            format: if form.format.is_empty() { "gguf".to_owned() } else { form.format.clone() },
            family: form.family.clone(),
            families: form.families.clone(),
            parameter_size: form.parameter_size.clone(),
            quantization_level: form.quantization_level.clone(),
            context_length: form.context_length,
            embedding_length: form.embedding_length,
        },
        size: form.size,
        digest,
        weights,
        template: form.template.clone(),
        chat_template: form.chat_template.clone(),
        system: form.system.clone(),
        parameters: form.parameters.iter().map(|(key, value)| (key.clone(), json(value))).collect(),
        licences: form.licences.clone(),
        messages: form.messages.clone(),
        renderer: form.renderer.clone(),
        parser: form.parser.clone(),
        requires: form.requires.clone(),
        model_info: form.model_info.iter().map(|(key, value)| (key.clone(), json(value))).collect(),
        tensors: form.tensors.clone(),
        installed: form.installed.unwrap_or(true),
        ..Card::named(name)
    };
    let modified_at = form.modified_at.clone().unwrap_or_else(|| "2026-01-01T00:00:00Z".to_owned());
    if modified_at.parse::<jiff::Timestamp>().is_err() {
        return Err(("modified_at", format!("bad modified_at {modified_at:?}; write it as 2026-01-01T00:00:00Z")));
    }
    Ok(Card { modified_at, ..card })
}

fn digest_of(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}
