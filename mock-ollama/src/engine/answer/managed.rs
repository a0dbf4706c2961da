//! Listings, and requests that change the models.

use std::sync::Arc;

use super::{Answered, Answerer, Reception, Timing};
use crate::catalog::{Matching, Prepared};
use crate::dialect::refuse_openai;
use crate::engine::source::Effect;
use crate::generation::Refusal;
use crate::go_json::rfc3339;
use crate::http::{BARE_JSON, JSON, Reply, Route};
use crate::manage::{self, CopyRequest, CreateRequest, NameRequest, Progress, ShowRequest, listing};
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
            Route::Delete => match NameRequest::delete(from.body) {
                Ok(request) => manage::delete(self.models, &request.model).into(),
                Err(refusal) => native(&refusal).into(),
            },
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
        let request = match ShowRequest::decode(from.body) {
            Ok(request) => request,
            Err(refusal) => return native(&refusal),
        };
        let any = || if self.config.matching == Matching::Any { self.models.list().first().copied() } else { None };
        match self.models.find(&request.name).or_else(any) {
            Some(card) => {
                let user_agent = from.request.head.header("user-agent").unwrap_or_default();
                let ask = manage::ShowOptions {
                    model: &request.model,
                    system: &request.system,
                    verbose: request.verbose,
                    options: request.options.clone(),
                    user_agent,
                };
                Reply::new(200, JSON, manage::show(card, &ask))
            }
            // Unlike generate and chat, show names the model in its canonical form.
            None => native(&not_found(&request.name)),
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
                let card = ModelName::parse(&request.model).and_then(|name| self.models.find(&name));
                progressing(&manage::push(card, &request.model, self.config.transfer_speed), request.stream)
            }
            Err(refusal) => native(&refusal).into(),
        }
    }

    fn create(&self, from: &Reception<'_>) -> Answered {
        let request = match CreateRequest::decode(from.body) {
            Ok(request) => request,
            Err(refusal) => return native(&refusal).into(),
        };
        match manage::create(&created(&request), self.models, self.config.transfer_speed) {
            Ok(progress) => progressing(&progress, request.stream),
            Err(reply) => reply.into(),
        }
    }

    fn copy(&mut self, from: &Reception<'_>) -> Reply {
        let modified_at = self.modified_at();
        match CopyRequest::decode(from.body) {
            Ok(ask) => manage::copy(self.models, &ask.source, &ask.destination, &modified_at),
            Err(refusal) => native(&refusal),
        }
    }

    fn transcriptions(&self, from: &Reception<'_>) -> Reply {
        let model = form_field(from.body, "model").unwrap_or_default();
        let is_installed = ModelName::parse(&model).is_some_and(|name| self.models.find(&name).is_some());
        refuse_openai(&manage::transcriptions(&model, is_installed))
    }
}

/// What is to be created, as the management of models takes it.
fn created(ask: &CreateRequest) -> manage::NewModel<'_> {
    let part = |message: &serde_json::Value, key: &str| message[key].as_str().unwrap_or_default().to_owned();
    manage::NewModel {
        model: &ask.model,
        from: &ask.from,
        files: (!ask.files.is_empty()).then(|| ask.files.clone()),
        adapters: ask.adapters.clone(),
        template: &ask.template,
        system: &ask.system,
        licences: ask.licences.clone(),
        parameters: ask.parameters.clone(),
        messages: ask.messages.iter().map(|message| (part(message, "role"), part(message, "content"))).collect(),
        quantize: &ask.quantize,
        renderer: &ask.renderer,
        parser: &ask.parser,
        requires: &ask.requires,
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
