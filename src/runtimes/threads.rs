//! Threads: a new one for each run, and the names of all.

use std::panic;
use std::thread::{self, Builder};

use super::RunError;

/// Runs `work` on a new thread of this name and waits for it, so that nothing of the calling thread (its name, its
/// thread-locals, a runtime it is in) is part of the run. A panic continues in the caller.
///
/// Linux shows the first 15 bytes of the name.
pub fn on_thread<T: Send>(name: &str, work: impl FnOnce() -> Result<T, RunError> + Send) -> Result<T, RunError> {
    let named = Builder::new().name(name.to_owned());
    thread::scope(|scope| {
        let thread =
            named.spawn_scoped(scope, work).map_err(|source| RunError::Thread { name: name.to_owned(), source })?;
        thread.join().unwrap_or_else(|panic| panic::resume_unwind(panic))
    })
}

/// The names of the process's threads, sorted, one entry a thread; empty where there is no `/proc`.
pub fn thread_names() -> Vec<String> {
    let Ok(threads) = std::fs::read_dir("/proc/self/task") else {
        return Vec::new();
    };
    // A thread may end between the listing and the look at it.
    let name_of = |thread: std::fs::DirEntry| std::fs::read_to_string(thread.path().join("comm")).ok();
    let mut names: Vec<String> =
        threads.flatten().filter_map(name_of).map(|name| name.trim_end_matches('\n').to_owned()).collect();
    names.sort_unstable();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_runs_on_a_thread_of_the_given_name() {
        let name = on_thread("lab-thread", || Ok(thread::current().name().map(str::to_owned)));
        assert_eq!(name.unwrap().as_deref(), Some("lab-thread"));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_names_of_running_threads_are_listed() {
        let names = on_thread("lab-listed", || Ok(thread_names())).unwrap();
        assert!(names.contains(&"lab-listed".to_owned()), "{names:?}");
        assert!(names.is_sorted());
    }

    #[test]
    #[should_panic(expected = "the agent's own words")]
    fn a_panic_goes_on_in_the_caller() {
        let _ = on_thread::<()>("lab-panic", || panic!("the agent's own words"));
    }
}
