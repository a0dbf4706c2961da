//! The texts of `/proc`.

/// The number of kibibytes that `/proc/PID/status` has under `key`, such as `VmRSS`.
pub(super) fn status_kib(text: &str, key: &str) -> Option<u64> {
    let value = value(text, key)?;
    value.strip_suffix("kB")?.trim_end().parse().ok()
}

/// The calls of the `read` and the `write` family that `/proc/PID/io` has counted.
pub(super) fn io_calls(text: &str) -> Option<(u64, u64)> {
    Some((value(text, "syscr")?.parse().ok()?, value(text, "syscw")?.parse().ok()?))
}

fn value<'t>(text: &'t str, key: &str) -> Option<&'t str> {
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
        assert_eq!(status_kib(STATUS, "VmRSS"), Some(8996));
        assert_eq!(status_kib(STATUS, "VmHWM"), Some(9120));
        assert_eq!([status_kib(STATUS, "VmR"), status_kib(STATUS, "Threads"), status_kib("", "VmRSS")], [None; 3]);
    }

    #[test]
    fn calls_of_both_families_are_read() {
        assert_eq!(io_calls(IO), Some((13, 2)));
        assert_eq!(io_calls("syscr: 13\n"), None);
        assert_eq!(io_calls("syscr: many\nsyscw: 2\n"), None);
    }
}
