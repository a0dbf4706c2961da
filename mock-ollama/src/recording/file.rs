//! A recording on disk.

use std::io::BufReader;
use std::path::Path;

use super::error::ReadError;
use super::model::Recording;
use super::read;
use crate::files::open;

/// Reads the recording at `path`; see [`read`].
pub fn read_file(path: impl AsRef<Path>) -> Result<Recording, ReadError> {
    let label = path.as_ref().display().to_string();
    match open(path.as_ref()) {
        Ok(file) => read(BufReader::new(file), &label),
        Err(source) => Err(ReadError::Io { label, source }),
    }
}

/// Writes `recording` to `path`, all or nothing.
#[cfg(feature = "record")]
pub fn write_file(
    recording: &Recording,
    path: impl AsRef<Path>,
    existing: crate::files::Existing,
) -> Result<(), super::WriteError> {
    crate::files::write_whole(path.as_ref(), existing, |file| super::write(recording, file))
}
