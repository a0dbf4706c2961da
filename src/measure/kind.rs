//! Where numbers come from.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where the numbers of a block come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Read off a real clock or seen in a real run.
    Measured,
    /// Read off a virtual clock.
    Virtual,
    /// Computed from other numbers.
    Derived,
    /// Published by somebody else.
    Published,
}
