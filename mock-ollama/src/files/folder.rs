//! Several files of one folder, all from one writer.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::whole::{Existing, finish, prepare};

/// Why files were not written.
#[derive(Debug, Error)]
#[error("cannot write {}", path.display())]
pub struct NotWritten {
    /// The file, or the folder.
    pub path: PathBuf,
    /// The system's error.
    pub source: io::Error,
}

/// Writes files into a folder that is there, by name and text. When several programs write at once, all of these files are
/// from one of them: each waits until the other is done. Nothing is replaced before all of them are on the disk.
pub fn write_together<'a>(
    folder: &Path,
    files: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Result<(), NotWritten> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| NotWritten { path, source }
    };
    let lock = lock(folder).map_err(failed(folder))?;
    let mut written = Vec::new();
    for (name, text) in files {
        let path = folder.join(name);
        let file = prepare(&path, |file| file.write_all(text.as_bytes())).map_err(failed(&path))?;
        written.push((file, path));
    }
    for (file, path) in written {
        finish(file, &path, Existing::Replace).map_err(failed(&path))?;
    }
    drop(lock);
    Ok(())
}

/// Waits until no other process writes into the folder. The lock ends with the process that has it.
#[cfg(unix)]
fn lock(folder: &Path) -> io::Result<File> {
    use rustix::fs::{FlockOperation, flock};
    let file = File::open(folder)?;
    rustix::io::retry_on_intr(|| flock(&file, FlockOperation::LockExclusive))?;
    Ok(file)
}

/// Does nothing: where folders cannot be opened, writers are not kept apart.
#[cfg(not(unix))]
fn lock(_folder: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn files_of_writers_at_the_same_time_are_never_mixed() {
        let folder = tempfile::tempdir().unwrap();
        let names = ["a", "b", "c", "d"];
        std::thread::scope(|scope| {
            for writer in ["1", "2", "3"] {
                let folder = folder.path();
                scope.spawn(move || {
                    for round in 0..20 {
                        let text = format!("{writer} {round}");
                        write_together(folder, names.map(|name| (name, text.as_str()))).unwrap();
                        // A reader that takes the lock sees the files of one writer.
                        let _lock = lock(folder).unwrap();
                        let texts = names.map(|name| std::fs::read_to_string(folder.join(name)).unwrap());
                        assert_eq!(texts.into_iter().collect::<BTreeSet<_>>().len(), 1);
                    }
                });
            }
        });
        assert_eq!(folder.path().read_dir().unwrap().count(), names.len());
    }

    #[test]
    fn where_one_file_cannot_be_written_the_others_stay_as_they_were() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a"), "old").unwrap();
        std::fs::create_dir(folder.path().join("b")).unwrap();
        let failed = write_together(folder.path(), [("a", "new"), ("b", "new")]).unwrap_err();
        assert_eq!(failed.path, folder.path().join("b"));
        assert_eq!(std::fs::read_to_string(folder.path().join("a")).unwrap(), "old");
    }
}
