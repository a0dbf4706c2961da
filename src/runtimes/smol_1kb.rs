//! As smol, with reads of at most 1024 bytes, handed on at most 1024 at a time.
//!
//! It caps how much one read may bring; it does not wait for anything. The variant of this name in TR115 waited until
//! it had 1024 bytes: that one is the control `accumulate-1kb`.

use super::smol::Smol;
use crate::variant::Variant;

/// The runtime of `smol-1kb`.
pub(crate) static RUNTIME: Smol = Smol(Variant::Smol1kb);
