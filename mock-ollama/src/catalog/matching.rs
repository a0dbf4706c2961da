//! The rules by which a recording is chosen.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use thiserror::Error;

use super::{Catalog, Miss, Offer, Prepared};
use crate::dialect::Ask;
use crate::seed::Seed;

/// Which recording answers a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Matching {
    /// Path, model, and prompt or messages are equal; several recordings of one request take turns.
    #[default]
    Exact,
    /// Path and model are equal; a hash of the request and the seed chooses.
    Loose,
    /// The path is equal; a hash of the request and the seed chooses.
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

/// The exchanges that answer a request equally well.
#[derive(Clone, Debug)]
pub struct Choice<'a> {
    offers: Vec<&'a Offer>,
    rule: Matching,
}

impl<'a> Choice<'a> {
    /// The exchange for a caller that has made this choice `turn` times before.
    ///
    /// Only [`Matching::Exact`] takes turns; the other rules choose by `hash`, never by the order of requests.
    pub fn pick(&self, turn: usize, hash: Seed) -> &'a Offer {
        let count = self.offers.len();
        let at = match self.rule {
            Matching::Exact => turn % count,
            Matching::Loose | Matching::Any => usize::try_from(hash.0 % count as u64).unwrap_or(0),
        };
        self.offers[at]
    }

    /// What tells this choice from others: the place of its first exchange in the catalog's order.
    pub fn key(&self) -> (&'a Arc<str>, usize) {
        (&self.offers[0].recording, self.offers[0].exchange)
    }
}

impl Catalog {
    /// The exchanges that answer `ask` under `rule`.
    ///
    /// A request to stream is answered by recorded streams. One with `"stream":false` is answered by answers
    /// that were recorded whole, else by streams, which can be folded. The loose rules prefer whole answers to
    /// recorded failures.
    pub fn choose(&self, ask: &Ask, rule: Matching) -> Result<Choice<'_>, Miss> {
        let fits = |offer: &&Offer| {
            offer.endpoint == ask.endpoint
                && match rule {
                    Matching::Exact => {
                        offer.model == ask.name && offer.question.as_ref().is_some_and(|known| *known == ask.question)
                    }
                    Matching::Loose => offer.model == ask.name,
                    Matching::Any => true,
                }
        };
        let mut offers: Vec<&Offer> = self.offers().iter().filter(fits).collect();
        if rule != Matching::Exact {
            prefer(&mut offers, |offer| offer.whole);
        }
        prefer(&mut offers, |offer| offer.response.is_stream() == ask.stream);
        offers.retain(|offer| can_answer(&offer.response, ask.stream));
        if offers.is_empty() { Err(Miss::explain(self, ask, rule)) } else { Ok(Choice { offers, rule }) }
    }
}

/// Keeps those for which `test` holds, if there are any.
fn prefer(offers: &mut Vec<&Offer>, test: impl Fn(&Offer) -> bool) {
    if offers.iter().any(|offer| test(offer)) {
        offers.retain(|offer| test(offer));
    }
}

/// A recorded failure that came before the first object answers either form of the request.
fn can_answer(response: &Prepared, stream: bool) -> bool {
    response.is_stream() == stream || !stream || response.status != 200
}
