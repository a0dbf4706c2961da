//! How much a recorder holds.

use crate::recording::limits::MAX_FILE_BYTES;

/// The longest answer that is held and recorded, in bytes, its compression undone. A recording could hold no more.
pub const MAX_ANSWER_BYTES: usize = MAX_FILE_BYTES as usize;
