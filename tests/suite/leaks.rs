//! A whole run leaves nothing behind.
#![cfg(target_os = "linux")]

use std::path::PathBuf;
use std::time::Instant;

use mock_ollama::schedule::Pace;
use runtime_lab::for_each_variant;
use runtime_lab::runtimes::{of, thread_names};
use runtime_lab::variant::Variant;

use crate::util::{PATIENCE, Scenario, fixture};

/// What a process has open, sorted.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Open {
    /// What each descriptor stands for, without the numbers that differ from run to run.
    descriptors: Vec<String>,
    threads: Vec<String>,
}

impl Open {
    fn now() -> Self {
        let entries = std::fs::read_dir("/proc/self/fd").unwrap();
        // The descriptor of the listing itself is closed when its link is read.
        let links = entries.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
        let name = |link: PathBuf| {
            link.display().to_string().trim_end_matches(|c: char| "[]0123456789".contains(c)).to_owned()
        };
        Self { descriptors: sorted(links.map(name)), threads: thread_names() }
    }

    /// What is open once it equals `wanted`, or else what is after all patience.
    ///
    /// A thread is listed for a moment after it was joined, and async-std closes sockets on threads that nobody joins.
    fn settled(wanted: &Self) -> Self {
        let begin = Instant::now();
        loop {
            let open = Self::now();
            if open == *wanted || begin.elapsed() > PATIENCE / 4 {
                return open;
            }
            std::thread::yield_now();
        }
    }

    /// This and what the first run of a variant leaves for the life of the process, because its runtime offers no way to
    /// end it: async-io's reactor, async-std's workers.
    fn and_kept(&self, variant: Variant) -> Self {
        let workers = std::thread::available_parallelism().unwrap().get();
        let (workers, reactors) = match variant.name() {
            "async-std" => (workers, 1),
            "smol" | "smol-1kb" => (0, 1),
            _ => (0, 0),
        };
        let threads = vec!["async-std/runti"; workers].into_iter().chain(vec!["async-io"; reactors]);
        let descriptors = ["eventpoll", "eventfd", "timerfd"].map(|kind| format!("anon_inode:[{kind}"));
        Self {
            descriptors: sorted(self.descriptors.iter().cloned().chain(descriptors.into_iter().take(3 * reactors))),
            threads: sorted(self.threads.iter().cloned().chain(threads.map(str::to_owned))),
        }
    }
}

fn sorted(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut names: Vec<String> = names.collect();
    names.sort_unstable();
    names
}

fn whole_run(variant: Variant) {
    let run = Scenario::each(4, vec![fixture("tiny-short"), fixture("tiny-emoji")], Pace::instant()).play(of(variant));
    run.all_done().unwrap();
}

/// Tests that share a process see the descriptors and threads of each other.
fn is_alone() -> bool {
    let alone = std::env::var_os("NEXTEST").is_some();
    if !alone {
        println!("skipped: this needs a process of its own, as cargo-nextest gives it");
    }
    alone
}

for_each_variant! {
    fn a_run_leaves_no_descriptor_and_no_thread(variant: Variant) {
        if is_alone() {
            let wanted = Open::now().and_kept(variant);
            for _ in 0..3 {
                whole_run(variant);
                assert_eq!(Open::settled(&wanted), wanted);
            }
        }
    }
}
