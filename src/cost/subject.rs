//! What is measured.

use std::fmt;
use std::str::FromStr;

use crate::variant::{UnknownVariant, Variant};

/// The floor, or a variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// Sockets and epoll, and nothing else.
    Floor,
    /// A variant.
    Variant(Variant),
}

/// The name of the floor.
const FLOOR: &str = "floor";

impl Subject {
    /// The name, as reports spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Floor => FLOOR,
            Self::Variant(variant) => variant.name(),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Subject {
    type Err = UnknownVariant;

    fn from_str(text: &str) -> Result<Self, UnknownVariant> {
        if text == FLOOR { Ok(Self::Floor) } else { text.parse().map(Self::Variant) }
    }
}
