//! The rules by which a recording is chosen.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// Which recording answers a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Matching {
    /// Model, and prompt or messages are equal; several recordings of one request take turns. A request of
    /// another route is answered by a recording when path and body are equal.
    #[default]
    Exact,
    /// The model is equal; a hash of the request and the seed chooses.
    Loose,
    /// Any recording; a hash of the request and the seed chooses.
    Any,
}

/// A word that is none of `exact`, `loose` and `any`.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("unknown rule `{0}`: expected exact, loose or any")]
pub struct MatchingError(String);

impl FromStr for Matching {
    type Err = MatchingError;

    fn from_str(text: &str) -> Result<Self, MatchingError> {
        [Self::Exact, Self::Loose, Self::Any]
            .into_iter()
            .find(|rule| rule.to_string() == text)
            .ok_or_else(|| MatchingError(text.to_owned()))
    }
}

impl fmt::Display for Matching {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Exact => "exact",
            Self::Loose => "loose",
            Self::Any => "any",
        })
    }
}
