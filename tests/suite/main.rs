//! Runtimes, clients and controls against canned responses on real sockets.
#![cfg(any(
    feature = "runtime-tokio-default",
    feature = "runtime-tokio-localset",
    feature = "runtime-async-std",
    feature = "runtime-smol",
    feature = "runtime-smol-1kb"
))]

mod canned;
#[cfg(any(feature = "runtime-async-std", feature = "runtime-smol", feature = "runtime-smol-1kb"))]
mod clients;
#[cfg(feature = "controls")]
mod controls;
mod runtimes;
