//! What people and programs read of a run. A [`Report`] goes in, text comes out.
//!
//! | module | what |
//! | --- | --- |
//! | [`model`] | the report: facts, timings, environment; its JSON is described by `docs/report.schema.json` |
//! | `inputs`, `error` | everything a report is made of, and why there is none |
//! | [`build()`] | runs to a report |
//! | [`facts_builder`], `timings_builder` | its two halves: what is the same in every run, and what was measured |
//! | `conclusions` | the three answers that every output begins with |
//! | [`json`], `markdown`, [`terminal`] | one file an output |
//! | `text`, `variants` | numbers and tables for people |
//! | [`outputs`] | the table of outputs, and writing it |

mod build;
mod conclusions;
mod error;
pub mod facts_builder;
mod inputs;
pub mod json;
mod markdown;
pub mod model;
pub mod outputs;
pub mod terminal;
pub(crate) mod text;
mod timings_builder;
mod variants;

pub use build::build;
pub use error::{BuildError, Classified, ErrorClass};
pub use inputs::{Inputs, Run};
pub use model::Report;
pub use outputs::{OUTPUTS, Output, OutputError};
pub use text::plural;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;
