//! What stands beside a token: its bytes as numbers, and the tokens that might have come in its place.

use std::ops::Range;

use super::encoding::{DecodedText, Encoding};
use super::fates::{Change, MarkedBody, Sink as _};
use super::lexer::{Lexer, Token};

/// What a value is, by its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// The token, or all of an object's tokens.
    Token,
    /// What stands beside it and spells it out again.
    Beside,
    Other,
}

impl Kind {
    fn of(key: &[u8]) -> Self {
        match key {
            b"token" | b"tokens" => Self::Token,
            b"bytes" | b"top_logprobs" => Self::Beside,
            _ => Self::Other,
        }
    }
}

/// An array or object that is open.
struct Level {
    start: usize,
    is_array: bool,
    kind: Kind,
    /// Whether its token was changed.
    is_changed: bool,
    beside: Vec<Range<usize>>,
}

/// Changes all that stands beside tokens that were changed.
pub(super) fn change(marked: &mut MarkedBody<'_>) {
    if marked.fates.is_empty() {
        return;
    }
    let body = marked.body;
    for range in beside_changed(marked) {
        change_all(body, range, marked);
    }
}

/// Returns the values beside changed tokens, in order; none is inside another.
fn beside_changed(marked: &MarkedBody<'_>) -> Vec<Range<usize>> {
    let mut levels: Vec<Level> = Vec::new();
    let mut found = Vec::new();
    for token in Lexer::new(marked.body) {
        let value = match token {
            Token::Open { at, is_array } => {
                levels.push(Level { start: at, is_array, kind: Kind::Other, is_changed: false, beside: Vec::new() });
                continue;
            }
            Token::Close { at } => {
                let Some(level) = levels.pop() else { continue };
                if level.is_changed {
                    found.extend(level.beside);
                }
                level.start..at + 1
            }
            Token::Key(range) => {
                if let Some(level) = levels.last_mut() {
                    level.kind = Kind::of(&Encoding::Json.read(&marked.body[range]));
                }
                continue;
            }
            Token::Text(range) => range.start - 1..range.end,
            Token::Abandon => {
                levels.clear();
                continue;
            }
            Token::Comma | Token::Scalar(_) | Token::Line { .. } => continue,
        };
        let Some(level) = levels.last_mut().filter(|level| !level.is_array) else { continue };
        match level.kind {
            Kind::Token => level.is_changed |= marked.fates.any(value),
            Kind::Beside => level.beside.push(value),
            Kind::Other => {}
        }
    }
    found.sort_unstable_by_key(|range| (range.start, std::cmp::Reverse(range.end)));
    let mut end = 0;
    found.retain(|range| {
        let is_new = range.start >= end;
        end = end.max(range.end);
        is_new
    });
    found
}

/// An array or object of what is changed.
struct Within {
    is_array: bool,
    /// Its keys, if there is nothing but numbers under them: then they are the tokens.
    keys: Vec<Range<usize>>,
    is_scores: bool,
}

fn no_scores(level: Option<&mut Within>) {
    if let Some(level) = level {
        level.is_scores = false;
    }
}

/// Changes every string, every number in an array, and every key that is a token.
fn change_all(body: &[u8], range: Range<usize>, marked: &mut MarkedBody<'_>) {
    let text = |range: Range<usize>, marked: &mut MarkedBody<'_>| {
        DecodedText::new(Encoding::Json, &body[range.clone()], range.start).change_all(marked);
    };
    let at = |inner: Range<usize>| range.start + inner.start..range.start + inner.end;
    let mut levels: Vec<Within> = Vec::new();
    for token in Lexer::new(&body[range.clone()]) {
        let level = levels.last_mut();
        match (token, level) {
            (Token::Open { is_array, .. }, level) => {
                no_scores(level);
                levels.push(Within { is_array, keys: Vec::new(), is_scores: true });
            }
            (Token::Close { .. }, _) => {
                let scores = levels.pop().filter(|level| level.is_scores);
                scores.into_iter().flat_map(|level| level.keys).for_each(|key| text(key, marked));
            }
            (Token::Key(key), Some(level)) => level.keys.push(at(key)),
            (Token::Text(inner), level) => {
                no_scores(level);
                text(at(inner), marked);
            }
            (Token::Scalar(number), Some(level)) if level.is_array && body[at(number.clone())][0].is_ascii_digit() => {
                marked.change(at(number), Change::Number);
            }
            _ => {}
        }
    }
}
