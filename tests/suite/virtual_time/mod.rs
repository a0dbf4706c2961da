//! Virtual time: every variant on its own executor, in memory and over sockets; and more executors than that in memory.

#[cfg(all(
    feature = "runtime-tokio-default",
    feature = "runtime-tokio-localset",
    feature = "runtime-async-std",
    feature = "runtime-smol"
))]
mod matrix;
mod stage;
mod variants;
