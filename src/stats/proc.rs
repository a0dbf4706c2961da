//! A reader of `/proc`: its files, and the numbers that they have under a name.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A file of `/proc` that cannot be read or understood.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {}", path.display())]
pub struct ProcError {
    path: PathBuf,
    source: io::Error,
}

/// Reads a file and parses its text. An answer of `None` is an error of kind `InvalidData`.
pub fn read<T>(path: impl AsRef<Path>, parse: impl FnOnce(&str) -> Option<T>) -> Result<T, ProcError> {
    let path = path.as_ref();
    let parsed = fs::read_to_string(path).and_then(|text| parse(&text).ok_or(io::ErrorKind::InvalidData.into()));
    parsed.map_err(|source| ProcError { path: path.to_owned(), source })
}

/// Reads a number of kibibytes from a process's `status`: `VmRSS` is its resident memory now, `VmHWM` the peak.
/// The process is a number or `self`.
pub fn status_kib(process: &str, key: &str) -> Result<u64, ProcError> {
    read(format!("/proc/{process}/status"), |text| kib(text, key))
}

/// Returns the number of kibibytes that the text of `/proc/PID/status` has under `key`.
pub fn kib(text: &str, key: &str) -> Option<u64> {
    value(text, key)?.strip_suffix("kB")?.trim_end().parse().ok()
}

/// Returns the calls of the `read` and of the `write` family that the text of `/proc/PID/io` counts. `recv` and `send`
/// are not among them.
pub fn io_calls(text: &str) -> Option<(u64, u64)> {
    Some((value(text, "syscr")?.parse().ok()?, value(text, "syscw")?.parse().ok()?))
}

/// Returns what stands behind `KEY:` in a text of such lines.
pub fn value<'t>(text: &'t str, key: &str) -> Option<&'t str> {
    text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':')).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATUS: &str = "Name:\truntime-lab\nVmPeak:\t  268124 kB\nVmHWM:\t    9120 kB\nVmRSS:\t    8996 kB\nRssAnon:\t    1044 kB\nThreads:\t2\n";
    const IO: &str =
        "rchar: 4604\nwchar: 0\nsyscr: 13\nsyscw: 2\nread_bytes: 0\nwrite_bytes: 0\ncancelled_write_bytes: 0\n";

    #[test]
    fn resident_memory_is_read_in_kibibytes_by_its_whole_name() {
        assert_eq!(kib(STATUS, "VmRSS"), Some(8996));
        assert_eq!(kib(STATUS, "VmHWM"), Some(9120));
        assert_eq!([kib(STATUS, "VmR"), kib(STATUS, "Threads"), kib("", "VmRSS")], [None; 3]);
    }

    #[test]
    fn calls_of_both_families_are_read() {
        assert_eq!(io_calls(IO), Some((13, 2)));
        assert_eq!(io_calls("syscr: 13\n"), None);
        assert_eq!(io_calls("syscr: many\nsyscw: 2\n"), None);
    }
}
