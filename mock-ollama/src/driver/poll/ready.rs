//! What pollers report.

/// A source that something happened to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ready {
    /// The token that the source was added with.
    pub(crate) token: u64,
    pub(crate) readable: bool,
    pub(crate) writable: bool,
}

/// How many sources are taken from the kernel at once; the rest are reported by the next wait.
pub(super) const MAX_READY: usize = 256;
