//! Models and recordings that a server offers.

mod builtin;

pub use builtin::BUILTIN;
