//! Looking for secrets in a body, in every way in which pieces of it may make one.

use std::ops::Range;

use super::beside;
use super::coding::Form;
use super::fates::Marked;
use super::joined::{Joined, written_range};
use super::lexer::{Lexer, Token};
use super::pass::Pass;
use super::places::{By, Piece, pieces};
use super::search::Search;
use super::sources::Sources;

/// Changes all that matches in a body.
pub(super) fn change(search: &Search<'_>, marked: &mut Marked<'_>) {
    texts(search, By::Index, marked);
    texts(search, By::Source, marked);
    if search.passes.has(Pass::Keys) {
        keys(search, marked);
    }
    lines(search, marked);
    // Last, since it looks at what was changed.
    if search.passes.has(Pass::Beside) {
        beside::change(marked);
    }
}

/// The texts that strings and bytes make together, and each string by itself.
fn texts(search: &Search<'_>, by: By, marked: &mut Marked<'_>) {
    let body = marked.body;
    let joins = search.passes.has(if by == By::Index { Pass::SamePlace } else { Pass::SameSource });
    let each = by == By::Index && search.passes.has(Pass::Strings);
    let all = pieces(body, by, &Sources::of(body, by));
    for together in all.chunk_by(|one, other| one.place == other.place) {
        let starts = || together.iter().map(|piece| piece.start + 1);
        if body[together[0].start as usize] == b'[' {
            if joins && search.passes.has(Pass::Bytes) {
                let joined = Joined::new(body, Form::Numbers, starts());
                search.bytes(&joined.text, &mut joined.to(marked));
            }
            continue;
        }
        // Where the pieces make JSON, what is within a piece may be the end of one of its strings and the next.
        let is_json = joins && differ(body, together) && {
            let joined = Joined::new(body, Form::Json, starts());
            search.text(&joined.text, &mut joined.to(marked))
        };
        if each && !is_json {
            starts().for_each(|start| search.string(body, written_range(body, Form::Json, start), marked));
        }
    }
}

/// Whether strings are not all the same. One that stands in every object, such as the name of the model, is no text in
/// pieces.
fn differ(body: &[u8], strings: &[Piece]) -> bool {
    let written = |piece: &Piece| &body[written_range(body, Form::Json, piece.start + 1)];
    strings.iter().any(|piece| written(piece) != written(&strings[0]))
}

fn keys(search: &Search<'_>, marked: &mut Marked<'_>) {
    for token in Lexer::new(marked.body) {
        if let Token::Key(range) = token {
            search.string(marked.body, range, marked);
        }
    }
}

/// Each line that is not JSON; those that follow each other, and the data of events, make a text as well.
fn lines(search: &Search<'_>, marked: &mut Marked<'_>) {
    let body = marked.body;
    let (lines, events) = (search.passes.has(Pass::Lines), search.passes.has(Pass::Events));
    let mut data = Vec::new();
    // Lines that follow each other, and how many they are.
    let mut run = (0..0, 0);
    for token in Lexer::new(body) {
        let Token::Line { range, is_event } = token else { continue };
        if lines {
            search.line(body, range.clone(), marked);
        }
        if is_event {
            data.extend(u32::try_from(range.start));
        } else if body[run.0.end..range.start].trim_ascii().is_empty() {
            run = (run.0.start..range.end, run.1 + 1);
        } else {
            self::run(search, std::mem::replace(&mut run, (range, 1)), marked);
        }
    }
    self::run(search, run, marked);
    if events && data.len() > 1 {
        let joined = Joined::new(body, Form::Plain, data);
        search.text(&joined.text, &mut joined.to(marked));
    }
}

fn run(search: &Search<'_>, (range, lines): (Range<usize>, usize), marked: &mut Marked<'_>) {
    if lines > 1 && search.passes.has(Pass::Lines) {
        search.line(marked.body, range, marked);
    }
}
