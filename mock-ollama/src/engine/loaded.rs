//! Which models are loaded, and until when.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::clock::Instant;
use crate::models::ModelName;

/// How long a model stays loaded after its last answer (`OLLAMA_KEEP_ALIVE`).
const KEEP_ALIVE: Duration = Duration::from_secs(5 * 60);

/// The models that were loaded, and until when they are.
#[derive(Debug, Default)]
pub(super) struct LoadedModels(BTreeMap<ModelName, Loaded>);

#[derive(Debug)]
struct Loaded {
    /// Answers of it in progress.
    in_flight: usize,
    expires: Instant,
}

impl LoadedModels {
    fn of(&mut self, model: &ModelName) -> &mut Loaded {
        self.0.entry(model.clone()).or_insert(Loaded { in_flight: 0, expires: Instant::ZERO })
    }

    /// Loads a model without an answer.
    pub(super) fn load(&mut self, model: &ModelName, now: Instant) {
        self.of(model).expires = now.saturating_add(KEEP_ALIVE);
    }

    /// Unloads a model, at once unless an answer of it is in progress.
    pub(super) fn unload(&mut self, model: &ModelName, now: Instant) {
        self.of(model).expires = now;
    }

    /// An answer of `model` begins.
    pub(super) fn begin(&mut self, model: &ModelName) {
        self.of(model).in_flight += 1;
    }

    /// An answer of `model` ended; only now does its keep-alive start to run.
    pub(super) fn end(&mut self, model: &ModelName, now: Instant) {
        let loaded = self.of(model);
        loaded.in_flight = loaded.in_flight.saturating_sub(1);
        loaded.expires = now.saturating_add(KEEP_ALIVE);
    }

    /// What is loaded at `now` and when it expires, the latest first (`/api/ps`).
    pub(super) fn list(&self, now: Instant) -> Vec<(&ModelName, Instant)> {
        let alive = self.0.iter().filter(|(_, loaded)| loaded.in_flight > 0 || loaded.expires > now);
        let mut alive: Vec<_> = alive.map(|(name, loaded)| (name, loaded.expires)).collect();
        alive.sort_by_key(|(_, expires)| std::cmp::Reverse(*expires));
        alive
    }
}
