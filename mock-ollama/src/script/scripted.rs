//! A script: models, and the rules by which they answer.

use std::sync::Arc;
use std::time::Duration;

use super::ScriptError;
use super::file::EmbeddingForm;
use crate::models::{Card, ModelName};
use crate::rules::{IntoPieces, ModelDefaults, Rule, any, says};

/// Models, and the rules by which they answer.
#[derive(Clone, Debug, Default)]
pub struct Script {
    /// The models.
    pub models: Vec<Scripted>,
    pub(crate) rules: Vec<Arc<Rule>>,
}

/// A model that a script states.
#[derive(Clone, Debug)]
pub struct Scripted {
    /// What listings say of it.
    pub card: Card,
    pub(crate) defaults: ModelDefaults,
    pub(super) embedding: Option<EmbeddingForm>,
}

impl Script {
    /// Returns a model that answers everything with these pieces, 20 ms apart after 100 ms.
    ///
    /// # Errors
    /// A name that breaks the grammar of model names.
    pub fn says(model: &str, pieces: impl IntoPieces) -> Result<Self, ScriptError> {
        let name = ModelName::parse(model).ok_or_else(|| ScriptError::bad_name("this script", model))?;
        let card = Card { capabilities: vec!["completion".to_owned()], ..Card::named(name.clone()) };
        let defaults = ModelDefaults {
            load: Duration::from_millis(1),
            prompt_eval: Duration::from_millis(99),
            gap: Duration::from_millis(20),
            ..ModelDefaults::default()
        };
        let rule = Rule::new(String::new(), any().models(vec![name]), vec![says(pieces)]);
        Ok(Self { models: vec![Scripted { card, defaults, embedding: None }], rules: vec![Arc::new(rule)] })
    }
}

impl Scripted {
    /// Returns whether it states an embedding.
    pub(crate) fn embeds(&self) -> bool {
        self.embedding.is_some()
    }

    /// Returns the vector of a text, not normalised, and its tokens: one a word.
    ///
    /// # Errors
    /// The text of the runner's failure.
    pub fn embed(&self, text: &str) -> Result<(Vec<f32>, u64), String> {
        let Some(form) = &self.embedding else { return Ok((Vec::new(), 0)) };
        if form.fails_on.as_ref().is_some_and(|word| text.contains(word.as_str())) {
            return Err(form.error.clone());
        }
        Ok((form.vector.clone(), text.split_whitespace().count() as u64))
    }
}
