//! The native objects that the server makes itself, fields in wire order (`api/types.go`).

use jiff::Timestamp;
use serde::Serialize;

use super::{Endpoint, to_go_json};
use crate::recording::{Details, Model};

/// Serialises one of this module's own types, whose `Serialize` cannot fail.
fn json<T: Serialize>(value: &T) -> String {
    to_go_json(value).unwrap_or_default()
}

/// RFC 3339 in UTC with the trailing zeros of the fraction removed, as Go prints it.
pub fn rfc3339(unix_nanos: u64) -> String {
    Timestamp::from_nanosecond(i128::from(unix_nanos)).unwrap_or(Timestamp::UNIX_EPOCH).to_string()
}

/// `{"error":"…"}`
pub fn error_body(text: &str) -> String {
    #[derive(Serialize)]
    struct Error<'a> {
        error: &'a str,
    }
    json(&Error { error: text })
}

/// The error of a request that no recording answers; the mock's own, so it says so.
pub fn miss_body(why: &str) -> String {
    error_body(&format!("mock-ollama: {why}"))
}

/// `{"version":"…"}`
pub fn version_body(version: &str) -> String {
    #[derive(Serialize)]
    struct Version<'a> {
        version: &'a str,
    }
    json(&Version { version })
}

/// The single object that answers a request with nothing to generate: `done_reason` is `load` or `unload`.
pub fn load_object(endpoint: Endpoint, model: &str, created_at: &str, done_reason: &str) -> String {
    #[derive(Serialize)]
    struct Message {
        role: &'static str,
        content: &'static str,
    }
    #[derive(Serialize)]
    struct Load<'a> {
        model: &'a str,
        created_at: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        message: Option<Message>,
        #[serde(skip_serializing_if = "Option::is_none")]
        response: Option<&'static str>,
        done: bool,
        done_reason: &'a str,
    }
    let chat = endpoint == Endpoint::Chat;
    json(&Load {
        model,
        created_at,
        message: chat.then_some(Message { role: "assistant", content: "" }),
        response: (!chat).then_some(""),
        done: true,
        done_reason,
    })
}

/// A model that is loaded, for `/api/ps`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadedModel<'a> {
    /// The model.
    pub model: &'a Model,
    /// When it is unloaded, RFC 3339.
    pub expires_at: String,
}

/// The body of `/api/tags`; `models` in the order in which they are listed.
pub fn tags_body<'a>(models: impl IntoIterator<Item = &'a Model>) -> String {
    #[derive(Serialize)]
    struct Entry<'a> {
        name: &'a str,
        model: &'a str,
        modified_at: &'a str,
        size: u64,
        digest: &'a str,
        details: Details,
        #[serde(skip_serializing_if = "<[String]>::is_empty")]
        capabilities: &'a [String],
    }
    let entries = models.into_iter().map(|model| Entry {
        name: &model.name,
        model: &model.name,
        modified_at: modified_at(model),
        size: model.size.unwrap_or_default(),
        digest: digest(model),
        details: model.details.clone().unwrap_or_default(),
        capabilities: &model.capabilities,
    });
    list(entries.collect())
}

/// The body of `/api/ps`; `models` in the order in which they are listed.
pub fn ps_body(models: &[LoadedModel<'_>]) -> String {
    #[derive(Serialize)]
    struct Entry<'a> {
        name: &'a str,
        model: &'a str,
        size: u64,
        digest: &'a str,
        details: Details,
        expires_at: &'a str,
        size_vram: u64,
        context_length: u64,
    }
    let entries = models.iter().map(|loaded| Entry {
        name: &loaded.model.name,
        model: &loaded.model.name,
        size: loaded.model.size.unwrap_or_default(),
        digest: digest(loaded.model),
        details: without_lengths(loaded.model),
        expires_at: &loaded.expires_at,
        size_vram: 0,
        context_length: loaded.model.details.as_ref().and_then(|details| details.context_length).unwrap_or_default(),
    });
    list(entries.collect())
}

/// The body of `/api/show`: details, capabilities, and the facts that always stand there.
pub fn show_body(model: &Model) -> String {
    #[derive(Serialize)]
    struct ModelInfo<'a> {
        #[serde(rename = "general.architecture")]
        architecture: &'a str,
    }
    #[derive(Serialize)]
    struct Show<'a> {
        details: Details,
        model_info: ModelInfo<'a>,
        #[serde(skip_serializing_if = "<[String]>::is_empty")]
        capabilities: &'a [String],
        modified_at: &'a str,
    }
    let details = without_lengths(model);
    let architecture = details.family.clone();
    json(&Show {
        details,
        model_info: ModelInfo { architecture: &architecture },
        capabilities: &model.capabilities,
        modified_at: modified_at(model),
    })
}

fn list<T: Serialize>(models: Vec<T>) -> String {
    #[derive(Serialize)]
    struct List<T> {
        models: Vec<T>,
    }
    json(&List { models })
}

/// Only `/api/tags` lists the two lengths.
fn without_lengths(model: &Model) -> Details {
    let details = model.details.clone().unwrap_or_default();
    Details { parent_model: String::new(), context_length: None, embedding_length: None, ..details }
}

fn modified_at(model: &Model) -> &str {
    model.modified_at.as_deref().unwrap_or("1970-01-01T00:00:00Z")
}

/// Clients slice the first twelve digits of it, so there always is one.
fn digest(model: &Model) -> &str {
    const UNKNOWN: &str = "0000000000000000000000000000000000000000000000000000000000000000";
    model.digest.as_deref().unwrap_or(UNKNOWN)
}

#[cfg(test)]
mod tests {
    use super::{LoadedModel, error_body, load_object, ps_body, rfc3339, show_body, tags_body};
    use crate::dialect::Endpoint;
    use crate::recording::{Details, Model};

    fn tiny() -> Model {
        Model {
            name: "tiny:latest".to_owned(),
            capabilities: vec!["completion".to_owned(), "tools".to_owned()],
            details: Some(Details {
                format: "gguf".to_owned(),
                family: "llama".to_owned(),
                families: Some(vec!["llama".to_owned()]),
                parameter_size: "1.2B".to_owned(),
                quantization_level: "Q4_K_M".to_owned(),
                context_length: Some(8192),
                embedding_length: Some(2048),
                parent_model: String::new(),
            }),
            size: Some(815),
            digest: Some("8648".to_owned()),
            modified_at: Some("2026-07-30T18:22:41.907Z".to_owned()),
        }
    }

    #[test]
    fn listings_have_their_fields_in_wire_order() {
        let tiny = tiny();
        let loaded = [LoadedModel { model: &tiny, expires_at: "2026-08-01T10:09:00.450201Z".to_owned() }];
        insta::assert_snapshot!([tags_body([&tiny]), ps_body(&loaded), show_body(&tiny)].join("\n"));
    }

    #[test]
    fn empty_listings_are_empty_arrays() {
        assert_eq!(tags_body([]), r#"{"models":[]}"#);
        assert_eq!(ps_body(&[]), r#"{"models":[]}"#);
    }

    #[test]
    fn a_time_has_the_trailing_zeros_of_its_fraction_removed() {
        assert_eq!(rfc3339(1_785_578_400_120_000_000), "2026-08-01T10:00:00.12Z");
        assert_eq!(rfc3339(1_785_578_400_000_000_000), "2026-08-01T10:00:00Z");
    }

    #[test]
    fn a_load_is_one_object_per_dialect() {
        let objects = [Endpoint::Generate, Endpoint::Chat].map(|endpoint| load_object(endpoint, "M", "t", "load"));
        insta::assert_snapshot!(objects.join("\n"), @r#"
        {"model":"M","created_at":"t","response":"","done":true,"done_reason":"load"}
        {"model":"M","created_at":"t","message":{"role":"assistant","content":""},"done":true,"done_reason":"load"}
        "#);
    }

    #[test]
    fn an_error_text_is_escaped_as_go_does() {
        assert_eq!(error_body("boom <x>"), r#"{"error":"boom \u003cx\u003e"}"#);
    }
}
