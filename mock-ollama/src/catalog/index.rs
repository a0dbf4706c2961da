//! Finds the recordings of a request without a look at each of them.
//!
//! The work for a request grows with its length, and not with its length times the number of recordings. A recording whose
//! secrets are made unreadable is looked for by what is left of the request then: once for each list of patterns, and only
//! where a recorded text is as long as the one that is asked.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::hash::{Hash, Hasher as _};

use rustc_hash::{FxHashMap, FxHashSet, FxHasher};
use serde_json::Value;

use super::offer::{Fixed, Offer};
use super::question::{characters, characters_of};
use crate::generation::{ParsedRequest, Question};
use crate::models::ModelName;
use crate::recording::RequestBody;
use crate::scrub::Scrub;

/// Where the offers and the fixed answers of a catalog are, by what was asked.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// The offers of each model.
    pub(super) models: BTreeMap<ModelName, Vec<usize>>,
    lists: Vec<List>,
    numbers: FxHashMap<Vec<String>, usize>,
}

/// What was recorded under one list of patterns.
#[derive(Debug)]
struct List {
    scrub: Scrub,
    questions: Groups,
    bodies: Groups,
    /// The paths of fixed answers.
    paths: FxHashSet<String>,
}

/// Places of equal things, by their hash.
#[derive(Debug, Default)]
struct Groups {
    by_hash: FxHashMap<u64, Vec<Vec<usize>>>,
    lengths: FxHashSet<usize>,
}

impl Groups {
    /// Adds a place; `equals` tells whether the same thing stands at another place.
    fn add(&mut self, hash: u64, lengths: Lengths, place: usize, equals: impl Fn(usize) -> bool) {
        self.lengths.extend(lengths);
        let groups = self.by_hash.entry(hash).or_default();
        match groups.iter_mut().find(|group| equals(group[0])) {
            Some(group) => group.push(place),
            None => groups.push(vec![place]),
        }
    }

    /// Adds to `found` the places of everything for which `fits` holds; equal things are asked about once.
    fn find(&self, hash: u64, fits: impl Fn(usize) -> bool, found: &mut Vec<usize>) {
        let groups = self.by_hash.get(&hash).into_iter().flatten().filter(|group| fits(group[0]));
        found.extend(groups.flatten());
    }

    fn has_length(&self, lengths: Lengths) -> bool {
        lengths.into_iter().any(|length| self.lengths.contains(&length))
    }
}

/// How long a text is, in characters, with what surrounds it and without. Making secrets unreadable changes neither.
type Lengths = [usize; 2];

impl Index {
    /// Returns the list of these patterns, made where there is none.
    fn list(&mut self, patterns: &[String]) -> &mut List {
        let next = self.lists.len();
        let number = self.numbers.get(patterns).copied().unwrap_or(next);
        if number == next {
            // Patterns that are no regular expressions were not written by the recorder: nothing is scrubbed.
            let scrub = Scrub::new(patterns.iter().map(String::as_str)).unwrap_or_default();
            let (questions, bodies, paths) = Default::default();
            self.lists.push(List { scrub, questions, bodies, paths });
            self.numbers.insert(patterns.to_vec(), next);
        }
        &mut self.lists[number]
    }

    /// Returns what is kept of the question of a recording under these patterns.
    pub(super) fn as_kept(&mut self, question: &Question, patterns: &[String]) -> Question {
        scrubbed_question(&self.list(patterns).scrub, question).into_owned()
    }

    /// Adds the last of the offers, which was recorded under these patterns.
    pub(super) fn add_offer(&mut self, offers: &[Offer], patterns: &[String]) {
        let Some((offer, before)) = offers.split_last() else { return };
        self.models.entry(offer.model.clone()).or_default().push(before.len());
        let Some(question) = &offer.question else { return };
        let is_same = |place: usize| before[place].model == offer.model && before[place].question == offer.question;
        let (hash, lengths) = (hash_of_question(&offer.model, question), lengths_of_question(question));
        self.list(patterns).questions.add(hash, lengths, before.len(), is_same);
    }

    /// Adds the last of the fixed answers, which was recorded under these patterns.
    pub(super) fn add_fixed(&mut self, fixed: &[Fixed], patterns: &[String]) {
        let Some((last, before)) = fixed.split_last() else { return };
        let is_same = |place: usize| {
            let other = &before[place];
            (other.method, &other.path, &other.body) == (last.method, &last.path, &last.body)
        };
        let body = last.body.as_ref();
        let (hash, lengths) = (hash_of_body(last.method, &last.path, body), lengths_of_body(body));
        let under = self.list(patterns);
        under.paths.insert(last.path.clone());
        under.bodies.add(hash, lengths, before.len(), is_same);
    }

    /// Returns the places of the offers of this very question, in order.
    pub(super) fn offers(&self, offers: &[Offer], ask: &ParsedRequest) -> Vec<usize> {
        let mut found = Vec::new();
        let lengths = lengths_of_question(&ask.question);
        for List { scrub, questions, .. } in self.lists.iter().filter(|list| list.questions.has_length(lengths)) {
            let asked = scrubbed_question(scrub, &ask.question);
            let fits = |place: usize| {
                let Offer { model, question, .. } = &offers[place];
                *model == ask.name && question.as_ref().is_some_and(|known| same_question(known, &asked))
            };
            questions.find(hash_of_question(&ask.name, &asked), fits, &mut found);
        }
        found.sort_unstable();
        found
    }

    /// Returns the places of the fixed answers to this very request, in order; JSON bodies are compared as JSON.
    pub(super) fn fixed(&self, fixed: &[Fixed], method: &str, path: &str, body: &[u8]) -> Vec<usize> {
        let mut found = Vec::new();
        let mut find = |bodies: &Groups, path: &str, asked: Option<&RequestBody>| {
            let fits = |place: usize| {
                let fixed = &fixed[place];
                fixed.method == method && fixed.path == path && fixed.body.as_ref() == asked
            };
            bodies.find(hash_of_body(method, path, asked), fits, &mut found);
        };
        let forms = OnceCell::new();
        for List { scrub, bodies, paths, .. } in &self.lists {
            let scrubbed_path = scrub.target(path);
            if !paths.contains(path) && !paths.contains(&scrubbed_path) {
                continue;
            }
            for asked in forms.get_or_init(|| forms_of_body(body)) {
                if !bodies.has_length(lengths_of_body(asked.as_ref())) {
                    continue;
                }
                find(bodies, path, asked.as_ref());
                if !scrub.is_empty() {
                    find(bodies, &scrubbed_path, asked.as_ref().map(|asked| scrubbed_body(scrub, asked)).as_ref());
                }
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// Returns what a body may have been recorded as: nothing, text, a JSON value, and JSON with numbers and keys as they
/// were sent.
fn forms_of_body(body: &[u8]) -> Vec<Option<RequestBody>> {
    if body.is_empty() {
        return vec![None];
    }
    let Ok(text) = std::str::from_utf8(body) else { return Vec::new() };
    let exact = Some(RequestBody::of(text)).filter(|body| matches!(body, RequestBody::Exact(_)));
    let json = serde_json::from_str(text).ok().map(RequestBody::Json);
    [Some(RequestBody::Text(text.to_owned())), json, exact].into_iter().flatten().map(Some).collect()
}

/// Returns what making secrets unreadable leaves of a question.
fn scrubbed_question<'a>(scrub: &Scrub, asked: &'a Question) -> Cow<'a, Question> {
    if scrub.is_empty() {
        return Cow::Borrowed(asked);
    }
    Cow::Owned(match asked {
        Question::Prompt(prompt) => match scrub.json(&Value::from(prompt.as_str())) {
            Value::String(prompt) => Question::Prompt(prompt),
            _ => Question::Prompt(String::new()),
        },
        Question::Messages(messages) => match scrub.json(&Value::from(messages.clone())) {
            Value::Array(messages) => Question::Messages(messages),
            _ => Question::Messages(Vec::new()),
        },
    })
}

fn scrubbed_body(scrub: &Scrub, body: &RequestBody) -> RequestBody {
    match body {
        RequestBody::Text(text) => RequestBody::Text(scrub.request(text)),
        RequestBody::Json(value) => RequestBody::Json(scrub.json(value)),
        RequestBody::Exact(json) => RequestBody::of(&scrub.request(json.as_str())),
    }
}

/// Returns whether two questions are the same. A prompt is the same as a conversation of one message of the user.
fn same_question(one: &Question, other: &Question) -> bool {
    match (one, other) {
        (Question::Prompt(prompt), messages @ Question::Messages(_))
        | (messages @ Question::Messages(_), Question::Prompt(prompt)) => words(messages) == Some(prompt.as_str()),
        (one, other) => one == other,
    }
}

/// Returns the prompt, or the words of the one message of a user.
fn words(question: &Question) -> Option<&str> {
    match question {
        Question::Prompt(prompt) => Some(prompt),
        Question::Messages(messages) => match messages.as_slice() {
            [only] if only["role"] == "user" => only["content"].as_str(),
            _ => None,
        },
    }
}

/// Returns a hash that is the same for questions that are the same.
fn hash_of_question(model: &ModelName, question: &Question) -> u64 {
    let mut hasher = FxHasher::default();
    model.hash(&mut hasher);
    match question {
        Question::Messages(messages) if words(question).is_none() => messages.hash(&mut hasher),
        question => words(question).hash(&mut hasher),
    }
    hasher.finish()
}

fn hash_of_body(method: &str, path: &str, body: Option<&RequestBody>) -> u64 {
    let mut hasher = FxHasher::default();
    (method, path).hash(&mut hasher);
    match body {
        None => {}
        Some(RequestBody::Text(text)) => text.hash(&mut hasher),
        Some(RequestBody::Json(value)) => value.hash(&mut hasher),
        Some(RequestBody::Exact(json)) => json.as_str().hash(&mut hasher),
    }
    hasher.finish()
}

fn lengths_of_question(question: &Question) -> Lengths {
    let all = characters(question);
    [all, words(question).map_or(all, |words| words.chars().count())]
}

fn lengths_of_body(body: Option<&RequestBody>) -> Lengths {
    let all = match body {
        // The text of the second may change its length, so such bodies are looked at whatever their length.
        None | Some(RequestBody::Exact(_)) => 0,
        Some(RequestBody::Text(text)) => text.chars().count(),
        Some(RequestBody::Json(value)) => characters_of(value),
    };
    [all, all]
}

#[cfg(test)]
#[path = "index_tests.rs"]
mod tests;
