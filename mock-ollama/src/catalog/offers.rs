//! The catalog: an immutable snapshot of models, recordings and scripts.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::index::Index;
use super::miss::Opening;
use super::{Matching, Prepared};
use crate::dialect::{self, RecordedBody, Unreadable};
use crate::generation::{Dialect, ParsedRequest, Question};
use crate::generation::{Ending, Generation};
use crate::models::{Card, ModelName};
use crate::recording::{End, Exchange, Form, Recording, Request, RequestBody};
use crate::script::Scripted;

/// What a server offers. It never changes; a server that is to offer something else gets another one.
#[derive(Debug, Default)]
pub struct Catalog {
    offers: Vec<Offer>,
    fixed: Vec<Fixed>,
    cards: BTreeMap<ModelName, Card>,
    scripts: BTreeMap<ModelName, Scripted>,
    pub(super) index: Index,
}

/// One recorded answer of a model on offer.
#[derive(Debug)]
pub struct Offer {
    /// The recording's name.
    pub recording: Arc<str>,
    /// Which of its exchanges, counted from zero.
    pub exchange: usize,
    /// The dialect it was recorded in.
    pub dialect: Dialect,
    /// The model that answered.
    pub model: ModelName,
    /// What was asked, where it is known.
    pub question: Option<Question>,
    /// Whether it is a whole answer: status 200, and ended with a final object. Loose rules prefer these.
    pub whole: bool,
    /// The response, for requests in the dialect it was recorded in.
    pub response: Arc<Prepared>,
    /// Whether the answer is a stream.
    is_stream: bool,
    /// Whether a stream was asked for, where that is known.
    asked_for_stream: bool,
    pub(super) opening: Opening,
    recorded: Exchange,
    generation: OnceLock<Result<Arc<Generation>, Unreadable>>,
    folded: OnceLock<Result<Arc<Prepared>, Unreadable>>,
}

/// How a recording answers a request.
#[derive(Clone, Debug)]
pub enum Told {
    /// With bytes that are there: those that were recorded, or the one object that a stream was folded into.
    Bytes(Arc<Prepared>),
    /// Rendered in the dialect of the request while it is served.
    Anew(Arc<Generation>),
}

/// A recorded exchange that answers the very same request again: of the other routes, and refusals.
#[derive(Debug)]
pub struct Fixed {
    /// The recording's name.
    pub recording: Arc<str>,
    /// Which of its exchanges, counted from zero.
    pub exchange: usize,
    /// The response.
    pub response: Arc<Prepared>,
    pub(super) method: &'static str,
    pub(super) path: String,
    pub(super) body: Option<RequestBody>,
}

impl Offer {
    /// Whether its status is none of an answer.
    pub(super) fn is_failure(&self) -> bool {
        self.response.status != 200
    }

    /// Whether its bytes answer a request for a stream, or for none. Those of a whole answer to a request for a stream
    /// answer that request again.
    pub(super) fn suits(&self, stream: bool) -> bool {
        if stream { self.is_stream || self.asked_for_stream } else { !self.is_stream }
    }

    /// How it answers a request in this dialect, for a stream or for none. A failure answers either.
    pub(super) fn told(&self, dialect: Dialect, stream: bool) -> Result<Told, Unreadable> {
        let (is_own, format) = (self.dialect == dialect, dialect::of(dialect));
        if is_own && (self.suits(stream) || self.is_failure() && !self.is_stream) {
            return Ok(Told::Bytes(Arc::clone(&self.response)));
        }
        if is_own && stream && !self.is_failure() {
            return Err(Unreadable::Whole);
        }
        let generation = self.generation();
        let ending = generation.as_ref().map(|generation| &generation.ending);
        if !stream && self.recorded.end != End::Clean {
            match ending {
                Ok(Ending::Silent) => return Err(Unreadable::BreaksOff),
                Err(why) => return Err(why.clone()),
                Ok(Ending::Done(_) | Ending::Failed { .. }) => {}
            }
        }
        let is_foldable =
            format.is_native() || matches!(ending, Ok(Ending::Done(_) | Ending::Silent) | Err(Unreadable::Choices));
        if is_own
            && !self.is_failure()
            && is_foldable
            && let Ok(folded) = self.folded()
        {
            return Ok(Told::Bytes(Arc::clone(folded)));
        }
        let generation = generation.as_ref().map_err(Clone::clone)?;
        let has_objects = format.has_argument_objects();
        match generation.calls().find(|call| has_objects && call.arguments.object().is_none()) {
            Some(call) => Err(Unreadable::Arguments { name: call.name.clone() }),
            None => Ok(Told::Anew(Arc::clone(generation))),
        }
    }

    /// What was answered, neutral of dialect.
    fn generation(&self) -> &Result<Arc<Generation>, Unreadable> {
        self.generation.get_or_init(|| dialect::read(dialect::of(self.dialect), &self.recorded).map(Arc::new))
    }

    /// The answer to the same request with `"stream":false`, due when the stream would have ended.
    fn folded(&self) -> &Result<Arc<Prepared>, Unreadable> {
        self.folded.get_or_init(|| {
            let reply = dialect::of(self.dialect).fold(&RecordedBody::of(&self.recorded))?;
            let at = self.recorded.chunks.last().map_or(0, |chunk| chunk.at_us);
            Ok(Arc::new(Prepared::reply(reply, Duration::from_micros(at))))
        })
    }
}

impl Catalog {
    /// The catalog of these recordings, in this order.
    pub fn new(recordings: impl IntoIterator<Item = Recording>) -> Self {
        Self::with_scripts(recordings, [])
    }

    /// The catalog of these recordings and of these scripted models. A script tells more of its model than a
    /// recording does; a recording wins where it answers a request.
    pub fn with_scripts(
        recordings: impl IntoIterator<Item = Recording>,
        scripts: impl IntoIterator<Item = Scripted>,
    ) -> Self {
        let mut catalog = Self::default();
        for recording in recordings {
            catalog.add(&recording);
        }
        for script in scripts {
            let name = script.card.name.clone();
            let card = Card { answers_as: name.clone(), ..script.card.clone() };
            catalog.cards.insert(name.clone(), card);
            catalog.scripts.insert(name, script);
        }
        catalog
    }

    fn add(&mut self, recording: &Recording) {
        let name: Arc<str> = recording.name.as_str().into();
        let card = Card::of_recording(&recording.model);
        let listed = card.as_ref().map(|card| card.name.clone());
        // A recording of listings alone is of no model.
        let answers = recording.exchanges.iter().any(|exchange| {
            let of_model = |request: &Request| request.body.is_some() || dialect::at(&request.path).is_some();
            exchange.request.as_ref().is_none_or(of_model)
        });
        if let Some(card) = card.filter(|_| answers) {
            let richer = |known: &Card| known.details.family.is_empty() && !card.details.family.is_empty();
            if self.cards.get(&card.name).is_none_or(richer) {
                self.cards.insert(card.name.clone(), card);
            }
        }
        for (index, exchange) in recording.exchanges.iter().enumerate() {
            let Some((dialect, ask)) = read_request(exchange) else {
                if let Some(fixed) = fixed(&name, index, exchange) {
                    self.fixed.push(fixed);
                    self.index.add_fixed(&self.fixed, &recording.scrub);
                }
                continue;
            };
            let model = ask.as_ref().map(|ask| ask.name.clone()).or_else(|| listed.clone());
            let Some(model) = model else { continue };
            let question = ask.as_ref().map(|ask| self.index.as_kept(&ask.question, &recording.scrub));
            self.offers.push(Offer {
                recording: name.clone(),
                exchange: index,
                dialect,
                model,
                asked_for_stream: ask.as_ref().is_some_and(|ask| ask.stream && !ask.is_load()),
                opening: question.as_ref().map(Opening::of).unwrap_or_default(),
                question,
                whole: dialect::is_whole(dialect::of(dialect), exchange),
                response: Arc::new(Prepared::new(exchange)),
                is_stream: Form::of(exchange).is_stream(),
                recorded: exchange.clone(),
                generation: OnceLock::new(),
                folded: OnceLock::new(),
            });
            self.index.add_offer(&self.offers, &recording.scrub);
        }
    }

    /// Every answer on offer, in order.
    pub fn offers(&self) -> &[Offer] {
        &self.offers
    }

    /// Whether any recording is of this model, listed or not.
    pub fn answers(&self, model: &ModelName) -> bool {
        self.of_model(model).any(|offer| offer.whole)
    }

    /// The answers of this model, in order.
    fn of_model(&self, model: &ModelName) -> impl Iterator<Item = &Offer> {
        self.index.models.get(model).into_iter().flatten().map(|&place| &self.offers[place])
    }

    /// The answers that fit a request under `rule`, in order, whatever their form.
    pub(super) fn fitting(&self, ask: &ParsedRequest, rule: Matching) -> Vec<&Offer> {
        match rule {
            Matching::Exact => {
                self.index.offers(&self.offers, ask).into_iter().map(|place| &self.offers[place]).collect()
            }
            Matching::Loose => self.of_model(&ask.name).collect(),
            Matching::Any => self.offers.iter().collect(),
        }
    }

    /// The exchanges that were recorded of this very request, body included; JSON bodies are compared as JSON. What was
    /// made unreadable in a recorded request is made so in this one.
    pub fn fixed(&self, method: &str, path: &str, body: &[u8]) -> Vec<&Fixed> {
        self.index.fixed(&self.fixed, method, path, body).into_iter().map(|place| &self.fixed[place]).collect()
    }

    /// The model called `name`.
    pub fn card(&self, name: &ModelName) -> Option<&Card> {
        self.cards.get(name)
    }

    /// All models, installed or not, by name.
    pub fn cards(&self) -> impl Iterator<Item = &Card> {
        self.cards.values()
    }

    /// The script of the model called `name`.
    pub fn script(&self, name: &ModelName) -> Option<&Scripted> {
        self.scripts.get(name)
    }
}

fn fixed(name: &Arc<str>, index: usize, exchange: &Exchange) -> Option<Fixed> {
    let request = exchange.request.as_ref()?;
    Some(Fixed {
        recording: Arc::clone(name),
        exchange: index,
        response: Arc::new(Prepared::new(exchange)),
        method: request.method.as_str(),
        path: request.path.clone(),
        body: request.body.clone(),
    })
}

/// The dialect and the request of an exchange; `None` when it is no request for an answer that could be read.
/// Without a recorded request the body's first chunk tells the dialect.
fn read_request(exchange: &Exchange) -> Option<(Dialect, Option<ParsedRequest>)> {
    let Some(request) = &exchange.request else {
        let first = exchange.chunks.first()?;
        let dialect = dialect::of_body(&first.bytes).name();
        return Some((dialect, None));
    };
    let format = dialect::at(&request.path)?;
    let body = match request.body.as_ref() {
        Some(body) => body.text(),
        // Only the path is known: the loose rules find it.
        None => return Some((format.name(), None)),
    };
    Some((format.name(), Some(dialect::decode(format, &request.path, body.as_bytes()).ok()?)))
}
