//! What is to be made unreadable: regular expressions, compiled.

use std::ops::Range;

use regex::Regex;
use regex::bytes::{Regex as BytesRegex, RegexSet};

/// Shapes of tokens that are scrubbed by default. Each begins with letters that hardly anything else
/// has, so a text without tokens costs one search for those letters.
pub const KNOWN_PATTERNS: &[&str] = &[
    // OpenAI, Anthropic and others. `task-…` and `disk-…` are none.
    r"(?-u:\b)sk-[A-Za-z0-9_-]{16,}",
    // GitHub: personal, OAuth, user, server and refresh tokens.
    r"gh[opusr]_[A-Za-z0-9]{16,}",
    r"github_pat_[A-Za-z0-9_]{16,}",
    // Amazon's access keys.
    r"A[KS]IA[A-Z0-9]{16}",
    // JSON web tokens: a header and a payload that are objects in base64, and a signature.
    r"eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*",
    // RFC 6750.
    r"(?i-u:bearer)[ \t]+[A-Za-z0-9._~+/-]{20,}=*",
];

/// Compiled patterns.
#[derive(Clone, Debug, Default)]
pub(super) struct Patterns {
    each: Vec<BytesRegex>,
    /// All of them at once: most texts match none, which one search shows.
    all: RegexSet,
}

impl Patterns {
    /// Compiles patterns; an error names the first that is no regular expression.
    pub(super) fn new<'a>(patterns: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        let mut each = Vec::new();
        for pattern in patterns {
            let bad = |error: regex::Error| format!("bad pattern {pattern:?}: {error}");
            // A pattern of texts never matches half a character, so that what is left of a text is one.
            Regex::new(pattern).map_err(bad)?;
            each.push(BytesRegex::new(pattern).map_err(bad)?);
        }
        let all =
            RegexSet::new(each.iter().map(BytesRegex::as_str)).map_err(|error| format!("bad patterns: {error}"))?;
        Ok(Self { each, all })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.each.is_empty()
    }

    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        self.each.iter().map(BytesRegex::as_str)
    }

    /// Hands out every match in a text that is not empty: those of each pattern in order.
    pub(super) fn find(&self, text: &[u8], mut found: impl FnMut(Range<usize>)) {
        if !self.all.is_match(text) {
            return;
        }
        for pattern in &self.each {
            for range in pattern.find_iter(text).map(|found| found.range()).filter(|range| !range.is_empty()) {
                found(range);
            }
        }
    }
}
