//! Looking for secrets in a body, in every way in which fragments of it may make one.

use std::ops::Range;

use super::encoding::Encoding;
use super::fates::MarkedBody;
use super::joined::{JoinedText, written_range};
use super::lexer::{Lexer, Token};
use super::logprobs;
use super::pass::Pass;
use super::places::{Fragment, fragments};
use super::search::Search;
use super::sources::GroupBy;
use super::sources::Sources;

/// Changes all that matches in a body.
pub(super) fn change(search: &Search<'_>, marked: &mut MarkedBody<'_>) {
    texts(search, GroupBy::Index, marked);
    texts(search, GroupBy::Source, marked);
    if search.passes.has(Pass::Keys) {
        keys(search, marked);
    }
    lines(search, marked);
    // Last, since it looks at what was changed.
    if search.passes.has(Pass::Logprobs) {
        logprobs::change(marked);
    }
}

/// The texts that strings and bytes make together, and each string by itself.
fn texts(search: &Search<'_>, by: GroupBy, marked: &mut MarkedBody<'_>) {
    let body = marked.body;
    let joins = search.passes.has(if by == GroupBy::Index { Pass::SamePlace } else { Pass::SameSource });
    let each = by == GroupBy::Index && search.passes.has(Pass::Strings);
    let all = fragments(body, by, &Sources::of(body, by));
    for together in all.chunk_by(|one, other| one.place == other.place) {
        let starts = || together.iter().map(|fragment| fragment.start + 1);
        if body[together[0].start as usize] == b'[' {
            if joins && search.passes.has(Pass::Bytes) {
                let joined = JoinedText::new(body, Encoding::Numbers, starts());
                search.bytes(&joined.text, &mut joined.to(marked));
            }
            continue;
        }
        // Where the fragments make JSON, what is within a fragment may be the end of one of its strings and the next.
        let is_json = joins && differ(body, together) && {
            let joined = JoinedText::new(body, Encoding::Json, starts());
            search.text(&joined.text, &mut joined.to(marked))
        };
        if each && !is_json {
            starts().for_each(|start| search.string(body, written_range(body, Encoding::Json, start), marked));
        }
    }
}

/// Returns whether strings are not all the same. One that stands in every object, such as the name of the model, is no
/// text in fragments.
fn differ(body: &[u8], strings: &[Fragment]) -> bool {
    let written = |fragment: &Fragment| &body[written_range(body, Encoding::Json, fragment.start + 1)];
    strings.iter().any(|fragment| written(fragment) != written(&strings[0]))
}

fn keys(search: &Search<'_>, marked: &mut MarkedBody<'_>) {
    for token in Lexer::new(marked.body) {
        if let Token::Key(range) = token {
            search.string(marked.body, range, marked);
        }
    }
}

/// Each line that is not JSON; those that follow each other, and the data of events, make a text as well.
fn lines(search: &Search<'_>, marked: &mut MarkedBody<'_>) {
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
        let joined = JoinedText::new(body, Encoding::Plain, data);
        search.text(&joined.text, &mut joined.to(marked));
    }
}

fn run(search: &Search<'_>, (range, lines): (Range<usize>, usize), marked: &mut MarkedBody<'_>) {
    if lines > 1 && search.passes.has(Pass::Lines) {
        search.line(marked.body, range, marked);
    }
}
