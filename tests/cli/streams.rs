//! Standard output and standard error that cannot be written: the exit code is what it would be.
#![cfg(target_os = "linux")]

use std::fs::OpenOptions;
use std::process::Stdio;

use rstest::rstest;

use crate::util::Workspace;

/// A device on which nothing can be written.
fn full() -> Stdio {
    OpenOptions::new().write(true).open("/dev/full").unwrap().into()
}

#[rstest]
#[case::usage(&["race"], 2)]
#[case::limit(&["run", "--runs", "1001"], 2)]
#[case::missing_folder(&["predict", "missing"], 5)]
#[case::missing_file(&["run", "--workload", "no/such.toml"], 5)]
#[case::list(&["list"], 0)]
#[case::help(&["--help"], 0)]
fn a_full_standard_error_leaves_the_exit_code_alone(#[case] args: &[&str], #[case] code: i32) {
    let status = Workspace::new().command(args).stdout(Stdio::null()).stderr(full()).status().unwrap();
    assert_eq!(status.code(), Some(code));
}

#[rstest]
#[case::list(&["list"])]
#[case::help(&["--help"])]
#[case::run(&["run", "--clock", "model", "--workload", "solo"])]
#[case::papers(&["papers", "tr113"])]
fn a_full_standard_output_ends_with_5(#[case] args: &[&str]) {
    let status = Workspace::new().command(args).stdout(full()).stderr(Stdio::null()).status().unwrap();
    assert_eq!(status.code(), Some(5));
}
