//! The rules by which a recording is chosen.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use thiserror::Error;

use super::{Catalog, Miss, Offer, Told};
use crate::dialect::{self, Unreadable};
use crate::generation::{Dialect, ParsedRequest};
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
#[derive(Clone, Debug)]
pub struct Candidate<'a> {
    /// The answer.
    pub offer: &'a Offer,
    /// What is sent.
    pub told: Told,
}

/// The exchanges that answer a request equally well; at least one.
#[derive(Clone, Debug)]
pub struct Choice<'a> {
    candidates: Vec<Candidate<'a>>,
    is_own: bool,
}

impl<'a> Choice<'a> {
    /// The exchange for a caller that has made this choice `turn` times before.
    pub fn pick(&self, turn: usize) -> &Candidate<'a> {
        &self.candidates[turn % self.candidates.len()]
    }

    /// All of them, in the order of their turns.
    pub fn candidates(&self) -> &[Candidate<'a>] {
        &self.candidates
    }

    /// Whether the recordings are in the dialect of the request.
    pub fn is_own(&self) -> bool {
        self.is_own
    }

    /// What tells this choice from others: the place of its first exchange in the catalog's order.
    pub fn key(&self) -> (&'a Arc<str>, usize) {
        let Candidate { offer, .. } = &self.candidates[0];
        (&offer.recording, offer.exchange)
    }
}

impl Catalog {
    /// The exchanges that answer `ask` under `rule`. Only [`Matching::Exact`] leaves several, which take turns; of the
    /// others the hash of the request chooses one, whatever the order of requests.
    ///
    /// Recordings in the dialect of the request come first: a request to stream is answered by recorded streams; one with
    /// `"stream":false` by answers that were recorded whole, else by streams, which are folded. Where there are none,
    /// recordings in the dialects of the same native handler are rendered, and then those of the other handler. A recorded
    /// failure is one of them, whatever was asked for. The loose rules prefer whole answers.
    pub fn choose(&self, ask: &ParsedRequest, rule: Matching, hash: impl Fn() -> Seed) -> Result<Choice<'_>, Miss> {
        let fitting = self.fitting(ask, rule);
        // A load is answered at once, also where a stream is asked for.
        let stream = ask.stream && !ask.is_load();
        let (own, foreign): (Vec<&Offer>, Vec<&Offer>) =
            fitting.into_iter().partition(|offer| offer.dialect == ask.dialect);
        let is_own = !own.is_empty();
        let groups = if is_own {
            [own, Vec::new()]
        } else {
            let (kin, other): (Vec<&Offer>, Vec<&Offer>) =
                foreign.into_iter().partition(|offer| dialect::of(offer.dialect).is_generate() == ask.is_generate());
            [kin, other]
        };
        let mut refused = None;
        for mut offers in groups {
            if rule != Matching::Exact {
                prefer(&mut offers, |offer| offer.whole);
            }
            if is_own {
                offers = as_recorded(offers, stream);
            }
            let candidates = tellable(offers, (ask.dialect, stream), (rule, &hash), &mut refused);
            if !candidates.is_empty() {
                return Ok(Choice { candidates, is_own });
            }
        }
        Err(refused
            .map_or_else(|| Miss::explain(self, ask, rule), |(offer, why)| Miss::of(self, ask, rule, offer, &why)))
    }
}

/// Those of `offers` that can answer; the loose rules look at one after the other until they have one. The first that
/// cannot is put into `refused`, with the reason.
fn tellable<'a>(
    mut offers: Vec<&'a Offer>,
    (dialect, stream): (Dialect, bool),
    (rule, hash): (Matching, &dyn Fn() -> Seed),
    refused: &mut Option<(&'a Offer, Unreadable)>,
) -> Vec<Candidate<'a>> {
    let mut told = |offer: &'a Offer| match offer.told(dialect, stream) {
        Ok(told) => Some(Candidate { offer, told }),
        Err(why) => {
            refused.get_or_insert((offer, why));
            None
        }
    };
    if rule == Matching::Exact {
        return offers.into_iter().filter_map(told).collect();
    }
    let hash = if offers.is_empty() { Seed(0) } else { hash() };
    while !offers.is_empty() {
        let at = usize::try_from(hash.0 % offers.len() as u64).unwrap_or_default();
        if let Some(candidate) = told(offers.swap_remove(at)) {
            return vec![candidate];
        }
    }
    Vec::new()
}

/// The recordings whose form is the one asked for, and all failures; every one of them where none has that form.
fn as_recorded(mut offers: Vec<&Offer>, stream: bool) -> Vec<&Offer> {
    let is_asked_for = |offer: &Offer| !offer.is_failure() && offer.suits(stream);
    if offers.iter().any(|offer| is_asked_for(offer)) {
        offers.retain(|offer| offer.is_failure() || is_asked_for(offer));
    }
    offers
}

/// Keeps those for which `test` holds, if there are any.
fn prefer(offers: &mut Vec<&Offer>, test: impl Fn(&Offer) -> bool) {
    if offers.iter().any(|offer| test(offer)) {
        offers.retain(|offer| test(offer));
    }
}
