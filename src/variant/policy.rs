//! The words for chunk policies. What they do is in [`crate::chunking`].

use std::fmt;
use std::num::NonZeroUsize;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// In what pieces a client hands on the bytes that it read.
///
/// In words: `as received`, `at most 1024`, `at least 1024`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum ChunkPolicy {
    /// As the HTTP stack yields them.
    #[default]
    AsReceived,
    /// In pieces of at most this many bytes, none of them held back.
    AtMost(NonZeroUsize),
    /// In pieces of at least this many bytes, held back until then; only the last of a body may be shorter.
    AtLeast(NonZeroUsize),
}

impl fmt::Display for ChunkPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AsReceived => f.write_str("as received"),
            Self::AtMost(bytes) => write!(f, "at most {bytes}"),
            Self::AtLeast(bytes) => write!(f, "at least {bytes}"),
        }
    }
}

/// The text names no chunk policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a chunk policy; write `as received`, `at most N` or `at least N`, N being a number of bytes above 0"
)]
pub struct ParseChunkPolicyError(String);

impl FromStr for ChunkPolicy {
    type Err = ParseChunkPolicyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "as received" {
            return Ok(Self::AsReceived);
        }
        // `NonZeroUsize` reads `+5` and `005` too; what is accepted is exactly what is written.
        let bytes = |digits: &str| digits.parse().ok().filter(|bytes: &NonZeroUsize| bytes.to_string() == digits);
        let at_most = text.strip_prefix("at most ").and_then(bytes).map(Self::AtMost);
        let at_least = || text.strip_prefix("at least ").and_then(bytes).map(Self::AtLeast);
        at_most.or_else(at_least).ok_or_else(|| ParseChunkPolicyError(text.to_owned()))
    }
}

impl From<ChunkPolicy> for String {
    fn from(policy: ChunkPolicy) -> Self {
        policy.to_string()
    }
}

impl TryFrom<String> for ChunkPolicy {
    type Error = ParseChunkPolicyError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn policies_are_written_in_plain_words() {
        let bytes = NonZeroUsize::new(1024).unwrap();
        let written = [ChunkPolicy::AsReceived, ChunkPolicy::AtMost(bytes), ChunkPolicy::AtLeast(bytes)];
        assert_eq!(written.map(|policy| policy.to_string()), ["as received", "at most 1024", "at least 1024"]);
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(which in 0_usize..3, bytes in 1_usize..) {
            let bytes = NonZeroUsize::new(bytes).unwrap();
            let policy = [ChunkPolicy::AsReceived, ChunkPolicy::AtMost(bytes), ChunkPolicy::AtLeast(bytes)][which];
            prop_assert_eq!(policy.to_string().parse(), Ok(policy));
        }

        #[test]
        fn what_reads_was_written_so(text in "(as received|at (most|least))? ?[+0-9]{0,4}") {
            if let Ok(policy) = text.parse::<ChunkPolicy>() {
                prop_assert_eq!(policy.to_string(), text);
            }
        }
    }

    #[test]
    fn no_bytes_at_all_is_no_policy() {
        let refused = "at most 0".parse::<ChunkPolicy>().unwrap_err();
        assert!(refused.to_string().starts_with("`at most 0` is not a chunk policy"));
    }
}
