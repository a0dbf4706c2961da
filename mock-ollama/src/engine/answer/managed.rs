//! Listings, and requests that change the models.

use std::sync::Arc;

use super::{Answered, Answerer, Reception, Timing};
use crate::catalog::{Matching, Prepared};
use crate::dialect::refuse_openai;
use crate::engine::source::Effect;
use crate::generation::Refusal;
use crate::go_json::rfc3339;
use crate::http::{BARE_JSON, JSON, Reply, Route};
use crate::manage::{self, CreateRequest, NameRequest, Progress, ShowRequest, listing};
use crate::models::{Card, ModelName};

impl Answerer<'_> {
    /// Answers a request that asks no model for an answer.
    pub(super) fn managed(&mut self, route: &Route, from: &Reception<'_>) -> Answered {
        match route {
            Route::Root => Reply::new(200, "text/plain; charset=utf-8", "Ollama is running").into(),
            Route::Version => Reply::new(200, JSON, listing::version(&self.config.version)).into(),
            Route::Status => Reply::new(200, JSON, listing::status()).into(),
            Route::Tags => Reply::new(200, JSON, listing::tags(&self.models.list())).into(),
            Route::Ps => {
                let loaded = self.scheduler.runners.list(self.now);
                Reply::new(200, JSON, listing::ps(&loaded, self.config.wall)).into()
            }
            Route::Show => self.show(from).into(),
            Route::OpenAiModels => Reply::new(200, BARE_JSON, listing::openai_models(&self.models.list())).into(),
            Route::OpenAiModel(name) => self.openai_model(name).into(),
            Route::Pull => self.pull(from),
            Route::Push => self.push(from),
            Route::Create => self.create(from),
            Route::Copy => self.copy(from).into(),
            Route::Delete => manage::delete(self.models, from.body).unwrap_or_else(|refusal| native(&refusal)).into(),
            Route::BlobHead(digest) => manage::blob_head(self.models, digest).into(),
            Route::BlobPut(digest) => manage::blob_put(self.models, digest, from.body).into(),
            Route::Me => manage::me().into(),
            Route::Signout => manage::signout().into(),
            Route::WebSearch => manage::web_search(from.body).into(),
            Route::WebFetch => manage::web_fetch(from.body).into(),
            Route::Recommendations => manage::recommendations().into(),
            Route::Transcriptions => self.transcriptions(from).into(),
            Route::Embed | Route::Embeddings | Route::OpenAiEmbeddings => self.embedded(route, from),
            Route::Answer(_) => Reply::empty(500).into(),
        }
    }

    fn modified_at(&self) -> String {
        rfc3339(self.config.wall.unix_nanos(self.now))
    }

    fn show(&self, from: &Reception<'_>) -> Reply {
        let (name, request) = match ShowRequest::decode(from.body) {
            Ok(decoded) => decoded,
            Err(refusal) => return native(&refusal),
        };
        let any = || if self.config.matching == Matching::Any { self.models.list().first().copied() } else { None };
        match self.models.find(&name).or_else(any) {
            Some(card) => {
                let user_agent = from.request.head.header("user-agent").unwrap_or_default();
                Reply::new(200, JSON, manage::show(card, &request, user_agent))
            }
            // Unlike generate and chat, show names the model in its canonical form.
            None => native(&not_found(&name)),
        }
    }

    fn openai_model(&self, asked: &str) -> Reply {
        let refusal = match ModelName::parse(asked) {
            None => Refusal::by_handler(400, "invalid model name"),
            Some(name) => match self.models.find(&name) {
                Some(card) => return Reply::new(200, BARE_JSON, listing::openai_model(card, asked)),
                None => not_found(&name),
            },
        };
        refuse_openai(&refusal)
    }

    fn pull(&self, from: &Reception<'_>) -> Answered {
        let request = match NameRequest::pull(from.body) {
            Ok(request) => request,
            Err(refusal) => return native(&refusal).into(),
        };
        let is_present = |digest: &str| self.models.has_blob(digest);
        let card = request.name.as_ref().and_then(|name| self.models.pullable(name));
        let progress = manage::pull(card, is_present, self.config.transfer_speed);
        progressing(&progress, request.stream)
    }

    fn push(&self, from: &Reception<'_>) -> Answered {
        match NameRequest::push(from.body) {
            Ok(request) => {
                let card = request.name.as_ref().and_then(|name| self.models.find(name));
                progressing(&manage::push(card, &request.model, self.config.transfer_speed), request.stream)
            }
            Err(refusal) => native(&refusal).into(),
        }
    }

    fn create(&self, from: &Reception<'_>) -> Answered {
        let made = CreateRequest::decode(from.body).and_then(|request| {
            Ok((manage::create(&request, self.models, self.config.transfer_speed)?, request.stream))
        });
        match made {
            Ok((progress, stream)) => progressing(&progress, stream),
            Err(refusal) => native(&refusal).into(),
        }
    }

    fn copy(&mut self, from: &Reception<'_>) -> Reply {
        let modified_at = self.modified_at();
        manage::copy(self.models, from.body, &modified_at).unwrap_or_else(|refusal| native(&refusal))
    }

    fn transcriptions(&self, from: &Reception<'_>) -> Reply {
        let model = form_field(from.body, "model").unwrap_or_default();
        let is_installed = ModelName::parse(&model).is_some_and(|name| self.models.find(&name).is_some());
        refuse_openai(&manage::transcriptions(&model, is_installed))
    }
}

fn native(refusal: &Refusal) -> Reply {
    Reply::error(refusal.status, &refusal.text)
}

fn not_found(name: &ModelName) -> Refusal {
    Refusal::by_handler(404, format!("model '{name}' not found"))
}

/// Returns the statuses as they occur, or the last one alone; the models change when the answer has ended.
fn progressing(progress: &Progress, stream: bool) -> Answered {
    let response = if stream {
        let streamed = progress.streamed();
        let lines = streamed.chunks.into_iter().map(|(at, line)| (at, line.into_bytes()));
        Prepared::lines(streamed.status, streamed.fields, lines)
    } else {
        Prepared::reply(progress.whole(), progress.took)
    };
    let created = if progress.failure.is_none() { progress.outcome.clone() } else { None };
    let effect = created.map(|card: Box<Card>| Effect::Add(card));
    Answered { timing: Timing::Paced, effect, ..Answered::from(Arc::new(response)) }
}

/// Returns the value of a field of a multipart form.
fn form_field(body: &[u8], name: &str) -> Option<String> {
    let text = String::from_utf8_lossy(body);
    let (_, after) = text.split_once(&format!("name=\"{name}\""))?;
    let (_, value) = after.split_once("\r\n\r\n")?;
    value.split("\r\n").next().map(str::to_owned)
}
