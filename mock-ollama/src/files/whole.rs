//! A file that is written whole or not at all.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

use tempfile::{Builder, NamedTempFile};

use super::input::not_a_file;

/// What to do with a file that is already there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// Leave it alone and fail with [`io::ErrorKind::AlreadyExists`].
    Keep,
    /// Put the new one in its place.
    Replace,
}

/// Writes a file whole or not at all: to a temporary file beside it, which is then renamed.
///
/// Fails with what `write` fails with, or with the system's error. Folders, devices and pipes are never replaced.
pub fn write_whole<E: From<io::Error>>(
    path: &Path,
    existing: Existing,
    write: impl FnOnce(&mut BufWriter<&mut File>) -> Result<(), E>,
) -> Result<(), E> {
    let file = prepare(path, write)?;
    Ok(finish(file, path, existing)?)
}

/// Writes what is to become the file at `path` to a temporary file beside it.
pub(super) fn prepare<E: From<io::Error>>(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<&mut File>) -> Result<(), E>,
) -> Result<NamedTempFile, E> {
    if let Ok(there) = path.metadata()
        && !there.is_file()
    {
        return Err(not_a_file(there.file_type()).into());
    }
    let mut file = temporary_beside(path)?;
    let mut buffer = BufWriter::new(file.as_file_mut());
    write(&mut buffer)?;
    buffer.flush()?;
    drop(buffer);
    // A rename may reach the disk before the bytes do.
    file.as_file().sync_all()?;
    Ok(file)
}

/// Puts a temporary file in its place.
pub(super) fn finish(file: NamedTempFile, path: &Path, existing: Existing) -> io::Result<()> {
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
    builder.prefix(".writing-");
    #[cfg(unix)]
    {
        // The default of temporary files is to be private; what is written here are files like any other.
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder)
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write as _};

    use super::{Existing, write_whole};

    #[test]
    fn what_fails_half_way_leaves_the_old_file_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        write_whole::<io::Error>(&path, Existing::Keep, |file| file.write_all(b"old")).unwrap();
        let failed = write_whole::<io::Error>(&path, Existing::Replace, |file| {
            file.write_all(b"half of the new")?;
            Err(io::Error::other("the writer broke"))
        });
        assert_eq!(failed.unwrap_err().to_string(), "the writer broke");
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        assert_eq!(folder.path().read_dir().unwrap().count(), 1);
    }

    #[test]
    fn what_is_no_file_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("folder");
        std::fs::create_dir(&path).unwrap();
        let failed = write_whole::<io::Error>(&path, Existing::Replace, |file| file.write_all(b"x"));
        assert_eq!(failed.unwrap_err().to_string(), "it is a folder; name a file");
        #[cfg(unix)]
        {
            let failed = write_whole::<io::Error>("/dev/null".as_ref(), Existing::Replace, |_| Ok(()));
            assert_eq!(failed.unwrap_err().to_string(), "it is no file; name one");
        }
    }

    #[cfg(unix)]
    #[test]
    fn others_may_read_it_as_far_as_the_umask_lets_them() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let mode = |name: &str| std::fs::metadata(folder.path().join(name)).unwrap().permissions().mode();
        std::fs::write(folder.path().join("usual"), b"x").unwrap();
        let path = folder.path().join("whole");
        write_whole::<io::Error>(&path, Existing::Keep, |file| file.write_all(b"x")).unwrap();
        assert_eq!(mode("whole"), mode("usual"));
    }
}
