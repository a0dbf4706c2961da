//! Which models are loaded, and until when (`server/sched.go`).

use std::time::Duration;

use super::{Card, KeepAlive};
use crate::clock::Instant;

/// How long "for ever" is: the longest duration that Go can count in nanoseconds, about 292 years.
const FOREVER: Duration = Duration::from_nanos(i64::MAX as u64);

/// The digits of a digest that is not known; models without one share nothing.
const UNKNOWN_DIGIT: char = '0';

/// The loaded models. Models that share their weights share a runner, which has the name that loaded it first.
#[derive(Clone, Debug)]
pub struct Runners {
    default: KeepAlive,
    loaded: Vec<Runner>,
}

#[derive(Clone, Debug)]
struct Runner {
    card: Card,
    /// What it was loaded with.
    options: String,
    /// The last that a request said, or the default.
    keep_alive: KeepAlive,
    in_flight: usize,
    /// When it is unloaded; not known before its first request has ended.
    expires: Option<Instant>,
}

impl Runner {
    fn serves(&self, card: &Card) -> bool {
        let known = card.weights.chars().any(|digit| digit != UNKNOWN_DIGIT);
        self.card.name == card.name || (known && self.card.weights == card.weights)
    }

    fn is_loaded(&self, now: Instant) -> bool {
        self.in_flight > 0 || self.expires.is_some_and(|expires| expires > now)
    }

    fn expires_at(&self, now: Instant) -> Instant {
        self.expires.unwrap_or_else(|| now.saturating_add(length(self.keep_alive)))
    }
}

fn length(keep_alive: KeepAlive) -> Duration {
    match keep_alive {
        KeepAlive::For(length) => length.min(FOREVER),
        KeepAlive::Forever => FOREVER,
    }
}

/// What a request for a model finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// It, loaded with the options that are asked for.
    Loaded,
    /// It, loaded with other options.
    Otherwise,
    /// Nothing.
    Absent,
}

/// A model that is loaded, for `/api/ps`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Loaded<'a> {
    /// The model whose name loaded it first.
    pub card: &'a Card,
    /// When it is unloaded; while its first request runs, as if that ended now.
    pub expires: Instant,
}

impl Runners {
    /// Nothing is loaded; `default` holds until a request says otherwise.
    pub fn new(default: KeepAlive) -> Self {
        Self { default, loaded: Vec::new() }
    }

    /// A request for this model begins and loads it where it is not loaded. What it says of keep-alive holds from now
    /// on, also for requests that say nothing.
    pub fn begin(&mut self, card: &Card, options: &str, keep_alive: Option<KeepAlive>, now: Instant) {
        self.loaded.retain(|runner| runner.is_loaded(now));
        let known = self.loaded.iter().position(|runner| runner.serves(card));
        let at = known.unwrap_or_else(|| {
            let (card, options) = (card.clone(), options.to_owned());
            let runner = Runner { card, options, keep_alive: self.default, in_flight: 0, expires: None };
            self.loaded.push(runner);
            self.loaded.len() - 1
        });
        if let Some(runner) = self.loaded.get_mut(at) {
            runner.keep_alive = keep_alive.unwrap_or(runner.keep_alive);
            runner.in_flight += 1;
        }
    }

    /// A request for this model ended. The last of them sets when the model is unloaded.
    pub fn end(&mut self, card: &Card, now: Instant) {
        let Some(runner) = self.loaded.iter_mut().find(|runner| runner.serves(card)) else { return };
        runner.in_flight = runner.in_flight.saturating_sub(1);
        if runner.in_flight == 0 {
            runner.expires = Some(now.saturating_add(length(runner.keep_alive)));
        }
    }

    /// Loads a model without generating anything.
    pub fn load(&mut self, card: &Card, options: &str, keep_alive: Option<KeepAlive>, now: Instant) {
        self.begin(card, options, keep_alive, now);
        self.end(card, now);
    }

    /// Unloads a model, at once unless requests for it are in progress, else when they end.
    pub fn unload(&mut self, card: &Card, now: Instant) {
        let Some(runner) = self.loaded.iter_mut().find(|runner| runner.serves(card)) else { return };
        runner.keep_alive = KeepAlive::For(Duration::ZERO);
        runner.expires = Some(now);
        self.loaded.retain(|runner| runner.is_loaded(now));
    }

    /// What a request for this model with these options finds.
    pub fn find(&self, card: &Card, options: &str, now: Instant) -> Found {
        match self.loaded.iter().find(|runner| runner.serves(card) && runner.is_loaded(now)) {
            Some(runner) if runner.options == options => Found::Loaded,
            Some(_) => Found::Otherwise,
            None => Found::Absent,
        }
    }

    /// How many are loaded.
    pub fn count(&self, now: Instant) -> usize {
        self.loaded.iter().filter(|runner| runner.is_loaded(now)).count()
    }

    /// Unloads this model for another load of it; returns whether it could, which it cannot while it is busy. Then it is
    /// unloaded when its requests end.
    pub fn unload_for(&mut self, card: &Card, now: Instant) -> bool {
        self.unload(card, now);
        !self.loaded.iter().any(|runner| runner.serves(card))
    }

    /// Unloads the idle model that is kept shortest; where all are busy, the one that is kept shortest is unloaded when
    /// its requests end. Returns whether one was unloaded.
    pub fn make_room(&mut self, now: Instant) -> bool {
        self.loaded.retain(|runner| runner.is_loaded(now));
        let shortest = |idle: bool| {
            let some = self.loaded.iter().filter(|runner| (runner.in_flight == 0) == idle);
            some.min_by_key(|runner| length(runner.keep_alive)).map(|runner| runner.card.clone())
        };
        match shortest(true).or_else(|| shortest(false)) {
            Some(card) => self.unload_for(&card, now),
            None => true,
        }
    }

    /// What is loaded, what expires last first (`/api/ps`).
    pub fn list(&self, now: Instant) -> Vec<Loaded<'_>> {
        let loaded = self.loaded.iter().filter(|runner| runner.is_loaded(now));
        let mut list: Vec<_> =
            loaded.map(|runner| Loaded { card: &runner.card, expires: runner.expires_at(now) }).collect();
        list.sort_by_key(|entry| std::cmp::Reverse(entry.expires));
        list
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::{Found, Runners};
    use crate::clock::Instant;
    use crate::models::{Card, KeepAlive, ModelName};

    fn card(text: &str) -> Card {
        Card::named(ModelName::parse(text).unwrap())
    }

    fn sharing(text: &str) -> Card {
        Card { weights: "ab".repeat(32), ..card(text) }
    }

    fn at(seconds: u64) -> Instant {
        Instant::ZERO.saturating_add(Duration::from_secs(seconds))
    }

    fn seconds(count: u64) -> KeepAlive {
        KeepAlive::For(Duration::from_secs(count))
    }

    fn runners() -> Runners {
        Runners::new(KeepAlive::DEFAULT)
    }

    fn listed(runners: &Runners, now: u64) -> Vec<(&str, Instant)> {
        runners.list(at(now)).into_iter().map(|loaded| (loaded.card.name.as_str(), loaded.expires)).collect()
    }

    #[test]
    fn w_074_keep_alive_runs_from_the_end_of_the_last_request() {
        let mut runners = runners();
        runners.begin(&card("m"), "", Some(seconds(10)), at(0));
        assert_eq!(listed(&runners, 3), [("m:latest", at(13))]);
        runners.begin(&card("m"), "", None, at(4));
        runners.end(&card("m"), at(5));
        assert_eq!(listed(&runners, 6), [("m:latest", at(16))]);
        runners.end(&card("m"), at(100));
        assert_eq!(listed(&runners, 101), [("m:latest", at(110))]);
        assert_eq!(listed(&runners, 110), []);
    }

    #[test]
    fn w_113_a_request_that_says_nothing_keeps_what_the_one_before_said() {
        let mut runners = runners();
        runners.load(&card("m"), "", Some(seconds(20)), at(0));
        runners.load(&card("m"), "", None, at(1));
        assert_eq!(listed(&runners, 2), [("m:latest", at(21))]);
    }

    #[test]
    fn what_was_said_is_forgotten_with_the_model() {
        let mut runners = runners();
        runners.load(&card("m"), "", Some(seconds(20)), at(0));
        runners.load(&card("m"), "", None, at(30));
        assert_eq!(listed(&runners, 30), [("m:latest", at(330))]);
    }

    #[test]
    fn a_model_without_keep_alive_is_loaded_only_while_it_answers() {
        let mut runners = runners();
        runners.begin(&card("m"), "", Some(seconds(0)), at(0));
        assert_eq!(runners.find(&card("m"), "", at(1)), Found::Loaded);
        runners.end(&card("m"), at(2));
        assert_eq!(runners.find(&card("m"), "", at(2)), Found::Absent);
    }

    #[test]
    fn for_ever_is_about_292_years() {
        let mut runners = runners();
        runners.load(&card("m"), "", Some(KeepAlive::Forever), at(0));
        assert_eq!(listed(&runners, 0), [("m:latest", Instant::from_nanos(9_223_372_036_854_775_807))]);
    }

    #[test]
    fn an_idle_model_is_unloaded_at_once_and_a_busy_one_when_it_is_done() {
        let mut runners = runners();
        runners.load(&card("idle"), "", None, at(0));
        runners.begin(&card("busy"), "", None, at(0));
        runners.unload(&card("idle"), at(1));
        runners.unload(&card("busy"), at(1));
        assert_eq!(listed(&runners, 1), [("busy:latest", at(1))]);
        runners.end(&card("busy"), at(2));
        assert_eq!(listed(&runners, 2), []);
    }

    #[test]
    fn w_114_models_of_the_same_weights_share_a_runner_under_the_first_name() {
        let mut runners = runners();
        runners.load(&sharing("first"), "", Some(seconds(5)), at(0));
        runners.load(&sharing("second"), "", None, at(1));
        assert_eq!(listed(&runners, 2), [("first:latest", at(6))]);
        runners.unload(&sharing("second"), at(3));
        assert_eq!(listed(&runners, 3), []);
    }

    #[test]
    fn models_whose_weights_are_not_known_share_nothing() {
        let mut runners = runners();
        runners.load(&card("a"), "", None, at(0));
        runners.load(&card("b"), "", None, at(1));
        assert_eq!(listed(&runners, 2).len(), 2);
    }

    proptest! {
        #[test]
        fn w_072_what_expires_last_is_listed_first(lengths in prop::collection::vec(1_u64..1000, 1..8)) {
            let mut runners = runners();
            for (index, length) in lengths.iter().enumerate() {
                runners.load(&card(&format!("m{index}")), "", Some(seconds(*length)), at(0));
            }
            let expires: Vec<Instant> = runners.list(at(0)).iter().map(|loaded| loaded.expires).collect();
            prop_assert_eq!(expires.len(), lengths.len());
            prop_assert!(expires.is_sorted_by(|one, other| one >= other));
        }

        #[test]
        fn the_last_word_on_keep_alive_holds(said in prop::collection::vec(prop::option::of(100_u64..1000), 1..10)) {
            let mut runners = runners();
            for (second, length) in said.iter().enumerate() {
                runners.load(&card("m"), "", length.map(seconds), at(second as u64));
            }
            let last = said.iter().rev().find_map(|length| *length).unwrap_or(300);
            let end = said.len() as u64 - 1;
            prop_assert_eq!(listed(&runners, end), [("m:latest", at(end + last))]);
        }
    }
}
