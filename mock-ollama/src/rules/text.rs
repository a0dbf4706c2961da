//! How a text is matched.

use std::fmt;

use regex::Regex;

/// How a text is matched: a `&str` is a part of it, a [`Regex`] a pattern, [`exactly`] all of it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum TextMatcher {
    /// It contains this text.
    Contains(String),
    /// It matches this pattern.
    Matches(Regex),
    /// It is this text.
    Equals(String),
}

/// Matches a text that is this one and nothing more.
///
/// ```
/// use mock_ollama::{chat, exactly};
///
/// let matcher = chat().prompt(exactly("hi"));
/// # let _ = matcher;
/// ```
pub fn exactly(text: impl Into<String>) -> TextMatcher {
    TextMatcher::Equals(text.into())
}

impl TextMatcher {
    pub(super) fn fits(&self, text: &str) -> bool {
        match self {
            Self::Contains(part) => text.contains(part.as_str()),
            Self::Matches(pattern) => pattern.is_match(text),
            Self::Equals(whole) => text == whole,
        }
    }
}

impl fmt::Display for TextMatcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Contains(part) => write!(f, "containing {part:?}"),
            Self::Matches(pattern) => write!(f, "matching /{pattern}/"),
            Self::Equals(whole) => write!(f, "equal to {whole:?}"),
        }
    }
}

impl From<&str> for TextMatcher {
    fn from(part: &str) -> Self {
        Self::Contains(part.to_owned())
    }
}

impl From<String> for TextMatcher {
    fn from(part: String) -> Self {
        Self::Contains(part)
    }
}

impl From<Regex> for TextMatcher {
    fn from(pattern: Regex) -> Self {
        Self::Matches(pattern)
    }
}
