//! How much a recorder holds.

/// The longest answer that is recorded, in bytes, its compression undone: no recording file holds a longer one.
pub const MAX_ANSWER_BYTES: usize = 64 * 1024 * 1024;
