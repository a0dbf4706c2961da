//! What the lab and its tools share: one verdict, one median, one reader of `/proc`.
//!
//! The tools build these files as the crate `lab-stats`, without the lab.

pub mod proc;
pub mod quantile;
mod verdict;

pub use verdict::Verdict;
