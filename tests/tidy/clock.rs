//! Clock reads and sleeps. Library code is handed an instant and answers with the next one it cares about.
//!
//! Tests do not sleep either: a test that waits for time to pass is slow and sometimes wrong. Those that judge real time stand
//! in a module `wall_clock`, by whose name nextest gives them the whole host.

use crate::source::{Source, block_after, line_of, occurrences};
use crate::workspace::{File, Finding};

/// Calls that ask a clock.
const READS: &[&str] = &["Instant::now(", "SystemTime::now(", "Timestamp::now(", "Zoned::now(", "clock_gettime("];

/// Calls that wait for one.
const SLEEPS: &[&str] = &["sleep(", "sleep_until(", "Timer::after(", "Timer::at(", "park_timeout("];

/// Where library code may do both, and why. A path that ends in `/` stands for all below it.
const ALLOWED: &[(&str, &str)] = &[
    ("mock-ollama/src/driver/", "drivers carry real time to the engine"),
    ("mock-ollama/src/main.rs", "a program may ask what time it is"),
    ("src/main.rs", "a program may ask what time it is"),
    ("src/runtimes/", "runtimes bring their own timers to agents in real time"),
    ("src/run/", "the conductor starts and stops processes, and they take real time"),
    ("tools/", "what measures asks a clock"),
    ("xtask/", "chores are programs"),
];

/// Where tests may sleep although their module is not called `wall_clock`, and why.
const TESTS_ALLOWED: &[(&str, &str)] = &[("src/sim/tests/", "they sleep on the virtual clock, which takes no time")];

fn covers(place: &str, path: &str) -> bool {
    if place.ends_with('/') { path.starts_with(place) } else { path == place }
}

fn is_test(path: &str) -> bool {
    ["tests/", "benches/", "examples/"].iter().any(|dir| path.starts_with(dir) || path.contains(&format!("/{dir}")))
}

/// Whether the call at `at` is to an `AgentClock`, which is handed in.
fn is_agent_clock(code: &str, at: usize) -> bool {
    ["clock.", "sim.", "Self::"].iter().any(|owner| code[..at].ends_with(owner))
}

/// The byte ranges of inline modules called `wall_clock`.
fn wall_clock_modules(code: &str) -> Vec<(usize, usize)> {
    occurrences(code, "mod wall_clock {").map(|at| (at, block_after(code, at + "mod wall_clock ".len()))).collect()
}

fn check(files: &[File]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| file.is_rust()) {
        let path = file.path.as_str();
        let test = is_test(path);
        let allowed = if test { TESTS_ALLOWED } else { ALLOWED };
        let bench = path.starts_with("examples/") || path.contains("/examples/");
        if bench || allowed.iter().any(|(place, _)| covers(place, path)) || path.contains("wall_clock") {
            continue;
        }
        let code = Source::new(&file.text).code;
        let exempt = wall_clock_modules(&code);
        let calls = SLEEPS.iter().chain(if test { &[] } else { READS });
        for (call, at) in calls.flat_map(|call| occurrences(&code, call).map(move |at| (call, at))) {
            let asked = exempt.iter().any(|(from, to)| (*from..*to).contains(&at))
                || (*call == "sleep_until(" && is_agent_clock(&code, at));
            if !asked && !is_definition(&code, at) {
                let what = if test {
                    format!("`{call}…)` in a test outside a module `wall_clock`")
                } else {
                    format!("`{call}…)` outside the drivers: take a clock as a parameter")
                };
                findings.push(Finding::new(path, line_of(&code, at), what));
            }
        }
    }
    findings
}

/// Whether the word at `at` is the name in a `fn`.
fn is_definition(code: &str, at: usize) -> bool {
    code[..at].trim_end().ends_with("fn")
}

#[test]
fn library_code_reads_no_clock_and_tests_do_not_sleep() {
    crate::assert_tidy(&check(&crate::workspace::files()));
}

#[test]
fn every_exemption_has_its_reason() {
    assert!(ALLOWED.iter().chain(TESTS_ALLOWED).all(|(place, why)| !place.is_empty() && why.len() > 10));
}

#[test]
fn control_clock_reads_and_sleeps_in_library_code_are_rejected() {
    for call in READS.iter().chain(SLEEPS) {
        let found = check(&[File::new("src/measure.rs", &format!("fn f() {{\n    std::{call}x);\n}}\n"))]);
        assert_eq!(found.len(), 1, "{call}");
        assert_eq!(found[0].line, 2);
    }
}

#[test]
fn control_a_sleep_in_a_test_is_rejected() {
    let text =
        "fn a() { sleep(x) }\nmod wall_clock {\n    fn b() { { sleep(x) } }\n}\nfn c() { tokio::time::sleep(x) }\n";
    let lines: Vec<usize> = check(&[File::new("tests/suite/a.rs", text)]).iter().map(|f| f.line).collect();
    assert_eq!(lines, [1, 5]);
}

#[test]
fn drivers_programs_and_wall_clock_modules_may() {
    let text = "fn f() { Instant::now(); thread::sleep(x) }";
    for path in ["mock-ollama/src/driver/net.rs", "src/main.rs", "tests/suite/wall_clock.rs", "tools/a.rs"] {
        assert_eq!(check(&[File::new(path, text)]), [], "{path}");
    }
}
