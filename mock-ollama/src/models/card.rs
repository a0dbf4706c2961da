//! Everything that listings and `/api/show` say of a model.

use serde_json::{Map, Value};

use super::ModelName;
use crate::recording::{Details, Model};

/// Everything that listings and `/api/show` say of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Card {
    /// Its name.
    pub name: ModelName,
    /// The model whose recordings and script answer for it: its own name, or that of what it was made from.
    pub answers_as: ModelName,
    /// What it can do, in the order of `/api/show`; empty where nothing is known, and then nothing is refused.
    pub capabilities: Vec<String>,
    /// The same as `/api/tags` lists it, where that differs.
    pub listed_capabilities: Option<Vec<String>>,
    /// Family, size and quantisation.
    pub details: Details,
    /// All layers, in bytes.
    pub size: u64,
    /// 64 hexadecimal digits, without a `sha256:` prefix.
    pub digest: String,
    /// The same of the layer that holds the weights; models that share it share a runner.
    pub weights: String,
    /// When it was last changed, RFC 3339.
    pub modified_at: String,
    /// The Go template, as the modelfile has it.
    pub template: Option<String>,
    /// The template inside the weights' file, which `/api/show` shows instead of the Go template.
    pub chat_template: Option<String>,
    /// The system text.
    pub system: Option<String>,
    /// Its parameters, in the order in which they are shown; a parameter with several values stands there several times.
    pub parameters: Vec<(String, Value)>,
    /// Its licences.
    pub licences: Vec<String>,
    /// The messages that every conversation begins with: role and content.
    pub messages: Vec<(String, String)>,
    /// The built-in renderer.
    pub renderer: Option<String>,
    /// The built-in parser.
    pub parser: Option<String>,
    /// The server version that it needs.
    pub requires: Option<String>,
    /// The metadata of the weights' file.
    pub model_info: Map<String, Value>,
    /// The metadata of its projector.
    pub projector_info: Option<Map<String, Value>>,
    /// The tensors of the weights' file.
    pub tensors: Vec<Tensor>,
    /// Whether it is there from the start; a model that is not appears when it is pulled.
    pub installed: bool,
}

/// A tensor of a weights' file.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tensor {
    /// Its name.
    pub name: String,
    /// Its number type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its dimensions.
    pub shape: Vec<u64>,
}

/// How a model takes several requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Batching {
    /// As many at once as it is set to.
    Together,
    /// One at a time, whatever it is set to.
    OneByOne,
}

/// The families whose models answer one request at a time (`server/sched.go`, `load`).
const ONE_BY_ONE: [&str; 11] = [
    "lfm2",
    "lfm2moe",
    "mllama",
    "nemotron_h",
    "nemotron_h_moe",
    "nemotron_h_omni",
    "qwen35",
    "qwen35moe",
    "qwen3next",
    "qwen3vl",
    "qwen3vlmoe",
];

impl Card {
    /// A model of which nothing but the name is known.
    pub fn named(name: ModelName) -> Self {
        const UNKNOWN: &str = "0000000000000000000000000000000000000000000000000000000000000000";
        Self {
            answers_as: name.clone(),
            name,
            capabilities: Vec::new(),
            listed_capabilities: None,
            details: Details::default(),
            size: 0,
            digest: UNKNOWN.to_owned(),
            weights: UNKNOWN.to_owned(),
            modified_at: "1970-01-01T00:00:00Z".to_owned(),
            template: None,
            chat_template: None,
            system: None,
            parameters: Vec::new(),
            licences: Vec::new(),
            messages: Vec::new(),
            renderer: None,
            parser: None,
            requires: None,
            model_info: Map::new(),
            projector_info: None,
            tensors: Vec::new(),
            installed: true,
        }
    }

    /// What a recording tells of its model; `None` when its name breaks the grammar.
    pub fn of_recording(model: &Model) -> Option<Self> {
        let mut card = Self::named(ModelName::parse(&model.name)?);
        card.capabilities.clone_from(&model.capabilities);
        card.details = model.details.clone().unwrap_or_default();
        card.size = model.size.unwrap_or_default();
        if let Some(digest) = &model.digest {
            card.digest.clone_from(digest);
            card.weights.clone_from(digest);
        }
        if let Some(modified_at) = &model.modified_at {
            card.modified_at.clone_from(modified_at);
        }
        Some(card)
    }

    /// How it takes several requests: one by one where it only embeds, or where its family is not safe otherwise.
    pub fn batching(&self) -> Batching {
        let alone = !self.can("completion") || ONE_BY_ONE.contains(&self.details.family.as_str());
        if alone { Batching::OneByOne } else { Batching::Together }
    }

    /// Whether the model can do this, as far as is known.
    pub fn can(&self, capability: &str) -> bool {
        self.capabilities.is_empty() || self.capabilities.iter().any(|known| known == capability)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::{Batching, Card};
    use crate::models::ModelName;
    use crate::recording::Details;

    #[rstest]
    #[case("llama", &["completion", "tools"], Batching::Together)]
    #[case("qwen3", &["completion", "embedding"], Batching::Together)]
    #[case("llama", &[], Batching::Together)]
    #[case("", &[], Batching::Together)]
    #[case("qwen3next", &["completion"], Batching::OneByOne)]
    #[case("mllama", &[], Batching::OneByOne)]
    #[case("bert", &["embedding"], Batching::OneByOne)]
    fn what_only_embeds_and_some_families_are_asked_one_by_one(
        #[case] family: &str,
        #[case] capabilities: &[&str],
        #[case] expected: Batching,
    ) {
        let card = Card {
            details: Details { family: family.to_owned(), ..Details::default() },
            capabilities: capabilities.iter().map(|&one| one.to_owned()).collect(),
            ..Card::named(ModelName::parse("m").unwrap())
        };
        assert_eq!(card.batching(), expected);
    }
}
