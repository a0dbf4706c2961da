//! The ways in which secrets are looked for. Each is needed: the property test switches one after the other off, and fails.

/// One way in which secrets are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pass {
    /// The path and the query of a request.
    Target,
    /// The body of a request.
    Request,
    /// The values of response fields.
    Fields,
    /// Lines for standard error.
    Complaints,
    /// Bodies that are compressed.
    #[cfg(feature = "record")]
    Compressed,
    /// Each string of a body.
    Strings,
    /// Each key of its objects.
    Keys,
    /// The strings at one place of successive objects.
    SamePlace,
    /// The strings of one source, where several take turns at one place.
    SameSource,
    /// Texts inside a string: JSON, and what is percent-encoded.
    Nested,
    /// Lines that are not JSON.
    Lines,
    /// The data of successive events that are not JSON.
    Events,
    /// The bytes of tokens, as numbers.
    Bytes,
    /// What stands beside a token that was changed: its bytes, and its alternatives.
    Logprobs,
}

/// The passes that are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Passes(u32);

impl Default for Passes {
    /// Returns all of them.
    fn default() -> Self {
        Self(u32::MAX)
    }
}

impl Passes {
    pub(super) fn has(self, pass: Pass) -> bool {
        self.0 & pass.bit() != 0
    }

    #[cfg(test)]
    pub(super) fn without(self, pass: Pass) -> Self {
        Self(self.0 & !pass.bit())
    }
}

impl Pass {
    fn bit(self) -> u32 {
        1 << self as u32
    }
}
