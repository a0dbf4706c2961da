//! Who is measured.

use std::fmt;
use std::str::FromStr;

use crate::variant::{UnknownVariant, Variant};

/// The floor, or a variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    /// Sockets and epoll, and nothing else.
    Floor,
    /// A variant.
    Variant(Variant),
}

/// The name of the floor.
const FLOOR: &str = "floor";

/// Neither the floor nor a variant.
pub type UnknownWho = UnknownVariant;

impl Who {
    /// The name, as reports spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Floor => FLOOR,
            Self::Variant(variant) => variant.name(),
        }
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Who {
    type Err = UnknownWho;

    fn from_str(text: &str) -> Result<Self, UnknownWho> {
        if text == FLOOR { Ok(Self::Floor) } else { text.parse().map(Self::Variant) }
    }
}
