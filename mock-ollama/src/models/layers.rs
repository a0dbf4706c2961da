//! The layers that a model consists of: what is pulled, pushed, made anew or used again (`manifest/layer.go`).
//!
//! Only the weights' digest is given; that of every other layer is computed from its text, as in the real server.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::Card;

/// What a layer holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LayerKind {
    /// The weights.
    Weights,
    /// The Go template.
    Template,
    /// The system text.
    System,
    /// A licence.
    Licence,
    /// The parameters.
    Parameters,
    /// The messages that every conversation begins with.
    Messages,
    /// The configuration, which the manifest names last.
    Config,
}

/// One layer of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// What it holds.
    pub kind: LayerKind,
    /// `sha256:` and 64 hexadecimal digits.
    pub digest: String,
    /// Its length in bytes.
    pub size: u64,
}

impl Layer {
    /// A layer with this content.
    pub fn of(kind: LayerKind, content: &str) -> Self {
        Self { kind, digest: sha256(content.as_bytes()), size: content.len() as u64 }
    }
}

/// The SHA-256 of some bytes: `sha256:` and 64 hexadecimal digits in lower case.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold("sha256:".to_owned(), |mut out, byte| {
        // Writing to a string cannot fail.
        let _ = write!(out, "{byte:02x}");
        out
    })
}

impl Card {
    /// The layers of this model in the order of its manifest, the configuration last. The weights are as long as is
    /// left of the model's size.
    pub fn layers(&self) -> Vec<Layer> {
        let mut layers = Vec::new();
        let mut push = |kind, content: Option<String>| layers.extend(content.map(|content| Layer::of(kind, &content)));
        push(LayerKind::Template, self.template.clone());
        push(LayerKind::System, self.system.clone().filter(|system| !system.is_empty()));
        for licence in &self.licences {
            push(LayerKind::Licence, Some(licence.clone()));
        }
        push(LayerKind::Parameters, self.parameters_json());
        push(LayerKind::Messages, self.messages_json());
        push(LayerKind::Config, Some(self.config_json()));
        let others: u64 = layers.iter().map(|layer| layer.size).sum();
        let digest = format!("sha256:{}", self.weights);
        layers.insert(0, Layer { kind: LayerKind::Weights, digest, size: self.size.saturating_sub(others) });
        layers
    }

    fn parameters_json(&self) -> Option<String> {
        let mut sorted: Vec<&(String, Value)> = self.parameters.iter().collect();
        sorted.sort_by(|one, other| one.0.cmp(&other.0));
        let mut map = Map::new();
        for (key, value) in sorted {
            match map.get_mut(key) {
                None if key == "stop" => drop(map.insert(key.clone(), json!([value]))),
                Some(Value::Array(values)) => values.push(value.clone()),
                Some(first) => *first = json!([first, value]),
                None => drop(map.insert(key.clone(), value.clone())),
            }
        }
        (!map.is_empty()).then(|| Value::Object(map).to_string())
    }

    fn messages_json(&self) -> Option<String> {
        let entries = self.messages.iter().map(|(role, content)| json!({ "role": role, "content": content }));
        (!self.messages.is_empty()).then(|| Value::Array(entries.collect()).to_string())
    }

    fn config_json(&self) -> String {
        let details = &self.details;
        let config = json!({
            "model_format": details.format,
            "model_family": details.family,
            "model_families": details.families,
            "model_type": details.parameter_size,
            "file_type": details.quantization_level,
            "renderer": self.renderer,
            "parser": self.parser,
            "requires": self.requires,
        });
        config.to_string()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Layer, LayerKind, sha256};
    use crate::models::{Card, ModelName};

    #[test]
    fn a_digest_is_that_of_the_bytes() {
        assert_eq!(sha256(b"hello"), "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
    }

    #[test]
    fn a_model_has_a_layer_for_all_that_is_set_and_its_configuration_last() {
        let mut card = Card::named(ModelName::parse("m").unwrap());
        card.template = Some("t".to_owned());
        card.licences = vec!["a".to_owned(), "b".to_owned()];
        card.parameters = vec![("stop".to_owned(), json!("x")), ("stop".to_owned(), json!("y"))];
        card.size = 100_000;
        let layers = card.layers();
        let kinds: Vec<LayerKind> = layers.iter().map(|layer| layer.kind).collect();
        let licence = LayerKind::Licence;
        let expected =
            [LayerKind::Weights, LayerKind::Template, licence, licence, LayerKind::Parameters, LayerKind::Config];
        assert_eq!(kinds, expected);
        assert_eq!(layers[4], Layer::of(LayerKind::Parameters, r#"{"stop":["x","y"]}"#));
        assert_eq!(layers.iter().map(|layer| layer.size).sum::<u64>(), 100_000);
    }
}
