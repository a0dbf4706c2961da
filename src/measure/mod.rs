//! What a run cost, computed from what was seen. Pure: no clock, no I/O.
//!
//! | module | question |
//! | --- | --- |
//! | `latency` | how long did each client wait, and for what? |
//! | [`lag`] | which part of that was the server's lateness, which the client's lag? |
//! | [`concurrency`] | did the agents overlap, and on which threads? |
//! | [`factors`] | where did the wall time go? |
//! | [`decision`] | does the evidence separate the variants? |
//! | `bootstrap` | how sure is a statistic of a sample? |
//! | [`kind`] | where do numbers come from? |
//! | [`bounds`] | does a run keep the limits that were stated beforehand? |

pub(crate) mod bootstrap;
pub mod bounds;
pub mod concurrency;
pub mod decision;
pub mod factors;
pub mod kind;
pub mod lag;
pub(crate) mod latency;

#[cfg(test)]
pub(crate) mod fixture;

#[cfg(test)]
mod noise_tests;
