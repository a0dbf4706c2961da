//! Which script answers a request.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use mock_ollama::catalog::{Catalog, Choice, Delivery, Matching, Prepared};
use mock_ollama::dialect;
use mock_ollama::schedule::Pace;
use mock_ollama::seed::Seed;

use super::error::ModelError;
use super::script::{Script, count};
use crate::workload::{RequestPlan, Workload};

/// The scripts of all answers that a workload gets.
pub(super) struct Scripts<'a> {
    all: Vec<Script>,
    by_request: HashMap<(&'a str, &'a str), Answers>,
    /// How often each agent has made a choice among several recordings; it gets them in turns.
    turns: HashMap<(u32, u32), usize>,
    takes_turns: bool,
}

/// The answers to one request.
struct Answers {
    /// What tells the choice from others.
    choice: u32,
    scripts: Vec<u32>,
}

/// The scripts that were made so far.
struct Maker<'a> {
    catalog: &'a Catalog,
    pace: Pace,
    scripts: Vec<Script>,
    /// By the response in the catalog.
    known: HashMap<*const Prepared, u32>,
    choices: HashMap<(Arc<str>, usize), u32>,
}

impl<'a> Scripts<'a> {
    pub(super) fn new(workload: &'a Workload, pace: Pace) -> Result<Self, ModelError> {
        let catalog = Catalog::new(workload.recordings.iter().cloned());
        let (scripts, known, choices) = (Vec::new(), HashMap::new(), HashMap::new());
        let mut maker = Maker { catalog: &catalog, pace, scripts, known, choices };
        let mut by_request: HashMap<_, Answers> = HashMap::new();
        for agent in &workload.agents {
            for request in &agent.requests {
                if let Entry::Vacant(new) = by_request.entry(key_of(request)) {
                    let unanswered = || ModelError::Unanswered {
                        agent: agent.name.clone(),
                        path: request.path.clone(),
                        body: request.body.clone(),
                    };
                    new.insert(maker.answers(request)?.ok_or_else(unanswered)?);
                }
            }
        }
        let takes_turns = by_request.values().any(|answers| answers.scripts.len() > 1);
        Ok(Self { all: maker.scripts, by_request, turns: HashMap::new(), takes_turns })
    }

    /// The number of the script of the answer that an agent gets when it sends this request now.
    pub(super) fn answer(&mut self, agent: u32, request: &RequestPlan) -> u32 {
        // Every request of the workload is in the table.
        let Answers { choice, scripts } = &self.by_request[&key_of(request)];
        if !self.takes_turns {
            return scripts[0];
        }
        let turn = self.turns.entry((agent, *choice)).or_default();
        *turn += 1;
        scripts[(*turn - 1) % scripts.len()]
    }

    pub(super) fn get(&self, number: u32) -> &Script {
        &self.all[number as usize]
    }
}

fn key_of(request: &RequestPlan) -> (&str, &str) {
    (&request.path, &request.body)
}

impl Maker<'_> {
    /// The answers to a request, by the rules of the server; `None` when it would not replay a recording's own bytes.
    fn answers(&mut self, request: &RequestPlan) -> Result<Option<Answers>, ModelError> {
        let Some(format) = dialect::at(&request.path) else { return Ok(None) };
        let Ok(ask) = dialect::decode(format, &request.path, request.body.as_bytes()) else { return Ok(None) };
        let catalog = self.catalog;
        let chosen = catalog.choose(&ask, Matching::Exact, || Seed(0)).ok().filter(Choice::is_own);
        let Some(chosen) = chosen else { return Ok(None) };
        let mut scripts = Vec::new();
        for candidate in chosen.candidates() {
            let Delivery::Stored(response) = &candidate.delivery else { return Ok(None) };
            scripts.push(self.script(response)?);
        }
        let (recording, exchange) = chosen.key();
        let next = count(self.choices.len())?;
        let choice = *self.choices.entry((Arc::clone(recording), exchange)).or_insert(next);
        Ok(Some(Answers { choice, scripts }))
    }

    /// The script of an answer, made once.
    fn script(&mut self, response: &Arc<Prepared>) -> Result<u32, ModelError> {
        // The catalog keeps the response alive, so its address is no other's.
        let key = Arc::as_ptr(response);
        if let Some(known) = self.known.get(&key) {
            return Ok(*known);
        }
        let number = count(self.scripts.len())?;
        self.scripts.push(Script::new(response, self.pace)?);
        self.known.insert(key, number);
        Ok(number)
    }
}
