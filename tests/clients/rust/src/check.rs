//! Counts the checks of one client and says how they went.

use std::fmt::Debug;
use std::process::ExitCode;

/// The checks so far.
#[derive(Default)]
pub(crate) struct Checks {
    passed: usize,
    failed: usize,
}

impl Checks {
    /// One check: `found` is `expected`.
    pub(crate) fn same<T: Debug + PartialEq<U>, U: Debug>(&mut self, label: &str, found: T, expected: U) {
        if found == expected {
            self.passed += 1;
            println!("ok      {label}");
        } else {
            self.failed += 1;
            println!("FAILED  {label}: {found:?} instead of {expected:?}");
        }
    }

    /// Notes how a part ended.
    pub(crate) fn part(&mut self, name: &str, done: Result<(), Box<dyn std::error::Error>>) {
        if let Err(error) = done {
            self.failed += 1;
            println!("FAILED  {name}: {error:?}");
        }
    }

    /// Says how it went.
    pub(crate) fn finish(self, client: &str) -> ExitCode {
        let Self { passed, failed } = self;
        if failed > 0 {
            println!("{client}: {failed} checks failed, {passed} passed");
            return ExitCode::FAILURE;
        }
        println!("{client}: {passed} checks passed");
        ExitCode::SUCCESS
    }
}
