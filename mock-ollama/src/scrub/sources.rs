//! What objects say of themselves: which choice, call or output they belong to.

use std::borrow::Cow;
use std::hash::{BuildHasher as _, Hash};
use std::ops::Range;

use rustc_hash::{FxBuildHasher, FxHashMap};

use super::encoding::Encoding;
use super::lexer::{Lexer, Token};

/// The most kinds of index that are distinguished; others are ignored.
const MAX_COUNTERS: usize = 1 << 16;

/// The counter of what is no number.
const NAMES: u32 = u32::MAX;

/// What tells one place from another beside the keys on the way to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GroupBy {
    /// The indices that objects state of themselves: of choices, calls, outputs, contents.
    Index,
    /// Also what else they say of themselves (`type`, `id`), and the order of elements in their array.
    Source,
}

/// What the objects of a body say of themselves.
#[derive(Debug)]
pub(super) struct Sources(Vec<(u32, u32)>);

impl Sources {
    /// Reads the indices of all objects, and by source their types and ids as well.
    ///
    /// An index that never comes twice and never goes back numbers the events, and says nothing of their source.
    pub(super) fn of(body: &[u8], by: GroupBy) -> Self {
        let mut walk = Walk { body, by, levels: Vec::new(), counters: Counters::default(), labels: Vec::new() };
        for token in Lexer::new(body) {
            walk.take(token);
        }
        let Walk { counters, mut labels, .. } = walk;
        labels.retain(|label| label.counter == NAMES || counters.chooses(label.counter));
        labels.sort_unstable();
        let mut sources: Vec<(u32, u32)> = Vec::new();
        for Label { object, counter, value } in labels {
            match sources.last_mut().filter(|(last, _)| *last == object) {
                Some((_, hash)) => *hash = short_hash((*hash, counter, value)),
                None => sources.push((object, short_hash((counter, value)))),
            }
        }
        Self(sources)
    }

    /// They, one object after the other.
    pub(super) fn in_order(&self) -> InOrder<'_> {
        InOrder(&self.0)
    }
}

/// What is left of them.
#[derive(Debug)]
pub(super) struct InOrder<'a>(&'a [(u32, u32)]);

impl InOrder<'_> {
    /// Returns what the object that begins at `at` says, as a hash; `None` where it says nothing. Objects are asked for
    /// in order.
    pub(super) fn of(&mut self, at: usize) -> Option<u32> {
        while let [(object, source), rest @ ..] = self.0 {
            if *object as usize > at {
                return None;
            }
            self.0 = rest;
            if *object as usize == at {
                return Some(*source);
            }
        }
        None
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Label {
    /// Where the object begins.
    object: u32,
    counter: u32,
    value: u32,
}

/// The indices of one name at one place each: the highest so far, and whether one came twice.
#[derive(Debug, Default)]
struct Counters {
    numbers: FxHashMap<u64, u32>,
    seen: Vec<(u64, bool)>,
}

impl Counters {
    fn count(&mut self, place: u64, value: u64) -> Option<u32> {
        let next = u32::try_from(self.seen.len()).unwrap_or(NAMES);
        let counter = match self.numbers.get(&place) {
            Some(counter) => *counter,
            None if self.seen.len() == MAX_COUNTERS => return None,
            None => {
                self.seen.push((value, false));
                self.numbers.insert(place, next);
                return Some(next);
            }
        };
        let (highest, chooses) = &mut self.seen[counter as usize];
        *chooses |= value <= *highest;
        *highest = value.max(*highest);
        Some(counter)
    }

    fn chooses(&self, counter: u32) -> bool {
        self.seen[counter as usize].1
    }
}

/// An array or object that is open.
#[derive(Debug)]
struct Level {
    start: usize,
    /// A hash of the keys on the way to it.
    place: u64,
    /// The key of its next value.
    key: Range<usize>,
}

struct Walk<'a> {
    body: &'a [u8],
    by: GroupBy,
    levels: Vec<Level>,
    counters: Counters,
    labels: Vec<Label>,
}

impl<'a> Walk<'a> {
    fn take(&mut self, token: Token) {
        match token {
            Token::Open { at, .. } => {
                let place = self.levels.last().map_or(0, |level| hash((level.place, self.key(level))));
                self.levels.push(Level { start: at, place, key: 0..0 });
            }
            Token::Close { .. } => drop(self.levels.pop()),
            Token::Key(range) => {
                if let Some(level) = self.levels.last_mut() {
                    level.key = range;
                }
            }
            Token::Scalar(range) => self.number(range),
            Token::Text(range) if self.by == GroupBy::Source => self.name(range),
            Token::Abandon => self.levels.clear(),
            Token::Text(_) | Token::Comma | Token::Line { .. } => {}
        }
    }

    fn number(&mut self, range: Range<usize>) {
        let Some(level) = self.levels.last() else { return };
        let key = self.key(level);
        if *key != *b"index" && !key.ends_with(b"_index") {
            return;
        }
        let value = std::str::from_utf8(&self.body[range]).ok().and_then(|digits| digits.parse::<u64>().ok());
        let counted = value.and_then(|value| Some((self.counters.count(hash((level.place, key)), value)?, value)));
        if let Some((counter, value)) = counted {
            self.say(counter, short_hash(value));
        }
    }

    fn name(&mut self, range: Range<usize>) {
        let Some(level) = self.levels.last() else { return };
        let key = self.key(level);
        if matches!(&*key, b"type" | b"id") || key.ends_with(b"_id") {
            self.say(NAMES, short_hash((key, &self.body[range])));
        }
    }

    fn key(&self, level: &Level) -> Cow<'a, [u8]> {
        Encoding::Json.read(&self.body[level.key.clone()])
    }

    fn say(&mut self, counter: u32, value: u32) {
        let object = self.levels.last().and_then(|level| u32::try_from(level.start).ok());
        self.labels.extend(object.map(|object| Label { object, counter, value }));
    }
}

pub(super) fn hash(value: impl Hash) -> u64 {
    FxBuildHasher.hash_one(value)
}

fn short_hash(value: impl Hash) -> u32 {
    // The upper half is the better one (`rustc_hash`).
    (hash(value) >> 32) as u32
}
