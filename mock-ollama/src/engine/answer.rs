//! Which response a request gets.

use std::sync::Arc;
use std::time::Duration;

use super::run::Engine;
use crate::catalog::{Matching, Offer, Prepared};
use crate::clock::Instant;
use crate::dialect::{self, Ask, Endpoint, LoadedModel, ModelName};
use crate::http::{Request, Route, Routed, reason, route};
use crate::journal::{Answer, Caller};

/// How long a model stays loaded after its last answer (`OLLAMA_KEEP_ALIVE`).
const KEEP_ALIVE: Duration = Duration::from_secs(5 * 60);

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

/// Until when a model is loaded.
#[derive(Debug)]
pub(super) struct Loaded {
    /// Answers of it in progress.
    pub(super) in_flight: usize,
    pub(super) expires: Instant,
}

impl Engine {
    pub(super) fn answer(&mut self, request: &Request, caller: &Caller, now: Instant) -> Answered {
        let json = |status, body: String| Prepared::whole(status, JSON, body).into();
        match route(&request.head.method, &request.head.target) {
            Routed::To(Route::Root) => Prepared::whole(200, "text/plain; charset=utf-8", "Ollama is running").into(),
            Routed::To(Route::Version) => json(200, dialect::version_body(&self.config.version)),
            Routed::To(Route::Tags) => json(200, dialect::tags_body(self.config.catalog.models())),
            Routed::To(Route::Ps) => json(200, self.ps(now)),
            Routed::To(Route::Show) => self.show(&request.body),
            Routed::To(Route::Generate) => self.replay(Endpoint::Generate, &request.body, caller, now),
            Routed::To(Route::Chat) => self.replay(Endpoint::Chat, &request.body, caller, now),
            Routed::NotFound => Prepared::whole(404, TEXT, "404 page not found").into(),
            Routed::MethodNotAllowed { allow } => {
                let mut response = Prepared::whole(405, TEXT, "405 method not allowed");
                response.fields.push(("Allow".to_owned(), allow));
                response.into()
            }
            Routed::Redirect { status, location } => redirect(&request.head.method, status, location).into(),
        }
    }

    fn ps(&self, now: Instant) -> String {
        let alive = self.loaded.iter().filter(|(_, loaded)| loaded.in_flight > 0 || loaded.expires > now);
        let mut alive: Vec<_> = alive.collect();
        alive.sort_by_key(|(_, loaded)| std::cmp::Reverse(loaded.expires));
        let listed = alive.into_iter().filter_map(|(name, loaded)| {
            let expires_at = dialect::rfc3339(self.config.wall.unix_nanos(loaded.expires));
            Some(LoadedModel { model: self.config.catalog.model(name)?, expires_at })
        });
        dialect::ps_body(&listed.collect::<Vec<_>>())
    }

    fn show(&self, body: &[u8]) -> Answered {
        let ask = match Ask::decode(Endpoint::Show, body) {
            Ok(ask) => ask,
            Err(error) => return Prepared::whole(error.status, JSON, dialect::error_body(&error.text)).into(),
        };
        let any = || (self.config.matching == Matching::Any).then(|| self.config.catalog.models().first().copied())?;
        match self.config.catalog.model(&ask.name).or_else(any) {
            Some(model) => Prepared::whole(200, JSON, dialect::show_body(model)).into(),
            // Unlike generate and chat, show names the model in its canonical form.
            None => Prepared::whole(404, JSON, dialect::error_body(&format!("model '{}' not found", ask.name))).into(),
        }
    }

    fn replay(&mut self, endpoint: Endpoint, body: &[u8], caller: &Caller, now: Instant) -> Answered {
        let ask = match Ask::decode(endpoint, body) {
            Ok(ask) => ask,
            Err(error) => return Prepared::whole(error.status, JSON, dialect::error_body(&error.text)).into(),
        };
        let catalog = Arc::clone(&self.config.catalog);
        let chosen = catalog.choose(&ask, self.config.matching);
        let recorded_load = self.config.matching == Matching::Exact && chosen.is_ok();
        let known = self.config.matching == Matching::Any || catalog.model(&ask.name).is_some();
        if ask.is_load() && known && !recorded_load {
            return self.load(&ask, now);
        }
        match chosen {
            Ok(choice) => {
                let turn = self.take_turn(caller, choice.key());
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
    fn load(&mut self, ask: &Ask, now: Instant) -> Answered {
        let done_reason = if ask.unload { "unload" } else { "load" };
        let expires = if ask.unload { now } else { now.saturating_add(KEEP_ALIVE) };
        let loaded = self.loaded.entry(ask.name.clone()).or_insert(Loaded { in_flight: 0, expires });
        loaded.expires = expires;
        let created_at = dialect::rfc3339(self.config.wall.unix_nanos(now));
        let body = dialect::load_object(ask.endpoint, &ask.model, &created_at, done_reason);
        Prepared::whole(200, JSON, body).into()
    }

    /// Notes that an answer of `model` begins.
    pub(super) fn model_begins(&mut self, model: &ModelName) {
        let fresh = Loaded { in_flight: 0, expires: Instant::ZERO };
        self.loaded.entry(model.clone()).or_insert(fresh).in_flight += 1;
    }

    /// Notes that an answer of `model` ended; only then does its keep-alive start to run.
    pub(super) fn model_ends(&mut self, model: &ModelName, now: Instant) {
        if let Some(loaded) = self.loaded.get_mut(model) {
            loaded.in_flight = loaded.in_flight.saturating_sub(1);
            loaded.expires = now.saturating_add(KEEP_ALIVE);
        }
    }
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
