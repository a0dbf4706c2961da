//! `rods`: what `mock-ollama` is measured with and against.
//!
//! | verb | what |
//! | --- | --- |
//! | `load` | asks for streams on many connections and says, in one JSON object, how fast and how punctually they came |
//! | `raw` | serves one pre-encoded answer and does nothing else: the ceiling of a socket on this machine |
//! | `body` | prints the lines that `raw` serves, to make a recording with the same bytes |
//! | `on` | becomes another program on one core |
//!
//! Linux only: epoll, kernel receive timestamps and `/proc` are the point of it. Exit codes: 0 done, 1 failed, 2 usage.

#[cfg(target_os = "linux")]
mod body;
#[cfg(target_os = "linux")]
mod cli;
#[cfg(target_os = "linux")]
mod counter;
#[cfg(target_os = "linux")]
mod lateness;
#[cfg(target_os = "linux")]
mod load;
#[cfg(target_os = "linux")]
mod on;
#[cfg(target_os = "linux")]
mod proc;
#[cfg(target_os = "linux")]
mod quantile;
#[cfg(target_os = "linux")]
mod raw;
#[cfg(target_os = "linux")]
mod sys;

use std::process::ExitCode;

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    match cli::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    eprintln!("error: rods measures with epoll, kernel receive timestamps and /proc: it runs on Linux only");
    ExitCode::FAILURE
}
