//! How many system calls a process makes, counted by the kernel.

use std::fs;
use std::io;
use std::path::PathBuf;

use perf_event::events::Tracepoint;
use perf_event::{Builder, Counter};

/// The id of the tracepoint that every system call passes, where the kernel's tracing is mounted of late, and where it was.
const TRACEPOINTS: [&str; 2] = [
    "/sys/kernel/tracing/events/raw_syscalls/sys_enter/id",
    "/sys/kernel/debug/tracing/events/raw_syscalls/sys_enter/id",
];

/// A number of system calls, or why it is not known.
pub(super) type Counted = Result<u64, String>;

/// Where a child looks for the tracepoint in `round`. Counting costs time at each call, so that only the round to warm up
/// counts, whose times nobody keeps; in all others there is no place to look.
pub(super) fn tracepoints(round: usize) -> Vec<PathBuf> {
    if round == 0 { TRACEPOINTS.map(PathBuf::from).to_vec() } else { Vec::new() }
}

/// Counts the system calls of the thread that makes this, and of all that it starts later; or knows why it does not.
pub(super) struct SystemCalls(Option<Result<Counter, String>>);

impl SystemCalls {
    /// Begins to count by the first of `tracepoints` that there is; counts nothing, and has no reason to say, without any.
    pub(super) fn counting(tracepoints: &[PathBuf]) -> Self {
        Self((!tracepoints.is_empty()).then(|| counter(tracepoints)))
    }

    /// How many they are until now, the call that asks for it included; absent where nothing is counted.
    pub(super) fn now(&mut self) -> Option<Counted> {
        Some(match self.0.as_mut()? {
            Ok(counter) => counter.read().map_err(|error| format!("their counter cannot be read ({error})")),
            Err(why) => Err(why.clone()),
        })
    }

    /// How many they are since `earlier`.
    pub(super) fn since(&mut self, earlier: Option<Counted>) -> Option<Counted> {
        let (now, earlier) = self.now().zip(earlier)?;
        Some(now.and_then(|now| Ok(now.saturating_sub(earlier?))))
    }
}

/// The kernel's counter, which threads inherit.
fn counter(tracepoints: &[PathBuf]) -> Result<Counter, String> {
    let id = id(tracepoints)?;
    let counter = || -> io::Result<Counter> {
        // Tracepoints are events of the kernel, all of them.
        let mut counter = Builder::new(Tracepoint::with_id(id)).exclude_kernel(false).inherit(true).build()?;
        counter.enable()?;
        Ok(counter)
    };
    counter().map_err(|error| format!("the kernel refuses to count them ({error})"))
}

/// The id in the first of the files that can be read; what is wrong with the first where none can.
fn id(tracepoints: &[PathBuf]) -> Result<u64, String> {
    let read = |path: &PathBuf| -> Result<u64, String> {
        let text = fs::read_to_string(path).map_err(|error| format!("{} cannot be read ({error})", path.display()))?;
        text.trim().parse().map_err(|_| format!("{} has no id in it", path.display()))
    };
    let mut found = tracepoints.iter().map(read);
    let first = found.next().unwrap_or_else(|| Err("there is nowhere to look".to_owned()));
    first.or_else(|why| found.find_map(Result::ok).ok_or(why))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_round_to_warm_up_counts_system_calls() {
        let counts: Vec<bool> = (0..3).map(|round| !tracepoints(round).is_empty()).collect();
        assert_eq!(counts, [true, false, false]);
    }

    #[test]
    fn who_was_not_told_to_count_counts_nothing_and_has_no_reason_to_say() {
        let mut calls = SystemCalls::counting(&[]);
        let earlier = calls.now();
        assert_eq!((earlier.clone(), calls.since(earlier)), (None, None));
    }
}

#[cfg(test)]
mod kernel_tests {
    use std::fs::File;
    use std::io::Write as _;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::mpsc;
    use std::thread;

    use super::*;

    /// Makes this many system calls.
    fn write(times: usize) {
        let mut nowhere = File::create("/dev/null").unwrap();
        (0..times).for_each(|_| nowhere.write_all(b".").unwrap());
    }

    /// How many system calls `work` makes; absent where this host does not let them be counted.
    fn counted(work: impl FnOnce()) -> Option<u64> {
        let mut calls = SystemCalls::counting(&tracepoints(0));
        let earlier = calls.now();
        work();
        calls.since(earlier)?.inspect_err(|why| eprintln!("skipped: {why}")).ok()
    }

    #[test]
    fn writes_are_counted_and_calls_of_other_threads_are_not() {
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    write(1000);
                }
            });
            let found = counted(|| write(500));
            stop.store(true, Ordering::Relaxed);
            assert!(found.is_none_or(|calls| (500..600).contains(&calls)), "{found:?}");
        });
    }

    #[test]
    fn threads_that_are_started_later_are_counted_whether_they_have_ended_or_not() {
        let found = counted(|| {
            let (ready, is_ready) = mpsc::channel();
            thread::spawn(move || {
                write(500);
                ready.send(()).unwrap();
                thread::park();
            });
            is_ready.recv().unwrap();
            thread::spawn(|| write(500)).join().unwrap();
        });
        assert!(found.is_none_or(|calls| (1000..1200).contains(&calls)), "{found:?}");
    }

    #[test]
    fn without_tracepoints_the_reason_replaces_the_number() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("id");
        let mut calls = SystemCalls::counting(std::slice::from_ref(&missing));
        let earlier = calls.now();
        let why = calls.since(earlier).unwrap().unwrap_err();
        assert_eq!(why, format!("{} cannot be read (No such file or directory (os error 2))", missing.display()));
    }

    #[test]
    fn a_tracepoint_that_the_kernel_does_not_have_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let unknown = folder.path().join("id");
        fs::write(&unknown, format!("{}\n", u32::MAX)).unwrap();
        let why = SystemCalls::counting(&[unknown]).now().unwrap().unwrap_err();
        assert!(why.starts_with("the kernel refuses to count them ("), "{why}");
    }

    #[test]
    fn a_file_that_is_not_there_is_passed_over_for_the_next_and_one_without_an_id_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let (missing, wrong) = (folder.path().join("missing"), folder.path().join("wrong"));
        fs::write(&wrong, "many\n").unwrap();
        let why = |places: &[PathBuf]| SystemCalls::counting(places).now().unwrap().unwrap_err();
        assert_eq!(why(std::slice::from_ref(&wrong)), format!("{} has no id in it", wrong.display()));
        fs::write(&wrong, format!("{}\n", u32::MAX)).unwrap();
        assert!(why(&[missing, wrong]).starts_with("the kernel refuses"));
    }
}
