//! Making secrets unreadable: every character that a pattern matches becomes `*`.
//!
//! A secret may be split over several tokens, each in its own object. So the patterns are run over the texts that fragments of
//! a body make together, and each match is followed back to its bytes. Nothing is decoded to a tree: a body is read as a row
//! of tokens, and what becomes of a byte takes two bits.
//!
//! | file | what |
//! | --- | --- |
//! | `patterns` | what is looked for, and the shapes of tokens that are well known |
//! | `pass` | the ways in which it is looked for |
//! | `body` | all of them, over one body |
//! | `lexer` | the tokens of a body, whatever its form |
//! | `places`, `sources` | which strings belong together |
//! | `joined` | a text that they make |
//! | `search` | one text, and the texts written inside it |
//! | `encoding` | how a text is written inside another |
//! | `logprobs` | what spells a token out again |
//! | `fates` | what becomes of each byte |

mod body;
mod encoding;
mod fates;
mod joined;
mod lexer;
mod logprobs;
mod pass;
mod patterns;
mod places;
mod search;
mod sources;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;

pub(crate) use pass::Pass;
pub use patterns::KNOWN_PATTERNS;

use fates::MarkedBody;
use pass::Passes;
use patterns::Patterns;
use search::{IN_BODIES, IN_TARGETS, Search};

/// The longest body that is looked into. Of a longer one nothing is left but its length.
pub const MAX_BODY_BYTES: usize = u32::MAX as usize;

/// Patterns, compiled. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Scrub {
    patterns: Arc<Patterns>,
    passes: Passes,
}

impl Scrub {
    /// Compiles patterns.
    ///
    /// # Errors
    /// The first pattern that is no regular expression, and why.
    pub fn new<'a>(patterns: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        Ok(Self { patterns: Arc::new(Patterns::new(patterns)?), passes: Passes::default() })
    }

    /// Returns whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// Returns the patterns.
    pub fn patterns(&self) -> Vec<String> {
        self.patterns.texts().map(str::to_owned).collect()
    }

    /// Returns whether a pass is made.
    pub(crate) fn makes(&self, pass: Pass) -> bool {
        self.passes.has(pass)
    }

    /// Returns the same without one pass.
    #[cfg(test)]
    pub(crate) fn without(&self, pass: Pass) -> Self {
        Self { patterns: Arc::clone(&self.patterns), passes: self.passes.without(pass) }
    }

    /// Returns the path of a request, with or without its query: what matches becomes `*`, also where it is
    /// percent-encoded. The slash it begins with stays, so that it is a path.
    pub fn target(&self, target: &str) -> String {
        let scrubbed = self.if_made(Pass::Target, target);
        match target.strip_prefix('/').and(scrubbed.get(1..)) {
            Some(rest) => format!("/{rest}"),
            None => scrubbed,
        }
    }

    /// Returns the value of a response field.
    pub fn field(&self, value: &str) -> String {
        self.if_made(Pass::Fields, value)
    }

    /// Returns a line for standard error about a request, which may quote it.
    pub fn complaint(&self, line: &str) -> String {
        self.if_made(Pass::Complaints, line)
    }

    fn if_made(&self, pass: Pass, text: &str) -> String {
        if !self.makes(pass) || self.is_empty() {
            return text.to_owned();
        }
        let mut marked = MarkedBody::new(text.as_bytes());
        self.search(IN_TARGETS).text(text.as_bytes(), &mut marked);
        match marked.fates.apply(marked.body, 0..text.len()) {
            Some(scrubbed) => String::from_utf8_lossy(&scrubbed).into_owned(),
            None => text.to_owned(),
        }
    }

    /// Returns the body of a request, JSON or not.
    pub fn request(&self, body: &str) -> String {
        if !self.makes(Pass::Request) {
            return body.to_owned();
        }
        let scrubbed = self.chunks(vec![Bytes::copy_from_slice(body.as_bytes())]).concat();
        String::from_utf8_lossy(&scrubbed).into_owned()
    }

    /// Returns a JSON value as [`request`](Self::request) leaves it.
    pub fn json(&self, value: &Value) -> Value {
        if self.is_empty() {
            value.clone()
        } else {
            serde_json::from_str(&self.request(&value.to_string())).unwrap_or_default()
        }
    }

    /// Returns the chunks of a body with every match made unreadable. JSON stays JSON, and all strings keep their
    /// lengths in characters. A chunk that holds nothing but the rest of a character comes out empty.
    pub fn chunks(&self, mut chunks: Vec<Bytes>) -> Vec<Bytes> {
        if self.is_empty() {
            return chunks;
        }
        let body = match chunks.as_slice() {
            [only] => only.clone(),
            chunks => Bytes::from(chunks.concat()),
        };
        if body.len() > MAX_BODY_BYTES {
            return chunks.iter().map(|chunk| Bytes::from(vec![b'*'; chunk.len()])).collect();
        }
        let mut marked = MarkedBody::new(&body);
        body::change(&self.search(IN_BODIES), &mut marked);
        let mut at = 0;
        for chunk in &mut chunks {
            let range = at..at + chunk.len();
            at = range.end;
            if let Some(scrubbed) = marked.fates.apply(&body, range) {
                *chunk = Bytes::from(scrubbed);
            }
        }
        chunks
    }

    fn search<'a>(&'a self, encodings: &'a [encoding::Encoding]) -> Search<'a> {
        Search { patterns: &self.patterns, passes: self.passes, encodings }
    }
}
