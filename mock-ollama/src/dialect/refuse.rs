//! The framing of a refused request.

use crate::generation::{Refusal, RefusedBy};
use crate::http::{JSON, Reply};

/// Returns the response of a compatibility wrapper to a refused request; `body` is the error in its own form.
pub(crate) fn wrap(refusal: &Refusal, body: &str) -> Reply {
    match refusal.by {
        // The cloud is refused before any wrapper.
        RefusedBy::Cloud => Reply::error(refusal.status, &refusal.text),
        RefusedBy::Parser => Reply::new(refusal.status, JSON, body),
        RefusedBy::Handler | RefusedBy::Runner => Reply::wrapped(refusal.status, body),
    }
}
