//! The rules by which a recording is chosen.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use thiserror::Error;

use super::{Catalog, Miss, Offer, Prepared};
use crate::dialect::request::Ask;
use crate::seed::Seed;

/// Which recording answers a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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

/// A recorded answer and how it is served.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// The answer.
    pub offer: &'a Offer,
    /// Whether its bytes are served as they are; else it is rendered anew.
    pub verbatim: bool,
}

/// The exchanges that answer a request equally well.
#[derive(Clone, Debug)]
pub struct Choice<'a> {
    offers: Vec<&'a Offer>,
    verbatim: bool,
    rule: Matching,
}

impl<'a> Choice<'a> {
    /// The exchange for a caller that has made this choice `turn` times before.
    ///
    /// Only [`Matching::Exact`] takes turns; the other rules choose by `hash`, never by the order of requests.
    pub fn pick(&self, turn: usize, hash: Seed) -> Candidate<'a> {
        let count = self.offers.len();
        let at = match self.rule {
            Matching::Exact => turn % count,
            Matching::Loose | Matching::Any => usize::try_from(hash.0 % count as u64).unwrap_or(0),
        };
        Candidate { offer: self.offers[at], verbatim: self.verbatim }
    }

    /// Whether recorded bytes are served as they are.
    pub fn is_verbatim(&self) -> bool {
        self.verbatim
    }

    /// What tells this choice from others: the place of its first exchange in the catalog's order.
    pub fn key(&self) -> (&'a Arc<str>, usize) {
        (&self.offers[0].recording, self.offers[0].exchange)
    }
}

impl Catalog {
    /// The exchanges that answer `ask` under `rule`.
    ///
    /// Recordings in the dialect of the request come first and are served as they are: a request to stream by
    /// recorded streams; one with `"stream":false` by answers that were recorded whole, else by streams, which
    /// can be folded. Where there are none, recordings in the dialects of the same native handler are rendered,
    /// and then those of the other handler. The loose rules prefer whole answers to recorded failures.
    pub fn choose(&self, ask: &Ask, rule: Matching) -> Result<Choice<'_>, Miss> {
        let fitting = self.fitting(ask, rule);
        let of = |test: &dyn Fn(&Offer) -> bool| -> Vec<&Offer> {
            let mut offers: Vec<&Offer> = fitting.iter().copied().filter(|offer| test(offer)).collect();
            if rule != Matching::Exact {
                prefer(&mut offers, |offer| offer.whole);
            }
            offers
        };
        let mut own = of(&|offer| offer.dialect == ask.dialect);
        let has_own = !own.is_empty();
        // A load is answered at once, also where a stream is asked for.
        let stream = ask.stream && !ask.is_load();
        prefer(&mut own, |offer| offer.response.is_stream() == stream);
        own.retain(|offer| can_answer(&offer.response, stream));
        if !own.is_empty() {
            return Ok(Choice { offers: own, verbatim: true, rule });
        }
        if !has_own {
            let kin = |offer: &Offer| offer.dialect.is_generate() == ask.dialect.is_generate();
            for foreign in [of(&|offer| kin(offer)), of(&|offer| !kin(offer))] {
                let readable: Vec<&Offer> = foreign.into_iter().filter(|offer| offer.generation().is_some()).collect();
                if !readable.is_empty() {
                    return Ok(Choice { offers: readable, verbatim: false, rule });
                }
            }
        }
        Err(Miss::explain(self, ask, rule))
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
