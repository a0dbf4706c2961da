//! Inputs that end: files, and pipes with a writer.

use std::fs::{File, FileType};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a pipe may stay without a writer.
const PIPE_OPEN_TIMEOUT: Duration = Duration::from_secs(3);

/// Opens a file or a pipe to be read from its beginning.
///
/// Fails with the system's error. A folder, a device and a socket have no end and are refused, and so is a pipe without
/// a writer for three seconds.
pub fn open(path: &Path) -> io::Result<File> {
    let kind = path.metadata()?.file_type();
    if kind.is_file() {
        return File::open(path);
    }
    #[cfg(unix)]
    if std::os::unix::fs::FileTypeExt::is_fifo(&kind) {
        return open_pipe(path);
    }
    Err(not_a_file(kind))
}

/// Reads an input of at most `max_bytes`.
///
/// Fails as [`open`] does, and with [`io::ErrorKind::FileTooLarge`] where there are more.
pub fn read_limited(path: &Path, max_bytes: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.take(max_bytes.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > max_bytes {
        let what = format!("it is larger than {max_bytes} bytes, the limit");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, what));
    }
    Ok(bytes)
}

/// Reads a text of at most `max_bytes`. Fails as [`read_limited`] does, and where it is no UTF-8.
pub fn read_text(path: &Path, max_bytes: u64) -> io::Result<String> {
    let wrong = |_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8; save it as UTF-8");
    String::from_utf8(read_limited(path, max_bytes)?).map_err(wrong)
}

/// Returns the paths in a folder whose extension is one of these, sorted by name.
///
/// # Errors
/// The system's error for the folder.
pub fn list_folder(folder: &Path, extensions: &[&str]) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in folder.read_dir()? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extensions.iter().any(|wanted| extension == *wanted)) {
            paths.push(path);
        }
    }
    paths.sort_unstable();
    Ok(paths)
}

/// Returns whether both paths lead to one file that is there.
pub fn is_same(one: &Path, other: &Path) -> bool {
    matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}

/// Returns the error for something that is no file.
pub(super) fn not_a_file(kind: FileType) -> io::Error {
    let what = if kind.is_dir() { "it is a folder; name a file" } else { "it is no file; name one" };
    io::Error::new(io::ErrorKind::InvalidInput, what)
}

/// Opens a pipe without blocking: a plain open waits for a writer, and may wait for ever.
#[cfg(unix)]
fn open_pipe(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;

    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::fs::{OFlags, fcntl_setfl};

    let at_once = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or(0);
    let file = File::options().read(true).custom_flags(at_once).open(path)?;
    let timeout = Timespec { tv_sec: i64::try_from(PIPE_OPEN_TIMEOUT.as_secs()).unwrap_or(0), tv_nsec: 0 };
    if poll(&mut [PollFd::new(&file, PollFlags::IN)], Some(&timeout))? == 0 {
        return Err(io::Error::new(io::ErrorKind::TimedOut, "it is a pipe without a writer"));
    }
    fcntl_setfl(&file, OFlags::empty())?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_above_the_limit_is_not_read_and_one_at_the_limit_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, "abc").unwrap();
        assert_eq!(read_text(&path, 3).unwrap(), "abc");
        assert_eq!(read_limited(&path, 2).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
    }

    #[test]
    fn a_folder_is_refused_with_what_to_name_instead() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(open(folder.path()).unwrap_err().to_string(), "it is a folder; name a file");
    }

    #[test]
    fn a_text_that_is_no_utf_8_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, [0xff]).unwrap();
        assert_eq!(read_text(&path, 9).unwrap_err().to_string(), "it is not UTF-8; save it as UTF-8");
    }

    #[cfg(unix)]
    #[test]
    fn a_device_is_refused_and_a_link_to_a_file_is_that_file() {
        assert_eq!(open(Path::new("/dev/zero")).unwrap_err().to_string(), "it is no file; name one");
        let folder = tempfile::tempdir().unwrap();
        let [file, link, other] = ["file", "link", "other"].map(|name| folder.path().join(name));
        std::fs::write(&file, "").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert!(is_same(&file, &link));
        assert!(!is_same(&file, &other));
        assert!(!is_same(&other, &other), "it is not there");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_pipe_is_read_to_its_end() {
        use std::io::Write as _;
        use std::os::fd::AsRawFd as _;
        let (reader, mut writer) = io::pipe().unwrap();
        writer.write_all(b"from a pipe").unwrap();
        drop(writer);
        let path = format!("/dev/fd/{}", reader.as_raw_fd());
        assert_eq!(read_text(Path::new(&path), 99).unwrap(), "from a pipe");
    }
}
