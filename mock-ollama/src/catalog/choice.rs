//! The choice between recordings that fit a request.

use std::sync::Arc;

use super::matching::Matching;
use super::offer::{Delivery, Offer};
use crate::dialect::{self, Unreadable};
use crate::generation::{Dialect, ParsedRequest};
use crate::seed::Seed;

/// A recorded answer and how it is served.
#[derive(Clone, Debug)]
pub struct Candidate<'a> {
    /// The answer.
    pub offer: &'a Offer,
    /// What is sent.
    pub delivery: Delivery,
}

/// The exchanges that answer a request equally well; at least one.
///
/// Only [`Matching::Exact`] leaves several, which take turns. Of the others the hash of the request chooses one, whatever the
/// order of requests.
///
/// Recordings in the dialect of the request come first. A request to stream is answered by recorded streams. One with
/// `"stream":false` is answered by answers that were recorded whole, else by streams, which are folded. Where there are
/// none, recordings in the dialects of the same native handler are rendered, and then those of the other handler. A recorded
/// failure is one of them, whatever was asked for. The loose rules prefer whole answers.
#[derive(Clone, Debug)]
pub struct Choice<'a> {
    candidates: Vec<Candidate<'a>>,
    is_own: bool,
}

impl<'a> Choice<'a> {
    /// Returns the exchange for a caller that has made this choice `turn` times before.
    pub(crate) fn pick(&self, turn: usize) -> &Candidate<'a> {
        &self.candidates[turn % self.candidates.len()]
    }

    /// Returns all of them, in the order of their turns.
    pub fn candidates(&self) -> &[Candidate<'a>] {
        &self.candidates
    }

    /// Returns whether the recordings are in the dialect of the request.
    pub fn is_own(&self) -> bool {
        self.is_own
    }

    /// Returns what tells this choice from others: the place of its first exchange in the catalog's order.
    pub fn key(&self) -> (&'a Arc<str>, usize) {
        let Candidate { offer, .. } = &self.candidates[0];
        (&offer.recording, offer.exchange)
    }
}

/// A recording of the request that cannot be delivered as it was asked for, and why.
type Refused<'a> = (&'a Offer, Unreadable);

/// Returns the exchanges among `fitting` that answer `ask` under `rule`. Without any, the first that cannot be delivered.
pub(super) fn choose<'a>(
    fitting: Vec<&'a Offer>,
    ask: &ParsedRequest,
    rule: Matching,
    hash: &dyn Fn() -> Seed,
) -> Result<Choice<'a>, Option<Refused<'a>>> {
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
        let candidates = deliverable(offers, (ask.dialect, stream), (rule, hash), &mut refused);
        if !candidates.is_empty() {
            return Ok(Choice { candidates, is_own });
        }
    }
    Err(refused)
}

/// Returns those of `offers` that can answer. The loose rules try one after the other until they have one. The first that
/// cannot is put into `refused`, with the reason.
fn deliverable<'a>(
    mut offers: Vec<&'a Offer>,
    (dialect, stream): (Dialect, bool),
    (rule, hash): (Matching, &dyn Fn() -> Seed),
    refused: &mut Option<Refused<'a>>,
) -> Vec<Candidate<'a>> {
    let mut candidate = |offer: &'a Offer| match offer.delivery(dialect, stream) {
        Ok(delivery) => Some(Candidate { offer, delivery }),
        Err(why) => {
            refused.get_or_insert((offer, why));
            None
        }
    };
    if rule == Matching::Exact {
        return offers.into_iter().filter_map(candidate).collect();
    }
    let hash = if offers.is_empty() { Seed(0) } else { hash() };
    while !offers.is_empty() {
        let at = usize::try_from(hash.0 % offers.len() as u64).unwrap_or_default();
        if let Some(candidate) = candidate(offers.swap_remove(at)) {
            return vec![candidate];
        }
    }
    Vec::new()
}

/// Returns the recordings whose form is the one asked for, and all failures; every one of them where none has that
/// form.
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
