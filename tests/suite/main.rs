//! Runtimes, clients and controls on real sockets: against canned responses, and against the mock server.
#![cfg(any(
    feature = "runtime-tokio-default",
    feature = "runtime-tokio-localset",
    feature = "runtime-async-std",
    feature = "runtime-smol",
    feature = "runtime-smol-1kb"
))]

mod bodies;
mod bounds;
mod canned;
#[cfg(any(feature = "runtime-async-std", feature = "runtime-smol", feature = "runtime-smol-1kb"))]
mod clients;
#[cfg(feature = "controls")]
mod controls;
mod facts;
mod gates;
mod lab;
mod leaks;
mod replays;
mod runtimes;
mod stepped;
mod steps;
mod util;
mod virtual_time;
mod waits;
