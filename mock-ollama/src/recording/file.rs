//! A recording on disk.

use std::fs::File;
use std::io::{self, BufReader, BufWriter};
use std::path::Path;

use tempfile::{Builder, NamedTempFile};

use super::error::{ReadError, WriteError};
use super::model::Recording;
use super::{read, write};

/// What to do with a file that is already there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// Leave it alone and fail with [`io::ErrorKind::AlreadyExists`].
    Keep,
    /// Put the new one in its place.
    Replace,
}

/// Reads the recording at `path`; see [`read`].
pub fn read_file(path: impl AsRef<Path>) -> Result<Recording, ReadError> {
    let label = path.as_ref().display().to_string();
    match File::open(path) {
        Ok(file) => read(BufReader::new(file), &label),
        Err(source) => Err(ReadError::Io { label, source }),
    }
}

/// Writes `recording` to `path`, all or nothing: to a temporary file beside it, which is then renamed.
pub fn write_file(recording: &Recording, path: impl AsRef<Path>, existing: Existing) -> Result<(), WriteError> {
    let path = path.as_ref();
    let mut file = temporary_beside(path)?;
    write(recording, BufWriter::new(&mut file))?;
    // A rename may reach the disk before the bytes do.
    file.as_file().sync_all()?;
    let persisted = match existing {
        Existing::Keep => file.persist_noclobber(path),
        Existing::Replace => file.persist(path),
    };
    persisted.map_err(|error| error.error)?;
    Ok(())
}

fn temporary_beside(path: &Path) -> io::Result<NamedTempFile> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = Builder::new();
    builder.prefix(".recording-");
    #[cfg(unix)]
    {
        // The default of temporary files is to be private; a recording is a file like any other.
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder)
}
