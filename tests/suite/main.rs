//! Runtimes, clients and controls against canned responses on real sockets.

mod canned;
#[cfg(any(feature = "runtime-async-std", feature = "runtime-smol", feature = "runtime-smol-1kb"))]
mod clients;
#[cfg(feature = "controls")]
mod controls;
mod runtimes;
