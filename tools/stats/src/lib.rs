//! What the lab and its tools share: one verdict, one median, one reader of `/proc`.

pub mod proc;
pub mod quantile;
mod verdict;

pub use verdict::Verdict;
