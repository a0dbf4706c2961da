//! `/v1/completions` (Ollama `middleware/openai.go`, `openai/openai.go`).

use serde::Serialize;

use super::render_chat::{Completion, DONE, FINGERPRINT, Usage, includes_usage};
use crate::dialect::ids::Ids;
use crate::dialect::render::Render;
use crate::dialect::shared::{event_data, sse_fields};
use crate::generation::{ParsedRequest, Part};
use crate::go_json::{lossy_text, to_string};
use crate::http::Reply;

/// Renders one completion.
#[derive(Debug)]
pub(crate) struct CompletionsRenderer {
    id: String,
    model: String,
    include_usage: bool,
    created: i64,
}

#[derive(Serialize)]
struct Choice {
    text: String,
    index: u32,
    finish_reason: Option<&'static str>,
}

#[derive(Serialize)]
struct Chunk<'a> {
    id: &'a str,
    object: &'static str,
    created: i64,
    choices: Vec<Choice>,
    model: &'a str,
    system_fingerprint: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Usage>,
}

impl CompletionsRenderer {
    pub(crate) fn new(request: &ParsedRequest, ids: Ids) -> Self {
        let id = format!("cmpl-{}", ids.number("cmpl", 999));
        Self { id, model: request.model.clone(), include_usage: includes_usage(request), created: 0 }
    }

    fn chunk(&self, model: &str, choices: Vec<Choice>, usage: Option<Usage>) -> String {
        event_data(&to_string(&Chunk {
            id: &self.id,
            object: "text_completion",
            created: self.created,
            choices,
            model,
            system_fingerprint: FINGERPRINT,
            usage,
        }))
    }

    /// Where usage is asked for, every chunk has it; only that of the last says anything.
    fn no_usage(&self) -> Option<Usage> {
        self.include_usage.then(Usage::default)
    }
}

fn choice(part: &Part) -> Choice {
    let finish_reason = part.done.as_ref().map(|done| done.reason.as_str());
    Choice { text: lossy_text(&part.text), index: 0, finish_reason }
}

impl Render for CompletionsRenderer {
    fn stream_fields(&self) -> Vec<(String, String)> {
        sse_fields(false)
    }

    fn part(&mut self, part: &Part) -> Vec<Vec<u8>> {
        self.created = part.created_unix_s();
        let mut out = self.chunk(&self.model, vec![choice(part)], self.no_usage());
        if let Some(done) = &part.done {
            if self.include_usage {
                out += &self.chunk(&self.model, Vec::new(), Some(Usage::of(Some(done))));
            }
            out += DONE;
        }
        vec![out.into_bytes()]
    }

    fn failure(&mut self, _text: &str) -> Vec<Vec<u8>> {
        let choice = Choice { text: String::new(), index: 0, finish_reason: None };
        vec![self.chunk("", vec![choice], self.no_usage()).into_bytes()]
    }

    fn whole(&mut self, part: &Part) -> Reply {
        let completion = Completion {
            id: &self.id,
            object: "text_completion",
            created: part.created_unix_s(),
            model: if part.is_blank { "" } else { &self.model },
            system_fingerprint: FINGERPRINT,
            choices: vec![choice(part)],
            usage: Some(Usage::of(part.done.as_ref())),
        };
        Reply::wrapped(200, &to_string(&completion))
    }
}
