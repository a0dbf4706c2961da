//! The executable, as its users run it.
//!
//! | module | what |
//! | --- | --- |
//! | [`desk`] | a folder to run it in, and what it said |
//! | [`pages`] | what it says of itself: help and listings |
//! | [`papers`] | the papers replayed |
//! | [`docs`] | `docs/papers.md`, which shows what is printed |
//! | [`runs`] | runs that reach their end: the report, standard output |
//! | [`bounds`] | runs that are held to limits, and the exit codes of that |
//! | [`clocks`] | runs by virtual clocks: the same files every time |
//! | [`refusals`] | runs that never begin, and the exit codes of that |
//! | [`predictions`] | `predict`: its page, and the folders that it refuses |
//! | [`costs`] | `cost`: its page, its files, and what it refuses |
//! | [`streams`] | standard output and standard error that cannot be written |
//! | [`children`] | the parts that the program plays for itself |
#![cfg(any(
    feature = "runtime-tokio-default",
    feature = "runtime-tokio-localset",
    feature = "runtime-async-std",
    feature = "runtime-smol",
    feature = "runtime-smol-1kb"
))]

mod bounds;
mod children;
mod clocks;
mod costs;
mod desk;
mod docs;
mod pages;
mod papers;
mod predictions;
mod refusals;
mod runs;
mod streams;
