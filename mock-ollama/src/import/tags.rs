//! Model facts out of an `/api/tags` answer (Ollama `api/types.go`, `ListResponse`).

use serde::Deserialize;

use super::convert::Input;
use super::error::ImportError;
use super::raw_capture;
use super::text::Text;
use crate::recording::{Details, Model};

/// The models that a server lists.
#[derive(Clone, Debug)]
pub struct Tags {
    label: String,
    models: Vec<Model>,
}

#[derive(Deserialize)]
struct Listing {
    models: Vec<ListedModel>,
}

/// As on the wire: unknown keys are passed over, because each server version lists a few more facts.
#[derive(Deserialize)]
struct ListedModel {
    name: String,
    #[serde(default)]
    capabilities: Vec<String>,
    size: Option<u64>,
    digest: Option<String>,
    modified_at: Option<String>,
    details: Option<ListedDetails>,
}

#[derive(Deserialize)]
struct ListedDetails {
    #[serde(default)]
    parent_model: String,
    #[serde(default)]
    format: String,
    #[serde(default)]
    family: String,
    #[serde(default)]
    families: Option<Vec<String>>,
    #[serde(default)]
    parameter_size: String,
    #[serde(default)]
    quantization_level: String,
    context_length: Option<u64>,
    embedding_length: Option<u64>,
}

impl Tags {
    /// Reads the body of an `/api/tags` answer, or a raw capture of one.
    pub fn read(input: &Input<'_>) -> Result<Self, ImportError> {
        let text = Text::of(input)?;
        let input = &Input { bytes: &text.bytes, ..*input };
        let captured = raw_capture::import(input).ok().map(|imported| imported.exchange.body());
        let listing: Listing = serde_json::from_slice(captured.as_deref().unwrap_or(input.bytes)).map_err(|error| {
            ImportError::NotAnswer { label: input.label.to_owned(), line: error.line(), message: error.to_string() }
        })?;
        let models = listing.models.into_iter().map(Model::from).collect();
        Ok(Self { label: input.label.to_owned(), models })
    }

    /// The model called `name`, where a missing tag means `latest`.
    pub fn find(&self, name: &str) -> Result<&Model, ImportError> {
        let listed = Self::listed_name(name);
        self.models.iter().find(|model| model.name == listed).ok_or_else(|| {
            let names: Vec<&str> = self.models.iter().map(|model| model.name.as_str()).collect();
            ImportError::NotListed { label: self.label.clone(), model: listed, listed: names.join(", ") }
        })
    }

    /// `name` as a server lists it: with the tag `latest` where it has none (Ollama `types/model/name.go`).
    pub(super) fn listed_name(name: &str) -> String {
        let has_tag = name.rsplit('/').next().is_some_and(|last| last.contains(':'));
        if has_tag { name.to_owned() } else { format!("{name}:latest") }
    }
}

impl From<ListedModel> for Model {
    fn from(listed: ListedModel) -> Self {
        Self {
            name: listed.name,
            capabilities: listed.capabilities,
            details: listed.details.map(Details::from),
            size: listed.size,
            digest: listed.digest,
            modified_at: listed.modified_at,
        }
    }
}

impl From<ListedDetails> for Details {
    fn from(listed: ListedDetails) -> Self {
        // A model made from a local file has a path of that machine as its parent.
        let is_path = listed.parent_model.starts_with('/') || listed.parent_model.contains('\\');
        Self {
            parent_model: if is_path { String::new() } else { listed.parent_model },
            format: listed.format,
            family: listed.family,
            families: listed.families,
            parameter_size: listed.parameter_size,
            quantization_level: listed.quantization_level,
            context_length: listed.context_length,
            embedding_length: listed.embedding_length,
        }
    }
}
