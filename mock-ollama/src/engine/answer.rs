//! Which response a request gets.

use std::sync::Arc;

use super::callers::Callers;
use super::config::Config;
use super::loaded::LoadedModels;
use crate::catalog::{Matching, Offer, Prepared};
use crate::clock::Instant;
use crate::dialect::{self, Ask, Endpoint, LoadedModel};
use crate::http::{Request, Route, Routed, reason, route};
use crate::journal::{Answer, Caller};
use crate::models::ModelName;

const JSON: &str = "application/json; charset=utf-8";
const TEXT: &str = "text/plain";

/// A response and what the journal says of it.
pub(super) struct Answered {
    pub(super) response: Arc<Prepared>,
    pub(super) answer: Answer,
    pub(super) model: Option<ModelName>,
}

impl From<Prepared> for Answered {
    /// The server's own answer.
    fn from(response: Prepared) -> Self {
        Self { response: Arc::new(response), answer: Answer::Served, model: None }
    }
}

/// Finds the response to a request: the configuration, and what is remembered of models and callers.
pub(super) struct Answerer<'a> {
    pub(super) config: &'a Config,
    pub(super) loaded: &'a mut LoadedModels,
    pub(super) callers: &'a mut Callers,
    pub(super) now: Instant,
}

impl Answerer<'_> {
    pub(super) fn answer(&mut self, request: &Request, caller: &Caller) -> Answered {
        match route(&request.head.method, &request.head.target) {
            Routed::To(Route::Root) => Prepared::whole(200, "text/plain; charset=utf-8", "Ollama is running").into(),
            Routed::To(Route::Version) => json(200, dialect::version_body(&self.config.version)),
            Routed::To(Route::Tags) => json(200, dialect::tags_body(self.config.catalog.models())),
            Routed::To(Route::Ps) => json(200, self.ps()),
            Routed::To(Route::Show) => self.show(&request.body),
            Routed::To(Route::Generate) => self.replay(Endpoint::Generate, &request.body, caller),
            Routed::To(Route::Chat) => self.replay(Endpoint::Chat, &request.body, caller),
            Routed::NotFound => Prepared::whole(404, TEXT, "404 page not found").into(),
            Routed::MethodNotAllowed { allow } => {
                let mut response = Prepared::whole(405, TEXT, "405 method not allowed");
                response.fields.push(("Allow".to_owned(), allow));
                response.into()
            }
            Routed::Redirect { status, location } => redirect(&request.head.method, status, location).into(),
        }
    }

    fn ps(&self) -> String {
        let listed = self.loaded.list(self.now).into_iter().filter_map(|(name, expires)| {
            let expires_at = dialect::rfc3339(self.config.wall.unix_nanos(expires));
            Some(LoadedModel { model: self.config.catalog.model(name)?, expires_at })
        });
        dialect::ps_body(&listed.collect::<Vec<_>>())
    }

    fn show(&self, body: &[u8]) -> Answered {
        let ask = match Ask::decode(Endpoint::Show, body) {
            Ok(ask) => ask,
            Err(refusal) => return json(refusal.status, dialect::error_body(&refusal.text)),
        };
        let any = || (self.config.matching == Matching::Any).then(|| self.config.catalog.models().first().copied())?;
        match self.config.catalog.model(&ask.name).or_else(any) {
            Some(model) => json(200, dialect::show_body(model)),
            // Unlike generate and chat, show names the model in its canonical form.
            None => json(404, dialect::error_body(&format!("model '{}' not found", ask.name))),
        }
    }

    fn replay(&mut self, endpoint: Endpoint, body: &[u8], caller: &Caller) -> Answered {
        let ask = match Ask::decode(endpoint, body) {
            Ok(ask) => ask,
            Err(refusal) => return json(refusal.status, dialect::error_body(&refusal.text)),
        };
        let chosen = self.config.catalog.choose(&ask, self.config.matching);
        let recorded_load = self.config.matching == Matching::Exact && chosen.is_ok();
        let known = self.config.matching == Matching::Any || self.config.catalog.model(&ask.name).is_some();
        if ask.is_load() && known && !recorded_load {
            return json(200, self.load(&ask));
        }
        match chosen {
            Ok(choice) => {
                let turn = self.callers.take_turn(caller, choice.key());
                let hash = self.config.seed.derive("match", [endpoint.path().as_bytes(), body]);
                answer_with(choice.pick(turn, hash), ask.stream)
            }
            Err(miss) => {
                let why = miss.to_string();
                let response = Prepared::whole(404, JSON, dialect::miss_body(&why));
                Answered { response: Arc::new(response), answer: Answer::Missed { why }, model: None }
            }
        }
    }

    /// Answers a request with nothing to generate (Ollama `server/routes.go`): one object, never streamed.
    fn load(&mut self, ask: &Ask) -> String {
        let done_reason = if ask.unload {
            self.loaded.unload(&ask.name, self.now);
            "unload"
        } else {
            self.loaded.load(&ask.name, self.now);
            "load"
        };
        let created_at = dialect::rfc3339(self.config.wall.unix_nanos(self.now));
        dialect::load_object(ask.endpoint, &ask.model, &created_at, done_reason)
    }
}

fn json(status: u16, body: String) -> Answered {
    Prepared::whole(status, JSON, body).into()
}

fn answer_with(offer: &Offer, stream: bool) -> Answered {
    let folded = if stream { None } else { offer.response.collected() };
    let response = folded.map_or_else(|| Arc::clone(&offer.response), Arc::new);
    let answer = Answer::Matched { recording: offer.recording.to_string(), exchange: offer.exchange };
    Answered { response, answer, model: Some(offer.model.clone()) }
}

/// `http.Redirect`: a GET gets a line of HTML, every other method an empty body.
fn redirect(method: &str, status: u16, location: String) -> Prepared {
    let mut response = if method == "GET" {
        let body = format!("<a href=\"{}\">{}</a>.\n\n", escape_html(&location), reason(status));
        Prepared::whole(status, "text/html; charset=utf-8", body)
    } else {
        let mut response = Prepared::whole(status, "", "");
        response.fields.clear();
        response
    };
    response.fields.push(("Location".to_owned(), location));
    response
}

fn escape_html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}
