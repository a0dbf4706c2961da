//! What an object of an answer says of itself, in any dialect.

use std::borrow::Cow;

use serde_json::Value;

use crate::dialect::{self, DIALECTS, WireFormat};
use crate::http::has_route;
use crate::recording::Method;

/// The routes of model management whose answers are JSON lines (Ollama `server/routes.go`).
const STREAMS_OF_PROGRESS: &[&str] = &["/api/pull", "/api/push", "/api/create"];

/// Returns the method by which `path` is asked for its answer.
pub(super) fn method_of(path: &str) -> Method {
    let is_registered = |method: &Method| has_route(method.as_str(), path, &dialect::routes());
    // A model whose name has a slash has no route, but is asked for all the same.
    let otherwise = if path.starts_with("/v1/models/") { Method::Get } else { Method::Post };
    [Method::Post, Method::Get, Method::Delete].into_iter().find(is_registered).unwrap_or(otherwise)
}

/// Returns whether `path` answers with JSON lines unless it is asked not to.
pub(super) fn streams_lines(path: &str) -> bool {
    STREAMS_OF_PROGRESS.contains(&path) || dialect::at(path).is_some_and(WireFormat::is_native)
}

/// Returns whether `path` answers with what a model says.
pub(super) fn is_of_model(path: &str) -> bool {
    dialect::at(path).is_some()
}

/// Returns the route whose answers hold such an object.
pub(super) fn path_of(value: &Value) -> Option<Cow<'static, str>> {
    match value["object"].as_str().unwrap_or_default() {
        "model" => return Some(format!("/v1/models/{}", value["id"].as_str()?).into()),
        "list" => match value["data"][0]["object"].as_str()? {
            "embedding" => return Some("/v1/embeddings".into()),
            "model" => return Some("/v1/models".into()),
            _ => return None,
        },
        _ => {}
    }
    let dialect = DIALECTS.into_iter().find(|dialect| dialect.shows(value)).map(WireFormat::route);
    dialect.or_else(|| managed_path_of(value)).map(Cow::Borrowed)
}

/// `api/types.go`
fn managed_path_of(value: &Value) -> Option<&'static str> {
    let has = |key: &str| value.get(key).is_some();
    let first = &value["models"][0];
    Some(match () {
        () if value["embeddings"].is_array() => "/api/embed",
        () if value["embedding"].is_array() => "/api/embeddings",
        () if first.get("expires_at").is_some() => "/api/ps",
        () if first.get("name").is_some() => "/api/tags",
        () if value["version"].is_string() => "/api/version",
        () if has("details") && (has("modelfile") || has("model_info") || has("template")) => "/api/show",
        () if value["cloud"].is_object() => "/api/status",
        () if is_progress(value) => match value["status"].as_str()? {
            status if status.starts_with("pulling") => "/api/pull",
            "retrieving manifest" => "/api/push",
            _ => return None,
        },
        () => return None,
    })
}

/// Returns the model that the object names.
pub(super) fn model_of(value: &Value) -> Option<&str> {
    let places = [&value["model"], &value["message"]["model"], &value["response"]["model"]];
    places.into_iter().find_map(Value::as_str).filter(|name| !name.trim().is_empty())
}

/// Returns whether the object is an error, in the envelope of any dialect.
pub(super) fn is_error(value: &Value) -> bool {
    let is_stated = value["error"].is_string() || value["error"].is_object();
    value["object"] == "error" || is_stated && value.get("object").is_none() && value.get("done").is_none()
}

/// Returns whether the object reports how far a pull, push or create has come. Such objects carry no time.
pub(super) fn is_progress(value: &Value) -> bool {
    value["status"].is_string() && value.get("created_at").is_none() && value.get("object").is_none()
}

/// Returns whether the object is one of a stream of events.
pub(super) fn is_event(value: &Value) -> bool {
    DIALECTS.into_iter().any(|dialect| dialect.is_event(value))
}

/// Returns whether a stream ends with the object.
pub(super) fn is_last(value: &Value) -> bool {
    let is_done = is_progress(value) && value["status"] == "success";
    is_done || is_error(value) || DIALECTS.into_iter().any(|dialect| dialect.ends(value))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::Value;

    use super::path_of;

    #[rstest]
    #[case(r#"{"model":"m","message":{"role":"assistant","content":""}}"#, "/api/chat")]
    #[case(r#"{"model":"m","response":""}"#, "/api/generate")]
    #[case(r#"{"model":"m","embeddings":[[1.0]]}"#, "/api/embed")]
    #[case(r#"{"embedding":[]}"#, "/api/embeddings")]
    #[case(r#"{"models":[{"name":"m","model":"m"}]}"#, "/api/tags")]
    #[case(r#"{"models":[{"name":"m","expires_at":"2026-01-01T00:00:00Z"}]}"#, "/api/ps")]
    #[case(r#"{"version":"0.33.0"}"#, "/api/version")]
    #[case(r#"{"modelfile":"","template":"","details":{}}"#, "/api/show")]
    #[case(r#"{"cloud":{"disabled":true}}"#, "/api/status")]
    #[case(r#"{"status":"pulling manifest"}"#, "/api/pull")]
    #[case(r#"{"status":"retrieving manifest"}"#, "/api/push")]
    #[case(r#"{"object":"chat.completion","choices":[]}"#, "/v1/chat/completions")]
    #[case(r#"{"object":"chat.completion.chunk","choices":[]}"#, "/v1/chat/completions")]
    #[case(r#"{"object":"text_completion","choices":[]}"#, "/v1/completions")]
    #[case(r#"{"object":"list","data":[{"object":"embedding"}]}"#, "/v1/embeddings")]
    #[case(r#"{"object":"list","data":[{"object":"model"}]}"#, "/v1/models")]
    #[case(r#"{"object":"model","id":"m:1b"}"#, "/v1/models/m:1b")]
    #[case(r#"{"object":"response","output":[]}"#, "/v1/responses")]
    #[case(r#"{"type":"response.created","response":{"model":"m"}}"#, "/v1/responses")]
    #[case(r#"{"type":"message","content":[]}"#, "/v1/messages")]
    #[case(r#"{"type":"message_start","message":{"model":"m"}}"#, "/v1/messages")]
    #[case(r#"{"type":"error","error":{"type":"overloaded_error","message":"x"}}"#, "/v1/messages")]
    fn an_object_tells_its_route(#[case] object: &str, #[case] path: &str) {
        let value: Value = serde_json::from_str(object).unwrap();
        assert_eq!(path_of(&value).as_deref(), Some(path));
    }

    #[rstest]
    #[case::either_listing(r#"{"models":[]}"#)]
    #[case::error_of_any_route(r#"{"error":"model 'm' not found"}"#)]
    #[case::progress_of_any_route(r#"{"status":"success"}"#)]
    #[case::both(r#"{"message":{},"response":""}"#)]
    #[case::empty_list(r#"{"object":"list","data":[]}"#)]
    #[case::nothing("{}")]
    fn an_object_of_several_routes_tells_none(#[case] object: &str) {
        assert_eq!(path_of(&serde_json::from_str(object).unwrap()), None);
    }
}
