//! Chunk policies as a pure splitter: bytes in, pieces out, no clock and no waiting.
//!
//! | policy | contract |
//! | --- | --- |
//! | all | the concatenated pieces are the bytes that went in, and no piece is empty |
//! | `AsReceived` | the pieces are what went in |
//! | `AtMost(n)` | no piece is longer than `n`, and nothing is held back after a push |
//! | `AtLeast(n)` | no piece is shorter than `n`, except the last one, which comes at the end of the body |

use std::iter::FusedIterator;

use bytes::{Bytes, BytesMut};

pub use crate::variant::{ChunkPolicy, ParseChunkPolicyError};

/// Applies one [`ChunkPolicy`] to one body.
///
/// ```
/// use runtime_lab::chunking::Splitter;
///
/// let mut splitter = Splitter::new("at most 2".parse().unwrap());
/// let pieces: Vec<_> = splitter.push("abcde".into()).collect();
/// assert_eq!(pieces, ["ab", "cd", "e"]);
/// assert_eq!(splitter.finish(), None);
/// ```
#[derive(Debug)]
pub struct Splitter {
    policy: ChunkPolicy,
    /// What `AtLeast` holds back.
    held: BytesMut,
}

impl Splitter {
    /// A splitter at the beginning of a body.
    pub fn new(policy: ChunkPolicy) -> Self {
        Self { policy, held: BytesMut::new() }
    }

    /// Takes what a client read, and answers with what it hands on now.
    #[must_use = "pieces that are not handed on are lost"]
    pub fn push(&mut self, bytes: Bytes) -> Pieces {
        match self.policy {
            ChunkPolicy::AsReceived => Pieces { rest: bytes, longest: usize::MAX },
            ChunkPolicy::AtMost(longest) => Pieces { rest: bytes, longest: longest.get() },
            ChunkPolicy::AtLeast(shortest) => {
                Pieces { rest: self.hold_back(bytes, shortest.get()), longest: usize::MAX }
            }
        }
    }

    /// Answers with what is still held back, at the end of the body.
    #[must_use = "a piece that is not handed on is lost"]
    pub fn finish(&mut self) -> Option<Bytes> {
        let last = self.held.split().freeze();
        (!last.is_empty()).then_some(last)
    }

    /// All bytes that are there, once they are at least `shortest`; until then, none.
    fn hold_back(&mut self, bytes: Bytes, shortest: usize) -> Bytes {
        if self.held.is_empty() && bytes.len() >= shortest {
            return bytes;
        }
        self.held.extend_from_slice(&bytes);
        if self.held.len() >= shortest { self.held.split().freeze() } else { Bytes::new() }
    }
}

/// What a [`Splitter`] hands on after a push: never an empty piece.
#[derive(Debug)]
pub struct Pieces {
    rest: Bytes,
    longest: usize,
}

impl Iterator for Pieces {
    type Item = Bytes;

    #[inline]
    fn next(&mut self) -> Option<Bytes> {
        if self.rest.is_empty() {
            return None;
        }
        Some(self.rest.split_to(self.longest.min(self.rest.len())))
    }
}

impl FusedIterator for Pieces {}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use proptest::prelude::*;

    use super::*;

    /// What went in, a push an element; empty reads among them.
    fn reads() -> impl Strategy<Value = Vec<Vec<u8>>> {
        prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..12)
    }

    fn bound() -> impl Strategy<Value = NonZeroUsize> {
        (1_usize..60).prop_map(|bytes| NonZeroUsize::new(bytes).unwrap())
    }

    fn policy() -> impl Strategy<Value = ChunkPolicy> {
        prop_oneof![
            Just(ChunkPolicy::AsReceived),
            bound().prop_map(ChunkPolicy::AtMost),
            bound().prop_map(ChunkPolicy::AtLeast),
        ]
    }

    /// The pieces of each push, and what came at the end.
    fn split(policy: ChunkPolicy, reads: &[Vec<u8>]) -> (Vec<Vec<Bytes>>, Option<Bytes>) {
        let mut splitter = Splitter::new(policy);
        let pushed = reads.iter().map(|read| splitter.push(Bytes::copy_from_slice(read)).collect()).collect();
        (pushed, splitter.finish())
    }

    proptest! {
        #[test]
        fn the_pieces_of_every_policy_are_the_body(policy in policy(), reads in reads()) {
            let (pushed, last) = split(policy, &reads);
            let pieces: Vec<Bytes> = pushed.into_iter().flatten().chain(last).collect();
            prop_assert_eq!(pieces.concat(), reads.concat());
        }

        #[test]
        fn no_policy_hands_on_an_empty_piece(policy in policy(), reads in reads()) {
            let (pushed, last) = split(policy, &reads);
            prop_assert!(pushed.into_iter().flatten().chain(last).all(|piece| !piece.is_empty()));
        }

        #[test]
        fn as_received_hands_on_each_read_as_it_is(reads in reads()) {
            let (pushed, last) = split(ChunkPolicy::AsReceived, &reads);
            for (pieces, read) in pushed.iter().zip(&reads) {
                let expected: Vec<&[u8]> = if read.is_empty() { vec![] } else { vec![read] };
                prop_assert_eq!(pieces, &expected);
            }
            prop_assert_eq!(last, None);
        }

        #[test]
        fn at_most_hands_on_all_of_a_read_at_once_in_pieces_of_its_bound(bound in bound(), reads in reads()) {
            let (pushed, last) = split(ChunkPolicy::AtMost(bound), &reads);
            for (pieces, read) in pushed.iter().zip(&reads) {
                prop_assert_eq!(&pieces.concat(), read);
                prop_assert!(pieces.iter().all(|piece| piece.len() <= bound.get()));
                prop_assert_eq!(pieces.len(), read.len().div_ceil(bound.get()));
            }
            prop_assert_eq!(last, None);
        }

        #[test]
        fn at_least_hands_on_as_soon_as_it_has_enough_and_never_before(bound in bound(), reads in reads()) {
            let (pushed, last) = split(ChunkPolicy::AtLeast(bound), &reads);
            let mut held = 0;
            for (pieces, read) in pushed.iter().zip(&reads) {
                held += read.len();
                let expected = if held >= bound.get() { vec![std::mem::take(&mut held)] } else { vec![] };
                let lengths: Vec<usize> = pieces.iter().map(Bytes::len).collect();
                prop_assert_eq!(lengths, expected);
            }
            prop_assert_eq!(last.map_or(0, |last| last.len()), held);
        }
    }

    #[test]
    fn a_read_that_is_long_enough_is_handed_on_without_a_copy() {
        let read = Bytes::from(vec![7; 4096]);
        for policy in ["as received", "at most 1024", "at least 1024"] {
            let first = Splitter::new(policy.parse().unwrap()).push(read.clone()).next().unwrap();
            assert_eq!(first.as_ptr(), read.as_ptr(), "{policy}");
        }
    }
}
