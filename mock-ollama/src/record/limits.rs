//! How much a recorder holds.

/// The longest answer that is held and recorded, in bytes, its compression undone. A recording could hold no more.
pub const MAX_ANSWER_BYTES: usize = 64 * 1024 * 1024;
