//! Which answer a request gets.
//!
//! | file | what |
//! | --- | --- |
//! | `asked` | requests for an answer of a model, in any dialect |
//! | `ruled` | answers that a rule states |
//! | `managed` | listings, and what changes the models |
//! | `embedded` | embeddings |

mod asked;
mod embedded;
mod managed;
mod ruled;

use std::sync::Arc;
use std::time::Duration;

use super::callers::Callers;
use super::config::{Config, CreatedAt};
use super::source::{AnswerSource, Effect};
use crate::backend::Scheduler;
use crate::catalog::{Matching, Prepared};
use crate::clock::Instant;
use crate::dialect::{self, Ids, refuse_openai};
use crate::generation::Refusal;
use crate::go_json::is_cut;
use crate::http::{Gate, Reply, Request, Route, gate};
use crate::journal::{Answer, ServerId, StreamId};
use crate::models::{Card, Store};
use crate::recording;
use crate::rules::RuleBook;
use crate::schedule::{Base, Pace};

/// An answer, and what the engine must know of it.
pub(super) struct Answered {
    pub(super) source: AnswerSource,
    pub(super) answer: Answer,
    /// The model that serves it until it ends.
    pub(super) model: Option<Arc<Card>>,
    /// Whether that model is loaded; absent for the server's own answers, which need none.
    pub(super) is_loaded: Option<bool>,
    /// How its times are mapped.
    pub(super) timing: Timing,
    /// The pace that its rule states, in place of the server's.
    pub(super) pace: Option<Pace>,
    /// Fields that are added to its head.
    pub(super) extra_fields: Vec<(String, String)>,
    /// What happens when its last byte has left.
    pub(super) effect: Option<Effect>,
}

/// How the times that an answer states are mapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Timing {
    /// It states none.
    AtOnce,
    /// They hold, whatever the pace.
    AsStated,
    /// They are those of a recording or script, which the pace maps.
    Paced,
    /// A rule states them. The pace maps them, but for one that makes all but these instant.
    Stated,
}

impl Timing {
    /// Returns the pace at which an answer is served; `is_stream` is whether a model answers.
    pub(super) fn pace(self, pace: Pace, is_stream: bool) -> Pace {
        match (self, pace.base) {
            (Self::AtOnce, _) | (Self::Paced, Base::Stated) => Pace::instant(),
            (Self::AsStated, _) | (Self::Stated, Base::Stated) => Pace::recorded(),
            // A release is for open streams; nothing would ever release an answer without one.
            (Self::Paced | Self::Stated, Base::Stepped) if !is_stream => Pace::recorded(),
            (Self::Paced | Self::Stated, _) => pace,
        }
    }
}

impl Answered {
    pub(super) fn new(source: AnswerSource) -> Self {
        Self {
            source,
            answer: Answer::Served,
            model: None,
            is_loaded: None,
            timing: Timing::AtOnce,
            pace: None,
            extra_fields: Vec::new(),
            effect: None,
        }
    }
}

impl From<Arc<Prepared>> for Answered {
    fn from(response: Arc<Prepared>) -> Self {
        Self::new(AnswerSource::Prepared { response, created_at: CreatedAt::Recorded })
    }
}

impl From<Reply> for Answered {
    fn from(reply: Reply) -> Self {
        Arc::new(Prepared::reply(reply, Duration::ZERO)).into()
    }
}

/// Finds the answer to a request: the configuration, and what is remembered of models and callers.
pub(super) struct Answerer<'a> {
    pub(super) config: &'a Config,
    pub(super) server: ServerId,
    pub(super) models: &'a mut Store,
    pub(super) rules: &'a mut RuleBook,
    pub(super) callers: &'a mut Callers,
    pub(super) scheduler: &'a mut Scheduler,
    pub(super) now: Instant,
}

/// One request as its handler sees it.
pub(super) struct Reception<'a> {
    pub(super) request: &'a Request,
    pub(super) body: &'a [u8],
    pub(super) stream: &'a StreamId,
    pub(super) ids: Ids,
}

impl Answerer<'_> {
    pub(super) fn answer(&mut self, request: &Request, stream: &StreamId) -> Answered {
        let ids = Ids::new(self.config.seed.derive("ids", [stream.to_string().as_bytes()]));
        let from = Reception { request, body: &request.body, stream, ids };
        match gate(&request.head, self.server, &self.config.gate, &dialect::routes()) {
            Gate::Answer { status, fields, body } => {
                let answered = Reply { status, fields, body: body.into_bytes(), flushed: false }.into();
                match self.stated_for_route(&from) {
                    Some(selected) => Self::replied_plainly(&selected, answered, &from),
                    None => self.noted(None, answered),
                }
            }
            Gate::Pass { route, fields } => Answered { extra_fields: fields, ..self.routed(&route, &from) },
        }
    }

    fn routed(&mut self, route: &Route, from: &Reception<'_>) -> Answered {
        if let Some((reply, why)) = broken(route, from.request, from.ids) {
            return self.refused_by_ollama(reply.into(), why, from);
        }
        // Routes that ask a model find their rule when it is known what they ask.
        let asks_model = matches!(route, Route::Answer(_) | Route::Embed | Route::Embeddings | Route::OpenAiEmbeddings);
        let selected = if asks_model { None } else { self.stated_for_route(from) };
        if let Some(selected) = selected.as_ref().filter(|selected| !selected.is_as_ollama()) {
            return Self::replied_plainly(selected, Reply::empty(500).into(), from);
        }
        // The bytes of a recording precede every check: they are what the real server answered.
        let answered = self.fixed(from).unwrap_or_else(|| self.dispatch(route, from));
        match selected {
            Some(selected) => Self::replied_plainly(&selected, answered, from),
            None => self.noted(Some(route), answered),
        }
    }

    /// Returns the answer of a recording of exactly this request.
    fn fixed(&mut self, from: &Reception<'_>) -> Option<Answered> {
        if self.config.matching != Matching::Exact {
            return None;
        }
        let head = &from.request.head;
        let catalog = Arc::clone(&self.config.catalog);
        let fixed = catalog.fixed(&head.method, &recording::Request::path_of(&head.target), from.body);
        let first = fixed.first()?;
        // Several recordings of one request are served in turn.
        let earlier = self.turn((&first.recording, first.exchange), from);
        let found = fixed.get(earlier % fixed.len())?;
        let answer = Answer::Matched { recording: found.recording.to_string(), exchange: found.exchange };
        let source =
            AnswerSource::Prepared { response: Arc::clone(&found.response), created_at: self.config.created_at };
        Some(Answered { answer, timing: Timing::Paced, ..Answered::new(source) })
    }

    fn dispatch(&mut self, route: &Route, from: &Reception<'_>) -> Answered {
        match route {
            Route::Answer(path) => match dialect::at(path) {
                Some(format) => self.asked(format, from),
                None => Reply::empty(404).into(),
            },
            other => self.managed(other, from),
        }
    }
}

/// Returns the refusal of a request whose body breaks off inside its JSON.
fn broken(route: &Route, request: &Request, ids: Ids) -> Option<(Reply, &'static str)> {
    let text = request.broken.filter(|_| is_cut(&request.body))?;
    let refusal = Refusal::by_parser(text);
    let reply = match route {
        Route::Answer(path) => Some(dialect::at(path)?.refuse(&refusal, ids)),
        Route::OpenAiEmbeddings => Some(refuse_openai(&refusal)),
        Route::Embed
        | Route::Embeddings
        | Route::Show
        | Route::Pull
        | Route::Push
        | Route::Create
        | Route::Copy
        | Route::Delete => Some(Reply::error(refusal.status, &refusal.text)),
        _ => None,
    };
    Some((reply?, text))
}
