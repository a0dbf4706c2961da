//! Model facts out of an `/api/tags` answer (Ollama `api/types.go`, `ListResponse`).

use serde::Deserialize;
use serde_json::{Map, Value};

use super::error::{ImportError, InputProblem, Located};
use super::input::{Input, Utf8Input};
use super::raw_capture;
use crate::recording::Model;

/// The facts of a model that are kept. Each server version lists a few more.
const MODEL_KEYS: &[&str] = &["name", "capabilities", "details", "size", "digest", "modified_at"];

/// The details of a model that are kept.
const DETAIL_KEYS: &[&str] = &[
    "parent_model",
    "format",
    "family",
    "families",
    "parameter_size",
    "quantization_level",
    "context_length",
    "embedding_length",
];

/// The models that a server lists.
#[derive(Clone, Debug)]
pub struct Tags {
    label: String,
    models: Vec<Model>,
}

#[derive(Deserialize)]
struct Listing {
    models: Vec<Map<String, Value>>,
}

impl Tags {
    /// Reads the body of an `/api/tags` answer, or a raw capture of one.
    ///
    /// # Errors
    ///
    /// [`ImportError`] names the input, and what in it is no listing of models.
    pub fn read(input: &Input<'_>) -> Result<Self, ImportError> {
        let models = models(input.bytes).map_err(|error| error.of_input(input.label))?;
        Ok(Self { label: input.label.to_owned(), models })
    }

    /// Returns the model called `name`, where a missing tag means `latest`.
    ///
    /// # Errors
    ///
    /// [`ImportError`] names the models that are listed.
    pub fn find(&self, name: &str) -> Result<&Model, ImportError> {
        let model = listed_name(name);
        self.models.iter().find(|known| known.name == model).ok_or_else(|| {
            let names: Vec<&str> = self.models.iter().map(|model| model.name.as_str()).collect();
            let message = format!("no model {model:?} is listed; listed are {}", names.join(", "));
            Located::from(InputProblem::Other(message)).of_input(&self.label)
        })
    }
}

/// Returns `name` as a server lists it: with the tag `latest` where it has none (Ollama `types/model/name.go`).
pub(super) fn listed_name(name: &str) -> String {
    let has_tag = name.rsplit('/').next().is_some_and(|last| last.contains(':'));
    if has_tag { name.to_owned() } else { format!("{name}:latest") }
}

fn models(bytes: &[u8]) -> Result<Vec<Model>, Located> {
    let text = Utf8Input::of(bytes)?;
    let captured = raw_capture::import(&text.bytes).ok().map(|imported| imported.exchange.body());
    let listing: Listing = serde_json::from_slice(captured.as_deref().unwrap_or(&text.bytes))
        .map_err(|error| InputProblem::NotAnswer(error.to_string()).at_line(error.line()))?;
    let models = listing.models.into_iter().map(|listed| {
        model(listed).map_err(|error| InputProblem::NotAnswer(format!("a listed model: {error}")).into())
    });
    models.collect()
}

fn model(mut listed: Map<String, Value>) -> serde_json::Result<Model> {
    listed.retain(|key, _| MODEL_KEYS.contains(&key.as_str()));
    if let Some(details) = listed.get_mut("details").and_then(Value::as_object_mut) {
        details.retain(|key, _| DETAIL_KEYS.contains(&key.as_str()));
    }
    let mut model: Model = serde_json::from_value(Value::Object(listed))?;
    if let Some(details) = &mut model.details
        && (details.parent_model.starts_with('/') || details.parent_model.contains('\\'))
    {
        // A model made from a local file has a path of that host as its parent.
        details.parent_model.clear();
    }
    Ok(model)
}
