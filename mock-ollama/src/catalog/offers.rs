//! The catalog: an immutable snapshot of models and recordings.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::Prepared;
use crate::dialect::{Ask, Endpoint};
use crate::models::ModelName;
use crate::recording::{End, Exchange, Model, Recording, RequestBody};

/// What a server offers. It never changes; a server that is to offer something else gets another one.
#[derive(Debug, Default)]
pub struct Catalog {
    offers: Vec<Offer>,
    models: BTreeMap<ModelName, Model>,
}

/// One recorded exchange on offer.
#[derive(Debug)]
pub struct Offer {
    /// The recording's name.
    pub recording: Arc<str>,
    /// Which of its exchanges, counted from zero.
    pub exchange: usize,
    /// The route it answers.
    pub endpoint: Endpoint,
    /// The model that answered.
    pub model: ModelName,
    /// `prompt` or `messages` of the recorded request, where it is known.
    pub question: Option<Value>,
    /// Whether it is a whole answer: status 200, and ended with a final object. Loose rules prefer these.
    pub whole: bool,
    /// The response.
    pub response: Arc<Prepared>,
}

impl Catalog {
    /// The catalog of these recordings, in this order.
    ///
    /// Exchanges of other routes than generate and chat are not on offer: the server answers those itself,
    /// from the models that the recordings name.
    pub fn new(recordings: impl IntoIterator<Item = Recording>) -> Self {
        let mut catalog = Self::default();
        for recording in recordings {
            catalog.add(&recording);
        }
        catalog
    }

    fn add(&mut self, recording: &Recording) {
        let name: Arc<str> = recording.name.as_str().into();
        let listed = ModelName::parse(&recording.model.name);
        if let Some(listed) = &listed {
            let richer = |known: &Model| known.details.is_none() && recording.model.details.is_some();
            if self.models.get(listed).is_none_or(richer) {
                let model = Model { name: listed.to_string(), ..recording.model.clone() };
                self.models.insert(listed.clone(), model);
            }
        }
        for (index, exchange) in recording.exchanges.iter().enumerate() {
            let Some((endpoint, ask)) = read_request(exchange) else { continue };
            let model = ask.as_ref().map(|ask| ask.name.clone()).or_else(|| listed.clone());
            let Some(model) = model else { continue };
            self.offers.push(Offer {
                recording: name.clone(),
                exchange: index,
                endpoint,
                model,
                question: ask.map(|ask| ask.question),
                whole: is_whole(exchange),
                response: Arc::new(Prepared::new(exchange)),
            });
        }
    }

    /// Every exchange on offer, in order.
    pub fn offers(&self) -> &[Offer] {
        &self.offers
    }

    /// The model called `name`.
    pub fn model(&self, name: &ModelName) -> Option<&Model> {
        self.models.get(name)
    }

    /// All models, newest first, and by name where that is the same (`/api/tags`).
    pub fn models(&self) -> Vec<&Model> {
        let mut models: Vec<&Model> = self.models.values().collect();
        models.sort_by(|one, other| other.modified_at.cmp(&one.modified_at).then_with(|| one.name.cmp(&other.name)));
        models
    }
}

/// Whether an answer came to its end: its last line is a final object.
fn is_whole(exchange: &Exchange) -> bool {
    let body = exchange.body();
    let last = body.trim_ascii_end().rsplit(|&byte| byte == b'\n').next().unwrap_or_default();
    let done = serde_json::from_slice::<Value>(last).is_ok_and(|object| object["done"] == true);
    exchange.response.status == 200 && exchange.end == End::Clean && done
}

/// The route and the request of an exchange. Without a recorded request the shape of the body tells the
/// route: chat objects have a `message`.
fn read_request(exchange: &Exchange) -> Option<(Endpoint, Option<Ask>)> {
    let Some(request) = &exchange.request else {
        let first = exchange.chunks.first()?;
        let is_chat = first.bytes.windows(10).any(|window| window == b"\"message\":");
        return Some((if is_chat { Endpoint::Chat } else { Endpoint::Generate }, None));
    };
    let endpoint = [Endpoint::Generate, Endpoint::Chat].into_iter().find(|one| one.path() == request.path)?;
    let body = match request.body.as_ref()? {
        RequestBody::Json(value) => value.to_string(),
        RequestBody::Text(text) => text.clone(),
    };
    Some((endpoint, Ask::decode(endpoint, body.as_bytes()).ok()))
}
