//! The built-in web search: the model calls a function that the server runs, and not the client (Ollama
//! `middleware/web_search.go`). This server has no cloud, so every search fails.

use super::shared::arguments;
use crate::generation::{Part, ToolCall};

/// The function that the model sees.
pub(crate) const SEARCH: &str = "web_search";

/// The first call of the search; other calls beside it give way.
pub(crate) fn search_call(part: &Part) -> Option<&ToolCall> {
    part.calls.iter().find(|call| call.name == SEARCH)
}

/// What the call searches for; empty where that is no text.
pub(crate) fn search_query(call: &ToolCall) -> String {
    arguments(call).get("query").and_then(serde_json::Value::as_str).unwrap_or_default().to_owned()
}
