//! A recording on disk.

use std::io::BufReader;
use std::path::Path;

use super::error::{ReadError, WriteError};
use super::model::Recording;
use super::{read, write};
use crate::files::{Existing, open, write_whole};

/// Reads the recording at `path`; see [`read`].
pub fn read_file(path: impl AsRef<Path>) -> Result<Recording, ReadError> {
    let label = path.as_ref().display().to_string();
    match open(path.as_ref()) {
        Ok(file) => read(BufReader::new(file), &label),
        Err(source) => Err(ReadError::Io { label, source }),
    }
}

/// Writes `recording` to `path`, all or nothing.
pub fn write_file(recording: &Recording, path: impl AsRef<Path>, existing: Existing) -> Result<(), WriteError> {
    write_whole(path.as_ref(), existing, |file| write(recording, file))
}
