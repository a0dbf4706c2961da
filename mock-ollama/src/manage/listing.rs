//! The bodies that list models: `/api/tags`, `/api/ps`, `/v1/models`; and what the server says of itself.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::clock::WallAnchor;
use crate::go_json::{rfc3339, to_string};
use crate::models::{Card, Loaded};
use crate::recording::Details;

/// The longest context that a runner gets unless its model says otherwise, in tokens (`server/routes.go`).
const DEFAULT_CONTEXT: u64 = 4096;

/// The body of `/api/version`.
pub fn version(version: &str) -> String {
    to_string(&json!({ "version": version }))
}

/// The body of `/api/status`: a server without cloud, because its environment says so.
pub fn status() -> String {
    r#"{"cloud":{"disabled":true,"source":"env"}}"#.to_owned()
}

/// The body of `/api/tags`; `cards` in the order in which they are listed.
pub fn tags(cards: &[&Card]) -> String {
    let models = cards.iter().map(|card| {
        let mut entry = json!({
            "name": card.name.as_str(),
            "model": card.name.as_str(),
            "modified_at": card.modified_at,
            "size": card.size,
            "digest": card.digest,
            "details": card.details,
        });
        let capabilities = card.listed_capabilities.as_ref().unwrap_or(&card.capabilities);
        if !capabilities.is_empty() {
            entry["capabilities"] = json!(capabilities);
        }
        entry
    });
    to_string(&json!({ "models": models.collect::<Vec<_>>() }))
}

/// The body of `/api/ps`; `loaded` in the order in which it is listed.
pub fn ps(loaded: &[Loaded<'_>], wall: WallAnchor) -> String {
    let models = loaded.iter().map(|Loaded { card, expires }| {
        json!({
            "name": card.name.as_str(),
            "model": card.name.as_str(),
            "size": card.size,
            "digest": card.digest,
            "details": Details { parent_model: String::new(), ..without_lengths(card) },
            "expires_at": rfc3339(wall.unix_nanos(*expires)),
            "size_vram": 0,
            "context_length": context_length(card),
        })
    });
    to_string(&json!({ "models": models.collect::<Vec<_>>() }))
}

/// Only `/api/tags` lists the two lengths among the details.
pub(super) fn without_lengths(card: &Card) -> Details {
    Details { context_length: None, embedding_length: None, ..card.details.clone() }
}

/// What a runner of this model is loaded with, in tokens: `num_ctx` where the model sets it, else the default, but
/// never more than the model was made for.
fn context_length(card: &Card) -> u64 {
    let parameter = card.parameters.iter().rev().find(|(key, _)| key == "num_ctx");
    let wanted = parameter.and_then(|(_, value)| value.as_u64()).unwrap_or(DEFAULT_CONTEXT);
    card.details.context_length.map_or(wanted, |longest| wanted.min(longest))
}

/// One model as `OpenAI` lists it; `id` is the name as it is asked for.
fn openai_entry(card: &Card, id: &str) -> Value {
    let created = card.modified_at.parse().unwrap_or(Timestamp::UNIX_EPOCH).as_second();
    let owned_by = card.name.as_str().rsplit('/').nth(1).unwrap_or("library");
    json!({ "id": id, "object": "model", "created": created, "owned_by": owned_by })
}

/// The body of `/v1/models`, which ends in a newline; without models `data` is `null`.
pub fn openai_models(cards: &[&Card]) -> String {
    let entries: Vec<Value> = cards.iter().map(|card| openai_entry(card, card.name.as_str())).collect();
    let data = if entries.is_empty() { Value::Null } else { Value::Array(entries) };
    to_string(&json!({ "object": "list", "data": data })) + "\n"
}

/// The body of `/v1/models/:model`, which ends in a newline; `id` is the name as it is asked for.
pub fn openai_model(card: &Card, id: &str) -> String {
    to_string(&openai_entry(card, id)) + "\n"
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::{context_length, openai_model, openai_models, ps, tags};
    use crate::clock::{Instant, WallAnchor};
    use crate::models::{Card, Loaded, ModelName};
    use crate::recording::Details;

    fn tiny() -> Card {
        Card {
            capabilities: vec!["tools".to_owned(), "completion".to_owned()],
            listed_capabilities: Some(vec!["completion".to_owned(), "tools".to_owned()]),
            details: Details {
                parent_model: "base:latest".to_owned(),
                format: "gguf".to_owned(),
                family: "llama".to_owned(),
                parameter_size: "1.2B".to_owned(),
                quantization_level: "Q4_K_M".to_owned(),
                context_length: Some(8192),
                embedding_length: Some(2048),
                families: None,
            },
            size: 815,
            digest: "8648".to_owned(),
            modified_at: "2026-07-30T18:22:41.907Z".to_owned(),
            ..Card::named(ModelName::parse("tiny").unwrap())
        }
    }

    #[test]
    fn w_073_listings_have_their_fields_in_wire_order() {
        let card = tiny();
        let loaded = [Loaded { card: &card, expires: Instant::from_nanos(5_120_000_000) }];
        let wall = WallAnchor { at: Instant::ZERO, unix_nanos: 1_785_578_400_000_000_000 };
        insta::assert_snapshot!([tags(&[&card]), ps(&loaded, wall)].join("\n"), @r#"
        {"models":[{"name":"tiny:latest","model":"tiny:latest","modified_at":"2026-07-30T18:22:41.907Z","size":815,"digest":"8648","details":{"parent_model":"base:latest","format":"gguf","family":"llama","families":null,"parameter_size":"1.2B","quantization_level":"Q4_K_M","context_length":8192,"embedding_length":2048},"capabilities":["completion","tools"]}]}
        {"models":[{"name":"tiny:latest","model":"tiny:latest","size":815,"digest":"8648","details":{"parent_model":"","format":"gguf","family":"llama","families":null,"parameter_size":"1.2B","quantization_level":"Q4_K_M"},"expires_at":"2026-08-01T10:00:05.12Z","size_vram":0,"context_length":4096}]}
        "#);
    }

    #[test]
    fn w_070_empty_listings_are_empty_arrays() {
        let wall = WallAnchor { at: Instant::ZERO, unix_nanos: 0 };
        assert_eq!([tags(&[]), ps(&[], wall)], [r#"{"models":[]}"#; 2]);
    }

    #[test]
    fn w_099_a_listing_for_openai_without_models_is_null() {
        assert_eq!(openai_models(&[]), "{\"object\":\"list\",\"data\":null}\n");
    }

    #[test]
    fn a_model_for_openai_has_the_id_that_was_asked_for_and_its_namespace_as_owner() {
        let card = Card { name: ModelName::parse("ns/tiny").unwrap(), ..tiny() };
        let expected = "{\"id\":\"NS/Tiny\",\"object\":\"model\",\"created\":1785435761,\"owned_by\":\"ns\"}\n";
        assert_eq!(openai_model(&card, "NS/Tiny"), expected);
        assert!(openai_models(&[&tiny()]).contains(r#""owned_by":"library""#));
    }

    #[rstest]
    #[case::default(None, Some(8192), 4096)]
    #[case::short_model(None, Some(512), 512)]
    #[case::asked_for(Some(6000), Some(8192), 6000)]
    #[case::nothing_known(None, None, 4096)]
    fn a_loaded_model_has_a_context(#[case] asked: Option<u64>, #[case] longest: Option<u64>, #[case] expected: u64) {
        let mut card = tiny();
        card.details.context_length = longest;
        card.parameters.extend(asked.map(|asked| ("num_ctx".to_owned(), json!(asked))));
        assert_eq!(context_length(&card), expected);
    }
}
