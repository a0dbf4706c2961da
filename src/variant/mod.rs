//! The rows of the experiment: which executor, with which client, under which chunk policy.
//!
//! - [`policy`](ChunkPolicy): in what pieces a client hands on what it read
//! - `table`: the one table, and the macros that expand it
//! - `id`: [`Variant`], a row that is compiled in
//!
//! A further variant is one row in `table.rs`, one file in `runtimes/` and one feature in `Cargo.toml`.

mod id;
mod policy;
mod table;

pub use id::{ClientKind, Facts, UnknownVariant, Variant};
pub use policy::{ChunkPolicy, ParseChunkPolicyError};
