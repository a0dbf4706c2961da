//! The known-bad variants: complete runtimes with one thing wrong each, which the gates must reject.
//!
//! - [`Control`], [`ALL`]: the table of them
//! - `readings`: wrong ways to read a body
//! - `hidden_tokio`: a client on a runtime that nobody mentions
//! - `joined`: agents that share one task
//!
//! The faults are those of the program behind TR115, one at a time, so that a gate that lets one through is seen.

mod hidden_tokio;
mod joined;
mod readings;
mod table;

pub use table::{ALL, Control};
