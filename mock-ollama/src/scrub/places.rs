//! Which strings of a body belong together: those that stand at one place of successive objects.

use std::hash::Hash;
use std::ops::Range;

use rustc_hash::FxHashMap;

use super::encoding::Encoding;
use super::lexer::{Lexer, Token};
use super::sources::{GroupBy, Sources, hash};

/// The most places that are distinguished. What stands elsewhere counts as one place.
const MAX_PLACES: usize = 1 << 18;

/// The place of everything beyond [`MAX_PLACES`].
const ELSEWHERE: u32 = 0;

/// The place of values that are in nothing.
const ROOT: u32 = 1;

/// A string, or an array of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Fragment {
    pub(super) place: u32,
    /// Where its quote or bracket stands.
    pub(super) start: u32,
}

/// Numbers for places, given out as they come.
#[derive(Debug)]
struct Places {
    by: GroupBy,
    known: FxHashMap<(u32, u64), u32>,
}

impl Places {
    fn of(&mut self, parent: u32, part: impl Hash) -> u32 {
        let key = (parent, hash(part));
        let next = u32::try_from(self.known.len()).unwrap_or(ELSEWHERE) + ROOT + 1;
        match self.known.get(&key) {
            Some(place) => *place,
            None if self.known.len() == MAX_PLACES => ELSEWHERE,
            None => *self.known.entry(key).or_insert(next),
        }
    }
}

/// An array or object that is open.
#[derive(Debug)]
struct Level {
    place: u32,
    is_array: bool,
    /// The place of its next value.
    value: u32,
    /// Elements before the next one.
    position: u32,
    /// Whether the next value is called `bytes`.
    is_bytes: bool,
}

/// Returns the strings and the bytes of a body, sorted by place.
pub(super) fn fragments(body: &[u8], by: GroupBy, sources: &Sources) -> Vec<Fragment> {
    let mut walk =
        Walk { body, places: Places { by, known: FxHashMap::default() }, levels: Vec::new(), found: Vec::new() };
    let mut sources = sources.in_order();
    for token in Lexer::new(body) {
        match token {
            Token::Open { at, is_array } => walk.open(at, is_array, sources.of(at)),
            Token::Close { .. } => drop(walk.levels.pop()),
            Token::Comma => walk.comma(),
            Token::Key(range) => walk.key(range),
            Token::Text(range) if !range.is_empty() => walk.add(range.start - 1),
            Token::Abandon => walk.levels.clear(),
            Token::Text(_) | Token::Scalar(_) | Token::Line { .. } => {}
        }
    }
    walk.found.sort_unstable();
    walk.found
}

struct Walk<'a> {
    body: &'a [u8],
    places: Places,
    levels: Vec<Level>,
    found: Vec<Fragment>,
}

impl Walk<'_> {
    fn add(&mut self, at: usize) {
        let place = self.levels.last().map_or(ROOT, |level| level.value);
        // A body is shorter than `u32::MAX`.
        let start = u32::try_from(at).unwrap_or(u32::MAX);
        self.found.push(Fragment { place, start });
    }

    fn open(&mut self, at: usize, is_array: bool, source: Option<u32>) {
        if is_array && self.levels.last().is_some_and(|level| level.is_bytes) {
            self.add(at);
        }
        let place = self.levels.last().map_or(ROOT, |level| level.value);
        let place = source.map_or(place, |source| self.places.of(place, ("source", source)));
        self.levels.push(Level { place, is_array, value: place, position: 0, is_bytes: false });
        self.element();
    }

    fn comma(&mut self) {
        if let Some(level) = self.levels.last_mut() {
            level.position = level.position.saturating_add(1);
        }
        self.element();
    }

    /// The next value is an element, if this is an array.
    fn element(&mut self) {
        let by = self.places.by;
        if let Some(level) = self.levels.last_mut().filter(|level| level.is_array) {
            let position = if by == GroupBy::Source { level.position } else { 0 };
            level.value = self.places.of(level.place, ("element", position));
        }
    }

    fn key(&mut self, range: Range<usize>) {
        let key = Encoding::Json.read(&self.body[range]);
        if let Some(level) = self.levels.last_mut() {
            level.value = self.places.of(level.place, &*key);
            level.is_bytes = *key == *b"bytes";
        }
    }
}
