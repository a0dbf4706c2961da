//! Looking for secrets in one text, and in the texts that are written inside it.

use std::ops::Range;

use super::encoding::{DecodedText, Encoding};
use super::fates::{Change, Sink};
use super::lexer::{Lexer, Token};
use super::pass::{Pass, Passes};
use super::patterns::Patterns;

/// How many texts inside each other are looked into: the arguments of a tool call are JSON in a string of a body, and a
/// string in them may hold JSON again.
const MAX_LAYERS: usize = 2;

/// What is looked for, and how.
#[derive(Clone, Copy, Debug)]
pub(super) struct Search<'a> {
    pub(super) patterns: &'a Patterns,
    pub(super) passes: Passes,
    /// The forms in which one text may be written inside another.
    pub(super) encodings: &'a [Encoding],
}

/// The forms inside the strings of a body.
pub(super) const IN_BODIES: &[Encoding] = &[Encoding::Json, Encoding::Percent];

/// The forms inside a request's target, and in lines about it.
pub(super) const IN_TARGETS: &[Encoding] = &[Encoding::Json, Encoding::Percent, Encoding::Query];

impl Search<'_> {
    /// Changes what matches in a text. Where that is JSON and nothing else, its strings are texts of their own, so that
    /// it stays JSON; whether it is.
    pub(super) fn text(&self, text: &[u8], to: &mut dyn Sink) -> bool {
        self.layer(text, MAX_LAYERS, to)
    }

    /// Changes what matches in the JSON string that stands in `body[range]`, without its quotes.
    pub(super) fn string(&self, body: &[u8], range: Range<usize>, to: &mut dyn Sink) {
        self.string_in(body, range, MAX_LAYERS, to);
    }

    /// Changes what matches in `body[range]`, which is not JSON.
    pub(super) fn line(&self, body: &[u8], range: Range<usize>, to: &mut dyn Sink) {
        let line = &body[range.clone()];
        self.plain(line, MAX_LAYERS, &mut Inside { decoded: DecodedText::new(Encoding::Plain, line, range.start), to });
    }

    /// Changes what matches in bytes inside which nothing is written.
    pub(super) fn bytes(&self, bytes: &[u8], to: &mut dyn Sink) {
        self.patterns.find(bytes, |found| to.change(found, Change::Characters));
    }

    fn layer(&self, text: &[u8], layers: usize, to: &mut dyn Sink) -> bool {
        let may_be_json = layers > 0 && self.passes.has(Pass::Nested) && looks_like_json(text);
        let is_json = may_be_json && self.json(text, layers - 1, to);
        if !is_json {
            self.plain(text, layers, to);
        }
        is_json
    }

    fn plain(&self, text: &[u8], layers: usize, to: &mut dyn Sink) {
        self.bytes(text, to);
        if layers == 0 || !self.passes.has(Pass::Nested) {
            return;
        }
        for encoding in self.encodings.iter().filter(|encoding| encoding.is_used(text)) {
            self.decoded(*encoding, text, 0, layers - 1, to);
        }
    }

    /// Looks into the strings of JSON, and at its numbers; whether there is nothing else.
    fn json(&self, text: &[u8], layers: usize, to: &mut dyn Sink) -> bool {
        let mut is_json = true;
        for token in Lexer::new(text) {
            match token {
                Token::Text(range) | Token::Key(range) => self.string_in(text, range, layers, to),
                Token::Scalar(range) => {
                    let scalar = &text[range.clone()];
                    self.bytes(
                        scalar,
                        &mut Inside { decoded: DecodedText::new(Encoding::Plain, scalar, range.start), to },
                    );
                }
                Token::Line { .. } => is_json = false,
                _ => {}
            }
        }
        is_json
    }

    fn string_in(&self, body: &[u8], range: Range<usize>, layers: usize, to: &mut dyn Sink) {
        let written = &body[range.clone()];
        if Encoding::Json.is_used(written) {
            self.decoded(Encoding::Json, written, range.start, layers, to);
        } else {
            let mut inside = Inside { decoded: DecodedText::new(Encoding::Plain, written, range.start), to };
            self.layer(written, layers, &mut inside);
        }
    }

    fn decoded(&self, encoding: Encoding, written: &[u8], offset: usize, layers: usize, to: &mut dyn Sink) {
        let mut text = Vec::new();
        encoding.decode(written, &mut text);
        self.layer(&text, layers, &mut Inside { decoded: DecodedText::new(encoding, written, offset), to });
    }
}

/// Returns whether a text begins as an array or object does.
fn looks_like_json(text: &[u8]) -> bool {
    matches!(text.trim_ascii_start(), [b'{' | b'[', ..])
}

/// The sink of a text that is written inside another one.
struct Inside<'a> {
    decoded: DecodedText<'a>,
    to: &'a mut dyn Sink,
}

impl Sink for Inside<'_> {
    fn change(&mut self, range: Range<usize>, change: Change) {
        self.decoded.change(range, change, self.to);
    }
}
