//! Virtual time: every variant on its own executor, in memory and over sockets.

#[cfg(all(feature = "runtime-smol", feature = "runtime-smol-1kb"))]
mod invariants;
mod stage;
mod variants;
