//! The recordings that are built into the crate.

use crate::recording::{ReadError, Recording, read};

/// Name and text of each built-in recording.
pub static BUILTIN: &[(&str, &str)] = &[];

/// The names of the built-in recordings, sorted.
pub fn names() -> impl Iterator<Item = &'static str> {
    BUILTIN.iter().map(|(name, _)| *name)
}

/// The built-in recording called `name`; `None` when there is no such recording.
pub fn recording(name: &str) -> Option<Result<Recording, ReadError>> {
    let (name, text) = BUILTIN.iter().find(|(known, _)| *known == name)?;
    Some(read(text.as_bytes(), name))
}
