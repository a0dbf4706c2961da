//! Virtual time: every variant on its own executor, in memory and over sockets; and more executors than that in memory.

mod backend;
mod behaviors;
mod factors;
#[cfg(all(feature = "runtime-smol", feature = "runtime-smol-1kb"))]
mod invariants;
#[cfg(all(
    feature = "runtime-tokio-default",
    feature = "runtime-tokio-localset",
    feature = "runtime-async-std",
    feature = "runtime-smol"
))]
mod matrix;
mod model;
mod recordings;
mod scale;
mod structure;
mod tr115;
mod util;
mod variants;
mod wall_clock;

/// A control by its name.
#[cfg(feature = "controls")]
fn control(name: &str) -> &'static runtime_lab::controls::Control {
    runtime_lab::controls::ALL.iter().find(|control| control.name == name).expect("a control of that name")
}
