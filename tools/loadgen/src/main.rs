//! `loadgen`; the verbs are in the library. Exit codes: 0 done, 1 failed, 2 usage.

use std::process::ExitCode;

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    match loadgen::cli::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    eprintln!("error: loadgen measures with epoll, kernel receive timestamps and /proc: it runs on Linux only");
    ExitCode::FAILURE
}
