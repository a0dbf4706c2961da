//! The catalog: an immutable snapshot of models, recordings and scripts.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::choice::{Choice, choose};
use super::index::Index;
use super::matching::Matching;
use super::miss::Miss;
use super::offer::{Fixed, Offer, read_request};
use crate::dialect;
use crate::generation::ParsedRequest;
use crate::models::{Card, ModelName};
use crate::recording::{Recording, Request};
use crate::rules::Rule;
use crate::script::{Script, Scripted};
use crate::seed::Seed;

/// What a server offers. It never changes: a server that offers something else gets another catalog.
#[derive(Debug, Default)]
pub struct Catalog {
    offers: Vec<Offer>,
    fixed: Vec<Fixed>,
    cards: BTreeMap<ModelName, Card>,
    scripts: BTreeMap<ModelName, Scripted>,
    rules: Vec<Arc<Rule>>,
    index: Index,
}

impl Catalog {
    /// Returns the catalog of these recordings, in this order.
    pub fn new(recordings: impl IntoIterator<Item = Recording>) -> Self {
        Self::with_scripts(recordings, [])
    }

    /// Returns the catalog of these recordings and of these scripted models. A script tells more of its model than a
    /// recording does; a recording wins where it answers a request.
    pub fn with_scripts(
        recordings: impl IntoIterator<Item = Recording>,
        scripts: impl IntoIterator<Item = Script>,
    ) -> Self {
        let mut catalog = Self::default();
        for recording in recordings {
            catalog.add(&recording);
        }
        for script in scripts {
            catalog.rules.extend(script.rules);
            for model in script.models {
                let name = model.card.name.clone();
                let card = Card { answers_as: name.clone(), ..model.card.clone() };
                catalog.cards.insert(name.clone(), card);
                catalog.scripts.insert(name, model);
            }
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
                if let Some(fixed) = Fixed::of(&name, index, exchange) {
                    self.fixed.push(fixed);
                    self.index.add_fixed(&self.fixed, &recording.scrub);
                }
                continue;
            };
            let model = ask.as_ref().map(|ask| ask.name.clone()).or_else(|| listed.clone());
            let Some(model) = model else { continue };
            let question = ask.as_ref().map(|ask| self.index.as_kept(&ask.question, &recording.scrub));
            let asked_for_stream = ask.as_ref().is_some_and(|ask| ask.stream && !ask.is_load());
            let source = (&name, index, exchange);
            self.offers.push(Offer::new(source, (dialect, model), question, asked_for_stream));
            self.index.add_offer(&self.offers, &recording.scrub);
        }
    }

    /// Returns the exchanges that answer `ask` under `rule`; see [`Choice`].
    ///
    /// # Errors
    /// Why none does.
    pub fn choose(&self, ask: &ParsedRequest, rule: Matching, hash: impl Fn() -> Seed) -> Result<Choice<'_>, Miss> {
        choose(self.fitting(ask, rule), ask, rule, &hash).map_err(|refused| match refused {
            None => Miss::explain(&self.offers, &self.index.models, ask, rule),
            Some((offer, why)) => Miss::of(&self.index.models, ask, rule, offer, &why),
        })
    }

    /// Returns every recorded answer, in order.
    pub fn offers(&self) -> &[Offer] {
        &self.offers
    }

    /// Returns whether any recording is of this model, listed or not.
    pub fn answers(&self, model: &ModelName) -> bool {
        self.of_model(model).any(|offer| offer.whole)
    }

    /// Returns the answers of this model, in order.
    fn of_model(&self, model: &ModelName) -> impl Iterator<Item = &Offer> {
        self.index.models.get(model).into_iter().flatten().map(|&place| &self.offers[place])
    }

    /// Returns the answers that fit a request under `rule`, in order, whatever their form.
    pub(super) fn fitting(&self, ask: &ParsedRequest, rule: Matching) -> Vec<&Offer> {
        match rule {
            Matching::Exact => {
                self.index.offers(&self.offers, ask).into_iter().map(|place| &self.offers[place]).collect()
            }
            Matching::Loose => self.of_model(&ask.name).collect(),
            Matching::Any => self.offers.iter().collect(),
        }
    }

    /// Returns the exchanges that were recorded of this very request, body included; JSON bodies are compared as JSON.
    /// What was made unreadable in a recorded request is made so in this one.
    pub fn fixed(&self, method: &str, path: &str, body: &[u8]) -> Vec<&Fixed> {
        self.index.fixed(&self.fixed, method, path, body).into_iter().map(|place| &self.fixed[place]).collect()
    }

    /// Returns the model called `name`.
    pub fn card(&self, name: &ModelName) -> Option<&Card> {
        self.cards.get(name)
    }

    /// Returns all models, installed or not, by name.
    pub(crate) fn cards(&self) -> impl Iterator<Item = &Card> {
        self.cards.values()
    }

    /// Returns the rules of the scripts, in order.
    pub(crate) fn rules(&self) -> &[Arc<Rule>] {
        &self.rules
    }

    /// Returns what a script states of the model called `name`.
    pub fn script(&self, name: &ModelName) -> Option<&Scripted> {
        self.scripts.get(name)
    }
}
