//! The model that a create makes of its source.

use serde_json::Value;

use super::request::CreateRequest;
use crate::models::{Card, LayerKind, ModelName, Store, sha256};
use crate::recording::Details;

/// The model of this name that is made from another one.
pub(super) fn derived(request: &CreateRequest, name: ModelName, from: &Card) -> Card {
    let weights = size_of(from, LayerKind::Weights);
    let mut card = Card { name, ..from.clone() };
    card.details.parent_model = from.name.to_string();
    apply(request, &mut card);
    seal(&mut card, weights);
    card
}

/// The model of this name that is made from uploaded files, of which nothing but their lengths is known.
pub(super) fn imported(request: &CreateRequest, name: ModelName, files: &[String], store: &Store) -> Card {
    let mut card = Card::named(name);
    card.capabilities = vec!["completion".to_owned()];
    card.details = Details { format: "gguf".to_owned(), ..Details::default() };
    let size = files.iter().filter_map(|digest| store.upload(digest)).sum();
    // A single file stays as it is; several become one.
    card.weights = match files {
        [only] => digits(only),
        several => digits(&sha256(several.concat().as_bytes())),
    };
    apply(request, &mut card);
    seal(&mut card, size);
    card
}

/// Brings the weights to another type; how much shorter that makes them is not known.
pub(super) fn requantize(card: &mut Card, level: &str) {
    let weights = size_of(card, LayerKind::Weights);
    level.clone_into(&mut card.details.quantization_level);
    card.weights = digits(&sha256(format!("{} {level}", card.weights).as_bytes()));
    seal(card, weights);
}

fn apply(request: &CreateRequest, card: &mut Card) {
    let replace = |text: &str, old: &mut Option<String>| {
        if !text.is_empty() {
            *old = Some(text.to_owned());
        }
    };
    replace(&request.template, &mut card.template);
    replace(&request.system, &mut card.system);
    replace(&request.renderer, &mut card.renderer);
    replace(&request.parser, &mut card.parser);
    replace(&request.requires, &mut card.requires);
    card.licences.extend(request.licences.iter().cloned());
    if !request.messages.is_empty() {
        let part = |message: &Value, key: &str| message[key].as_str().unwrap_or_default().to_owned();
        card.messages = request.messages.iter().map(|one| (part(one, "role"), part(one, "content"))).collect();
    }
    card.parameters.retain(|(key, _)| !request.parameters.contains_key(key));
    for (key, value) in request.parameters.iter().filter(|(_, value)| !value.is_null()) {
        let values: Vec<Value> = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
        card.parameters.extend(values.into_iter().map(|value| (key.clone(), value)));
    }
    // The sort is stable: several values of one parameter keep their order.
    card.parameters.sort_by(|one, other| one.0.cmp(&other.0));
}

/// Sets what follows from the layers: the model's length and digest.
fn seal(card: &mut Card, weights: u64) {
    card.installed = true;
    card.size = 0;
    let others: u64 = card.layers().iter().map(|layer| layer.size).sum();
    card.size = weights.saturating_add(others);
    let manifest: String = card.layers().into_iter().map(|layer| layer.digest).collect();
    card.digest = digits(&sha256(manifest.as_bytes()));
}

fn size_of(card: &Card, kind: LayerKind) -> u64 {
    card.layers().iter().filter(|layer| layer.kind == kind).map(|layer| layer.size).sum()
}

fn digits(digest: &str) -> String {
    digest.trim_start_matches("sha256:").to_owned()
}
