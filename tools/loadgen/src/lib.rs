//! A load generator for streamed answers, and what else a server is measured with and against.
//!
//! | module | what |
//! | --- | --- |
//! | [`report`] | the JSON object that a measurement prints, for programs that read it |
//! | `cli` | the verbs of the program `loadgen` |
//! | `load` | asks for streams on many connections, and measures how fast and how punctually they came |
//! | `raw` | serves one pre-encoded answer and does nothing else: the ceiling of a socket on this host |
//! | [`body`] | the lines that `raw` serves, to make a recording with the same bytes |
//! | `on` | becomes another program on one core |
//!
//! All but the report and the lines is for Linux: epoll, kernel receive timestamps and `/proc` are the point of it.

pub mod body;
pub mod report;

#[cfg(target_os = "linux")]
pub mod cli;
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
mod raw;
#[cfg(target_os = "linux")]
mod samples;
#[cfg(target_os = "linux")]
mod sys;
