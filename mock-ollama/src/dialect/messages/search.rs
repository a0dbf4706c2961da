//! `/v1/messages` with the built-in web search, as a server without the cloud answers it (Ollama
//! `middleware/anthropic.go`, `WebSearchAnthropicWriter`).
//!
//! The model sees a function. Its first call is not shown: the server searches, which fails here, and the message ends.

use serde_json::json;

use super::render::{MessagesRenderer, usage};
use super::wire::{Block, Event};
use crate::dialect::render::Render;
use crate::dialect::shared::{fields, sse_fields};
use crate::dialect::web_search::{SEARCH, search_call, search_query};
use crate::generation::{Part, Reason};
use crate::go_json::to_string;
use crate::http::Reply;

/// Renders one message that may search.
#[derive(Debug)]
pub(crate) struct SearchingMessages {
    inner: MessagesRenderer,
    /// What was searched for; later objects are dropped but for the counters of the final one.
    query: Option<String>,
    is_load: bool,
}

impl SearchingMessages {
    pub(crate) fn new(inner: MessagesRenderer) -> Self {
        Self { inner, query: None, is_load: false }
    }

    /// What was searched for, and that it failed.
    fn blocks(&self, query: &str) -> [Block; 2] {
        let id = format!("srvtoolu_{}", self.inner.id.trim_start_matches("msg_"));
        let error_code = if query.is_empty() { "invalid_request" } else { "unavailable" };
        let content = json!({ "type": "web_search_tool_result_error", "error_code": error_code });
        [
            Block::ServerToolUse { id: id.clone(), name: SEARCH.to_owned(), input: json!({ "query": query }) },
            Block::WebSearchToolResult { tool_use_id: id, content },
        ]
    }
}

impl Render for SearchingMessages {
    /// The writer leaves the type that the native handler set, though it writes events; a load is not streamed.
    fn stream_fields(&self) -> Vec<(String, String)> {
        let mut all = sse_fields(true);
        if !self.is_load {
            all.retain(|(name, _)| name != "Content-Type");
            all.extend(fields("application/x-ndjson"));
        }
        all
    }

    fn part(&mut self, part: &Part) -> Vec<Vec<u8>> {
        self.is_load = part.done.as_ref().is_some_and(|done| matches!(done.reason, Reason::Load | Reason::Unload));
        if self.query.is_none() {
            self.query = search_call(part).map(search_query);
        }
        let Some(query) = &self.query else { return self.inner.part(part) };
        let mut out = Vec::new();
        if part.done.is_some() {
            let (blocks, usage) = (self.blocks(query), usage(part.done.as_ref()));
            self.inner.begin(usage.input_tokens, &mut out);
            self.inner.close(&mut out);
            for content_block in blocks {
                let index = Some(self.inner.index);
                out.push(Event::ContentBlockStart { index, content_block }.encode());
                out.push(Event::ContentBlockStop { index }.encode());
                self.inner.index += 1;
            }
            self.inner.end("end_turn", usage, &mut out);
        }
        out
    }

    fn failure(&mut self, text: &str) -> Vec<Vec<u8>> {
        self.inner.failure(text)
    }

    fn whole(&mut self, part: &Part) -> Reply {
        let Some(query) = search_call(part).map(search_query) else { return self.inner.whole(part) };
        let content = Some(self.blocks(&query).into());
        let message = self.inner.message(content, Some("end_turn"), usage(part.done.as_ref()));
        Reply::wrapped(200, &to_string(&message))
    }
}
