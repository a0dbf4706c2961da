//! Cutting bodies, for the properties of this module.

use proptest::prelude::*;
use proptest::sample::Index;

/// Any places to cut at; two may be the same, and then the piece between them is empty.
pub(super) fn cuts() -> impl Strategy<Value = Vec<Index>> {
    prop::collection::vec(any::<Index>(), 0..12)
}

/// The pieces of `body` between the cuts.
pub(super) fn cut_at<'a>(body: &'a [u8], cuts: &[Index]) -> Vec<&'a [u8]> {
    let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(body.len() + 1)).collect();
    places.sort_unstable();
    let mut pieces = Vec::new();
    let mut begin = 0;
    for place in places.into_iter().chain([body.len()]) {
        pieces.push(&body[begin..place]);
        begin = place;
    }
    pieces
}
