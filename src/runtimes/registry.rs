//! Which runtime a variant is.

use super::Runtime;
use crate::variant::Variant;

macro_rules! registry {
    (() $({ $feature:literal, $id:ident, $snake:ident, $($rest:tt)* })*) => {
        /// The runtime of a variant: `RUNTIME` of the module that the table names.
        pub fn of(variant: Variant) -> &'static dyn Runtime {
            match variant {
                $(#[cfg(feature = $feature)] Variant::$id => &super::$snake::RUNTIME,)*
            }
        }
    };
}

crate::with_variants!([registry]);
