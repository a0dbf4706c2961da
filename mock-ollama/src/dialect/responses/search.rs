//! `/v1/responses` with the built-in web search, as a server without the cloud answers it (Ollama
//! `middleware/openai.go`, `WebSearchResponsesWriter`).
//!
//! The model sees a function, the client an item of its own kind. The search is run when the model has ended, and
//! fails here, and the response with it.

use serde_json::json;

use super::render::ResponsesRenderer;
use crate::dialect::openai::refuse::refuse;
use crate::dialect::render::Render;
use crate::dialect::shared::{fields, sse_fields};
use crate::dialect::web_search::{SEARCH, search_call, search_query};
use crate::generation::{Metrics, Part, Refusal, ToolCall};
use crate::http::Reply;

/// What `/api/experimental/web_search` says of this very server, as Ollama's own client words it.
const NO_CLOUD: (u16, &str) = (403, "403 Forbidden: ollama cloud is disabled: web search is unavailable");

/// A search for nothing.
const NO_QUERY: (u16, &str) = (502, "web_search requires a non-empty string query");

/// Renders one response that may search.
#[derive(Debug)]
pub(crate) struct SearchingResponses {
    inner: ResponsesRenderer,
    /// The call of the search that is run at the end.
    search: Option<ToolCall>,
    /// Whether anything was shown before it.
    has_shown: bool,
    /// Whether the writer set its content type before the head left.
    is_typed: Option<bool>,
}

impl SearchingResponses {
    pub(crate) fn new(inner: ResponsesRenderer) -> Self {
        Self { inner, search: None, has_shown: false, is_typed: None }
    }

    /// The beginning of the search, where there is anything to search for, and its failure.
    fn fail_search(&mut self, query: &str, metrics: Metrics, out: &mut Vec<Vec<u8>>) {
        self.inner.begin(out);
        if self.has_shown {
            self.inner.end_text(out);
        }
        if !query.trim().is_empty() {
            self.begin_search(query, out);
        }
        self.fail(failure_of(query).1, metrics, out);
    }

    fn begin_search(&mut self, query: &str, out: &mut Vec<Vec<u8>>) {
        self.inner.end_thinking(out);
        let (id, index) = (format!("ws_{}_1", self.inner.number), self.inner.index);
        let action = json!({ "type": "search", "query": query });
        let item = json!({ "id": id, "type": "web_search_call", "status": "in_progress", "action": action });
        let added = json!({ "output_index": index, "item": item });
        out.push(self.inner.event("response.output_item.added", added));
        for kind in ["response.web_search_call.in_progress", "response.web_search_call.searching"] {
            out.push(self.inner.event(kind, json!({ "item_id": id, "output_index": index })));
        }
        self.inner.index += 1;
    }

    fn fail(&mut self, message: &str, metrics: Metrics, out: &mut Vec<Vec<u8>>) {
        let (input, output) = (metrics.prompt_eval_count, metrics.eval_count);
        let response = json!({
            "id": self.inner.id(),
            "object": "response",
            "status": "failed",
            "model": self.inner.model,
            "output": [],
            "error": { "code": "api_error", "message": message },
            "usage": { "input_tokens": input, "output_tokens": output, "total_tokens": input + output },
        });
        out.push(self.inner.event("response.failed", json!({ "response": response })));
    }
}

fn failure_of(query: &str) -> (u16, &'static str) {
    if query.trim().is_empty() { NO_QUERY } else { NO_CLOUD }
}

impl Render for SearchingResponses {
    /// A first object of which the writer shows only calls, or nothing yet, leaves under the type that the native
    /// handler set.
    fn stream_fields(&self) -> Vec<(String, String)> {
        let mut all = sse_fields(true);
        if self.is_typed == Some(false) {
            all.retain(|(name, _)| name != "Content-Type");
            all.extend(fields("application/x-ndjson"));
        }
        all
    }

    fn part(&mut self, part: &Part) -> Vec<Vec<u8>> {
        self.inner.now = part.created_unix_s();
        if self.search.is_none() {
            self.search = search_call(part).cloned();
        }
        let says = !part.text.is_empty() || !part.thinking.is_empty();
        let others: Vec<&ToolCall> = part.calls.iter().filter(|call| call.name != SEARCH).collect();
        let ends_at_once = part.done.is_some() && others.is_empty();
        self.is_typed.get_or_insert(says || part.calls.is_empty() || ends_at_once);
        if self.search.is_none() && part.calls.is_empty() {
            self.has_shown |= says;
            return self.inner.part(part);
        }
        // Calls do not go the way of the inner writer, which drops all text after them.
        let mut out = Vec::new();
        if says {
            out = self.inner.part(&Part { calls: Vec::new(), done: None, ..part.clone() });
            self.has_shown = true;
        }
        if !others.is_empty() {
            self.inner.begin(&mut out);
            self.inner.end_text(&mut out);
            self.inner.call(&others, &mut out);
            self.has_shown = true;
        }
        match (&part.done, self.search.take()) {
            (Some(done), Some(search)) => {
                self.fail_search(&search_query(&search), done.metrics.unwrap_or_default(), &mut out);
            }
            (Some(done), None) => {
                self.inner.begin(&mut out);
                self.inner.complete(done, &mut out);
            }
            (None, search) => self.search = search,
        }
        out
    }

    fn failure(&mut self, text: &str) -> Vec<Vec<u8>> {
        self.inner.failure(text)
    }

    /// The writer keeps the status to itself.
    fn refusal(&mut self, text: &str, unix_nanos: u64) -> Option<Vec<Vec<u8>>> {
        self.inner.now = Part { unix_nanos, ..Part::default() }.created_unix_s();
        let mut out = Vec::new();
        self.inner.begin(&mut out);
        self.fail(text, Metrics::default(), &mut out);
        Some(out)
    }

    fn whole(&mut self, part: &Part) -> Reply {
        let Some(search) = search_call(part) else { return self.inner.whole(part) };
        let (status, text) = failure_of(&search_query(search));
        let refusal = Refusal::by_handler(status, text);
        refuse(&refusal)
    }
}
