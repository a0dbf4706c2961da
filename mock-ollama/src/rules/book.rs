//! The rules of a server, and how often each was used.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::incoming::{Endpoint, IncomingRequest};
use super::reply::{Reply, ReplyKind};
use super::rule::{Per, Rule};
use crate::journal::{Caller, RuleUse};

/// A rule of one server; never given to another rule of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RuleId(pub(crate) usize);

/// The rules of a server, and how often each was used.
#[derive(Debug)]
pub(crate) struct RuleBook {
    entries: Vec<BookEntry>,
    /// The rules that are stated while it serves are tried before those of its scripts.
    scripted: usize,
    per: Per,
    stated: usize,
}

#[derive(Debug)]
struct BookEntry {
    id: RuleId,
    rule: Arc<Rule>,
    used: u64,
    counts: BTreeMap<String, Counts>,
}

/// What is counted for one server, caller or conversation.
#[derive(Debug, Default)]
struct Counts {
    matched: u64,
    used: usize,
}

/// The rule that takes a request, and its reply.
#[derive(Debug)]
pub(crate) struct Selected {
    pub(crate) id: RuleId,
    pub(crate) name: String,
    /// How often the rule was used before, for what it counts together.
    pub(crate) turn: usize,
    pub(crate) reply: Reply,
}

impl Selected {
    /// Returns whether the rule leaves the answer to Ollama.
    pub(crate) fn is_as_ollama(&self) -> bool {
        matches!(self.reply.kind, ReplyKind::AsOllama)
    }
}

impl RuleBook {
    /// Returns a book with the rules of scripts.
    pub(crate) fn new(scripted: impl IntoIterator<Item = Arc<Rule>>, per: Per) -> Self {
        let mut book = Self { entries: Vec::new(), scripted: 0, per, stated: 0 };
        for rule in scripted {
            book.add(rule);
        }
        book.scripted = book.entries.len();
        book
    }

    fn add(&mut self, rule: Arc<Rule>) -> RuleId {
        self.stated += 1;
        let id = RuleId(self.stated);
        self.entries.push(BookEntry { id, rule, used: 0, counts: BTreeMap::new() });
        id
    }

    /// Adds a rule behind those that were stated before.
    pub(crate) fn state(&mut self, rule: Rule) -> RuleId {
        self.add(Arc::new(rule))
    }

    /// Changes a rule; its counts stay.
    pub(crate) fn change(&mut self, id: RuleId, rule: Rule) {
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.id == id) {
            entry.rule = Arc::new(rule);
        }
    }

    /// Takes a rule away.
    pub(crate) fn remove(&mut self, id: RuleId) -> Option<RuleUse> {
        let place = self.entries.iter().position(|entry| entry.id == id)?;
        if place < self.scripted {
            self.scripted -= 1;
        }
        Some(self.entries.remove(place).use_of())
    }

    /// Returns whether there is no rule at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Returns the reply of the first stated rule that takes the request, and counts it.
    pub(crate) fn select_stated(&mut self, request: &IncomingRequest, caller: &Caller) -> Option<Selected> {
        let per = self.per;
        self.entries[self.scripted..].iter_mut().find_map(|entry| entry.select(request, caller, per))
    }

    /// Returns the reply of the first rule of a script that takes the request, and counts it.
    pub(crate) fn select_scripted(&mut self, request: &IncomingRequest, caller: &Caller) -> Option<Selected> {
        let per = self.per;
        self.entries[..self.scripted].iter_mut().find_map(|entry| entry.select(request, caller, per))
    }

    /// Returns the rule that came nearest to a request that none took, and the first of its conditions that failed.
    pub(crate) fn nearest(&self, request: &IncomingRequest) -> Option<String> {
        let failures = self.entries.iter().filter_map(|entry| {
            let (held, why) = entry.rule.matcher.first_failure(request)?;
            Some((held, entry, why))
        });
        // Of two that are equally near the first one.
        let nearest = failures.reduce(|best, next| if next.0 > best.0 { next } else { best });
        nearest.map(|(_, entry, why)| format!("{}; {why}", entry.title())).or_else(|| {
            let used_up = self.entries.iter().find(|entry| entry.rule.matcher.first_failure(request).is_none())?;
            Some(format!("{}, which is used up", used_up.title()))
        })
    }

    /// Returns how often each rule was used.
    pub(crate) fn uses(&self) -> Vec<RuleUse> {
        self.entries.iter().map(BookEntry::use_of).collect()
    }
}

impl BookEntry {
    fn select(&mut self, request: &IncomingRequest, caller: &Caller, server_per: Per) -> Option<Selected> {
        if request.endpoint() == Endpoint::Other && !self.rule.matcher.is_of_route() {
            return None;
        }
        if self.rule.matcher.first_failure(request).is_some() {
            return None;
        }
        let counts = self.counts.entry(self.rule.counted_under(request, caller, server_per)).or_default();
        counts.matched += 1;
        if !self.rule.window.holds(counts.matched) || (self.rule.ends && counts.used >= self.rule.replies.len()) {
            return None;
        }
        let turn = counts.used;
        counts.used += 1;
        self.used += 1;
        let reply = self.rule.replies.get(turn).or(self.rule.replies.last())?.clone();
        Some(Selected { id: self.id, name: self.rule.name.clone(), turn, reply })
    }

    fn title(&self) -> String {
        title(self.id.0, &self.rule.name)
    }

    fn use_of(&self) -> RuleUse {
        RuleUse {
            number: self.id.0,
            name: self.rule.name.clone(),
            matcher: self.rule.matcher.to_string(),
            used: self.used,
            unmet: self.rule.expectation.filter(|wanted| !wanted.holds(self.used)).map(|wanted| wanted.to_string()),
        }
    }
}

/// Returns what a report calls a rule.
fn title(number: usize, name: &str) -> String {
    if name.is_empty() { format!("rule {number}") } else { format!("rule {number} {name:?}") }
}
