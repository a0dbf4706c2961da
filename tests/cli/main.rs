//! The executable, as its users run it.
//!
//! | module | what |
//! | --- | --- |
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
//! | [`children`] | the child processes that the program starts of itself |
//! | [`util`] | a folder to run it in, and how a run ended |
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
mod docs;
mod pages;
mod papers;
mod predictions;
mod refusals;
mod runs;
mod streams;
mod util;
